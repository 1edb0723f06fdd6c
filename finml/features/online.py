"""Reading features for requests: one call a batch, with the time each answer is from.

Used where models are served. Imports Feast, and neither Ibis nor DuckDB. What is read, how keys are made and
how values are kept is Feast's. Only the way through it is shorter than `get_online_features`: the service's
views are resolved once, not for each request, and no response of protocol buffers is built to be taken apart.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from finml.errors import FeatureError
from finml.features.declarations import View, request_fields, service_views
from finml.features.request_time import COMPUTED
from finml.features.request_time import INPUTS as COMPUTED_FROM

if TYPE_CHECKING:
    from feast import FeatureStore

Status = Literal["fresh", "stale", "missing"]
FeatureValue = float | str | None
"""A number, a text, or nothing where it cannot be said."""


class ViewReader(Protocol):
    """What an online store reads views by; see `view_reader` of `redis_store` and `sqlite_store`."""

    def read(self, entity_keys: Sequence[Any]) -> Sequence[Sequence[tuple[int, Sequence[bytes | None]]]]:
        """The views of each entity: seconds since 1970, 0 for no row, and its serialized values."""
        ...


@dataclass(frozen=True, slots=True)
class StoredRow:
    """What the store holds of one user, in little memory, to be kept.

    Attributes:
        numbers: the stored numbers in the order of `OnlineFeatures`; NaN where there is none.
        texts: the stored texts.
        seconds: moment that each stored view describes, seconds since 1970; 0 where it has no row.
    """

    numbers: "array[float]"
    texts: tuple[str | None, ...]
    seconds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """Features of one request.

    Attributes:
        values: every feature of the service by name, a number or a text; `None` where it cannot be said.
        timestamps: moment that the features of each of its stored views describe; `None` where a view has
            no row of the user.
        status: `fresh`; `stale`, a view is older than its time to live, or the store could not be asked;
            `missing`, a view has no row.
        degraded: whether the store could not be asked, so that these are features read before.
    """

    values: dict[str, FeatureValue]
    timestamps: dict[str, datetime | None]
    status: Status
    degraded: bool = False

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
        """Resolve the service in the registry, once. Connects to nothing.

        Raises:
            FeatureError: no such service is registered.
        """
        from feast.protos.feast.types.EntityKey_pb2 import EntityKey
        from feast.protos.feast.types.Value_pb2 import Value

        from finml.features import values
        from finml.features.store import service

        registered = {projection.name for projection in service(store, service_name).feature_view_projections}
        views = service_views(service_name)
        if absent := [view.name for view in views if view.name not in registered]:
            raise FeatureError(
                f"{service_name} is registered without {', '.join(absent)}", hint="run: finml run features"
            )
        self._key_of, self._value_of, self._decoder = EntityKey, Value, values
        self._fields = request_fields(service_name)
        self._stored = [view for view in views if view.computed == "stored"]
        self._computed = [view for view in views if view.computed == "on_demand"]
        self._number_names = tuple(f.name for v in self._stored for f in v.features if not f.is_text)
        self._text_names = tuple(f.name for v in self._stored for f in v.features if f.is_text)
        self._numbers_at = [[i for i, f in enumerate(v.features) if not f.is_text] for v in self._stored]
        self._texts_at = [[i for i, f in enumerate(v.features) if f.is_text] for v in self._stored]
        self._ttls = [view.ttl.total_seconds() for view in self._stored]
        self._reader: ViewReader = store.provider.online_store.view_reader(
            store.config,
            [(store.get_feature_view(view.name), view.feature_names) for view in self._stored],
        )

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
        stored = self.stored(list(dict.fromkeys(user_ids)))
        return self.rows([stored[user] for user in user_ids], request_rows, now=now)

    def stored(self, user_ids: Sequence[str]) -> dict[str, StoredRow]:
        """What the store holds of each user, one that it does not know included.

        Raises:
            FeatureError: the online store cannot be read; its cause is the store's own error.
        """
        import sqlite3

        from redis.exceptions import RedisError

        keys = [
            self._key_of(join_keys=["user_id"], entity_values=[self._value_of(string_val=user)])
            for user in user_ids
        ]
        try:
            found = self._reader.read(keys)
        except (RedisError, sqlite3.Error) as error:
            raise FeatureError(
                f"the online store cannot be read: {type(error).__name__}",
                hint="check FINML_REDIS_URL, or fill the store: finml run features",
            ) from error
        return {user: self._stored_row(views) for user, views in zip(user_ids, found, strict=True)}

    def rows(
        self,
        stored: Sequence[StoredRow],
        request_rows: Sequence[Mapping[str, float | None]] | None = None,
        *,
        now: datetime | None = None,
        degraded: Sequence[bool] | None = None,
    ) -> list[FeatureRow]:
        """Features of a batch from what was stored of each request's user; asks nobody.

        Args:
            stored: of each request's user, see `stored`.
            request_rows: as for `read`.
            now: as for `read`.
            degraded: whether each is what was read before because the store could not be asked; none is when
                `None`.

        Raises:
            ValueError: the sequences differ in length.
        """
        asked = request_rows if request_rows is not None else [{}] * len(stored)
        if len(asked) != len(stored):
            raise ValueError(f"{len(stored)} users but {len(asked)} requests")
        clock = (now or datetime.now(UTC)).timestamp()
        marks = degraded if degraded is not None else [False] * len(stored)
        return [
            self._row(row, told, clock, degraded=mark)
            for row, told, mark in zip(stored, asked, marks, strict=True)
        ]

    def _stored_row(self, views: Sequence[tuple[int, Sequence[bytes | None]]]) -> StoredRow:
        numbers: array[float] = array("d")
        texts: list[str | None] = []
        for (_, values), numbers_at, texts_at in zip(views, self._numbers_at, self._texts_at, strict=True):
            if len(numbers_at) == len(values):
                numbers += self._decoder.numbers(values)
                continue
            numbers += self._decoder.numbers([values[place] for place in numbers_at])
            texts += [self._decoder.text(values[place]) for place in texts_at]
        return StoredRow(numbers, tuple(texts), tuple(seconds for seconds, _ in views))

    def _row(
        self, stored: StoredRow, asked: Mapping[str, float | None], clock: float, *, degraded: bool
    ) -> FeatureRow:
        values: dict[str, FeatureValue] = {
            # NaN alone differs from itself
            name: value if value == value else None  # noqa: PLR0124
            for name, value in zip(self._number_names, stored.numbers, strict=True)
        }
        values.update(zip(self._text_names, stored.texts, strict=True))
        for view in self._computed:
            values |= self._compute(view, values, asked)
        status: Status = "fresh"
        if not all(stored.seconds):
            status = "missing"
        elif degraded or any(clock - at > ttl for at, ttl in zip(stored.seconds, self._ttls, strict=True)):
            status = "stale"
        timestamps = {
            view.name: datetime.fromtimestamp(at, UTC) if at else None
            for view, at in zip(self._stored, stored.seconds, strict=True)
        }
        return FeatureRow(values, timestamps, status, degraded)

    def _compute(
        self, view: View, stored: Mapping[str, FeatureValue], asked: Mapping[str, float | None]
    ) -> dict[str, FeatureValue]:
        inputs: dict[str, Any] = {
            name: [asked.get(name) if name in self._fields else stored[name]] for name in COMPUTED_FROM
        }
        found = COMPUTED[view.name](inputs)
        return {name: value if value == value else None for name, (value,) in found.items()}  # noqa: PLR0124
