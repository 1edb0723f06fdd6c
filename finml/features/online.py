"""Reading features for requests: one call a batch, with the time each answer is from.

Used where models are served. Imports Feast, and neither Ibis nor DuckDB.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from finml.errors import FeatureError
from finml.features.declarations import request_fields, service_views

if TYPE_CHECKING:
    from feast import FeatureStore
    from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse
    from feast.protos.feast.types.Value_pb2 import Value

MISSING = math.nan
Status = Literal["fresh", "stale", "missing"]
FeatureValue = float | str | None
"""A number, a text, or nothing where it cannot be said."""


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """Features of one request.

    Attributes:
        values: every feature of the service by name, a number or a text; `None` where it cannot be said.
        timestamps: moment that the features of each of its stored views describe; `None` where a view has
            no row of the user.
        status: `fresh`; `stale`, a view is older than its time to live; `missing`, a view has no row.
    """

    values: dict[str, FeatureValue]
    timestamps: dict[str, datetime | None]
    status: Status

    @property
    def numbers(self) -> dict[str, float | None]:
        """The features that are numbers, or missing."""
        return {name: value for name, value in self.values.items() if not isinstance(value, str)}

    @property
    def as_of(self) -> datetime | None:
        """Moment of the oldest view that has a row; `None` for an unknown user."""
        return min((moment for moment in self.timestamps.values() if moment), default=None)


class OnlineFeatures:
    """The online store, for one feature service."""

    def __init__(self, store: "FeatureStore", service_name: str) -> None:
        """Resolve the service in the registry, once.

        Raises:
            FeatureError: no such service is registered.
        """
        from finml.features.store import service

        self._store = store
        self._service = service(store, service_name)
        views = service_views(service_name)
        self._fields = request_fields(service_name)
        self._names = frozenset(name for view in views for name in view.feature_names)
        self._stored = [view for view in views if view.computed == "stored"]

    def read(
        self,
        user_ids: Sequence[str],
        request_rows: Sequence[Mapping[str, float | None]] | None = None,
        *,
        now: datetime | None = None,
    ) -> list[FeatureRow]:
        """Features of a batch, in its order, by one call to the online store.

        Args:
            user_ids: whom each request is about; the same user may come twice.
            request_rows: what each request tells, `declarations.request_fields`; what is not there is
                missing. Without it the features that need it are `None`.
            now: aware time that ages are measured to; the clock's when `None`.

        Raises:
            FeatureError: the online store cannot be read.
            ValueError: the two sequences differ in length.
        """
        if not user_ids:
            return []
        rows = request_rows if request_rows is not None else [{}] * len(user_ids)
        if len(rows) != len(user_ids):
            raise ValueError(f"{len(user_ids)} users but {len(rows)} requests")
        columns: dict[str, list[str] | list[float]] = {"user_id": list(user_ids)}
        for name in self._fields:
            columns[name] = [_number(row.get(name)) for row in rows]
        names, results = self._ask(columns)
        values: list[dict[str, FeatureValue]] = [{} for _ in user_ids]
        seconds: dict[str, list[int]] = {}
        for name, result in zip(names, results, strict=True):
            if name not in self._names:
                continue
            seconds[name] = [moment.seconds for moment in result.event_timestamps]
            for row, value in zip(values, result.values, strict=True):
                row[name] = _value(value)
        clock = (now or datetime.now(UTC)).timestamp()
        return [
            self._row(row, [seconds[view.feature_names[0]][i] for view in self._stored], clock)
            for i, row in enumerate(values)
        ]

    def _ask(
        self, columns: Mapping[str, object]
    ) -> tuple[Sequence[str], Sequence["GetOnlineFeaturesResponse.FeatureVector"]]:
        import sqlite3

        from redis.exceptions import RedisError

        try:
            # The protocol buffer itself: turning it into Python's types and back costs more than reading it.
            proto = self._store.get_online_features(self._service, columns).proto
        except (RedisError, sqlite3.Error) as error:
            raise FeatureError(
                f"the online store cannot be read: {type(error).__name__}",
                hint="check FINML_REDIS_URL, or fill the store: finml run features",
            ) from error
        return proto.metadata.feature_names.val, proto.results

    def _row(self, values: dict[str, FeatureValue], seconds: list[int], clock: float) -> FeatureRow:
        # both stores answer 1970 for a user they do not know
        timestamps = {
            view.name: datetime.fromtimestamp(at, UTC) if at else None
            for view, at in zip(self._stored, seconds, strict=True)
        }
        status: Status = "fresh"
        if not all(seconds):
            status = "missing"
        elif any(
            clock - at > view.ttl.total_seconds() for view, at in zip(self._stored, seconds, strict=True)
        ):
            status = "stale"
        return FeatureRow(values, timestamps, status)


def _number(value: float | None) -> float:
    return MISSING if value is None else float(value)


def _value(value: "Value") -> FeatureValue:
    kind = value.WhichOneof("val")
    if kind == "string_val":
        return str(value.string_val)
    # An unset value reads as 0.0, and a ratio that cannot be said is NaN.
    if kind is None or math.isnan(value.double_val):
        return None
    return float(value.double_val)
