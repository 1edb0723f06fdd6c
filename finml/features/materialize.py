"""From the offline store to the online store, and how fresh each view is.

The ledger's present is the last snapshot and holds every user, so that one snapshot is all that is ever
copied: each user's latest row, whatever was added further back. A view whose snapshot is online already is
left alone. A run that was killed is run again; what it had written is written again, with the same values.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from finml.errors import FeatureError
from finml.features.declarations import STORED_VIEWS, View
from finml.features.offline import Manifest, OfflineStore, Part
from finml.features.store import FeatureRepo, apply, changing, feature_store, quiet
from finml.settings import Settings
from finml.urls import public_url

if TYPE_CHECKING:
    from feast import FeatureStore

log = structlog.get_logger(__name__)

STATE = "materialized.json"


class Materialized(BaseModel):
    """What of a view is online: which snapshot, from when, and since when."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    event_timestamp: datetime
    at: datetime


class ViewFreshness(BaseModel):
    """How fresh one view is.

    Attributes:
        offline: time of the latest snapshot in the offline store (UTC).
        online: time of the snapshot in the online store (UTC), `None` if there is none.
        materialized_at: when it was put there.
        age_days: days from `online` to now.
        status: `fresh`; `stale`, older than the view's time to live; `behind`, the offline store has a newer
            one; `missing`, nothing is online.
    """

    model_config = ConfigDict(frozen=True)

    view: str
    offline: datetime
    online: datetime | None
    materialized_at: datetime | None
    age_days: float | None
    ttl_days: float
    status: Literal["fresh", "stale", "behind", "missing"]


class FreshnessReport(BaseModel):
    """Freshness of every stored view.

    Attributes:
        written: views that this run copied to the online store.
    """

    model_config = ConfigDict(frozen=True)

    views: tuple[ViewFreshness, ...]
    written: tuple[str, ...] = ()

    def to_markdown(self) -> str:
        """The report for a pipeline's page."""
        lines = ["| view | offline until | online until | age, days | status |", "|---|---|---|---|---|"]
        for view in self.views:
            online = "" if view.online is None else f"{view.online:%Y-%m-%d %H:%M}"
            age = "" if view.age_days is None else f"{view.age_days:.1f}"
            lines.append(
                f"| {view.view} | {view.offline:%Y-%m-%d %H:%M} | {online} | {age} | {view.status} |"
            )
        return "\n".join(lines) + "\n"


class _State(BaseModel):
    """What is in which online store. A state of another store says nothing of this one."""

    online_store: str
    views: dict[str, Materialized] = {}


def materialize(settings: Settings, repo: FeatureRepo, *, full: bool = False) -> FreshnessReport:
    """Register the repository's objects and copy each view's latest snapshot to the online store.

    Args:
        settings: say where the stores are.
        repo: what `feature_repo` declares.
        full: empty the online store first, also when nothing has changed.

    Returns:
        The freshness of each view and which were written.

    Raises:
        FeatureError: nothing has been built, or the online store cannot be reached.
    """
    manifest = OfflineStore(settings.workspace.features).require()
    latest = manifest.latest
    written = []
    with _reaching(settings):
        apply(settings, repo)
        with changing(settings):
            store = feature_store(settings, repo)
            state = _state(settings)
            # A present that lies before what is online belongs to a ledger that took the place of another.
            if full or any(done.event_timestamp > latest.last for done in state.views.values()):
                _empty(store)
                state = _State(online_store=state.online_store)
            for view in STORED_VIEWS:
                done = state.views.get(view.name)
                if (
                    done
                    and done.fingerprint == latest.fingerprint
                    and _is_online(settings, store, view, latest)
                ):
                    continue
                moment = latest.last.replace(tzinfo=UTC)
                with quiet():
                    store.materialize(moment, moment, feature_views=[view.name])
                state.views[view.name] = Materialized(
                    fingerprint=latest.fingerprint, event_timestamp=latest.last, at=datetime.now(UTC)
                )
                _save(settings, state)
                written.append(view.name)
                log.info("view_materialized", view=view.name, rows=latest.rows, until=str(latest.last))
    return _report(manifest, state, tuple(written))


def freshness(settings: Settings) -> FreshnessReport:
    """How fresh each view is. Reads files only.

    Raises:
        FeatureError: nothing has been built.
    """
    return _report(OfflineStore(settings.workspace.features).require(), _state(settings))


def _report(manifest: Manifest, state: _State, written: tuple[str, ...] = ()) -> FreshnessReport:
    now = datetime.now(UTC)
    views = []
    for view in STORED_VIEWS:
        done = state.views.get(view.name)
        online = done.event_timestamp.replace(tzinfo=UTC) if done else None
        age = now - online if online else None
        views.append(
            ViewFreshness(
                view=view.name,
                offline=manifest.now.replace(tzinfo=UTC),
                online=online,
                materialized_at=done.at if done else None,
                age_days=age / timedelta(days=1) if age is not None else None,
                ttl_days=view.ttl / timedelta(days=1),
                status=_status(done, manifest, age, view.ttl),
            )
        )
    return FreshnessReport(views=tuple(views), written=written)


def _status(
    done: Materialized | None, manifest: Manifest, age: timedelta | None, ttl: timedelta
) -> Literal["fresh", "stale", "behind", "missing"]:
    if done is None or age is None:
        return "missing"
    if done.fingerprint != manifest.latest.fingerprint:
        return "behind"
    return "stale" if age > ttl else "fresh"


def _is_online(settings: Settings, store: "FeatureStore", view: View, part: Part) -> bool:
    """Whether the online store holds the part's first user: it may have been emptied behind our back."""
    import pyarrow.parquet as pq

    path = OfflineStore(settings.workspace.features).view(view.name) / f"{part.name}.parquet"
    first = next(pq.ParquetFile(path).iter_batches(batch_size=1, columns=["user_id"]), None)
    if first is None:
        return True
    asked = f"{view.name}:{view.feature_names[0]}"
    answer = store.get_online_features([asked], [{"user_id": first["user_id"][0].as_py()}]).proto
    seconds = answer.results[-1].event_timestamps[0].seconds
    return bool(seconds == part.last.replace(tzinfo=UTC).timestamp())


def _empty(store: "FeatureStore") -> None:
    """Remove this project's rows from the online store and make its tables anew."""
    views, entities = store.list_batch_feature_views(), store.list_entities()
    with quiet():
        store.provider.teardown_infra(store.project, views, entities)
        store.provider.update_infra(store.project, [], views, [], entities, partial=False)


def _state_file(settings: Settings) -> Path:
    return settings.workspace.feast / STATE


def _state(settings: Settings) -> _State:
    where = public_url(settings.redis_url) if settings.redis_url else "sqlite"
    try:
        state = _State.model_validate_json(_state_file(settings).read_bytes())
    except (FileNotFoundError, ValidationError):
        return _State(online_store=where)
    return state if state.online_store == where else _State(online_store=where)


def _save(settings: Settings, state: _State) -> None:
    path = _state_file(settings)
    beside = path.with_name(f".{path.name}")
    beside.write_text(state.model_dump_json(indent=1), encoding="utf-8")
    beside.replace(path)


@contextmanager
def _reaching(settings: Settings) -> Iterator[None]:
    """Say in plain words that the online store cannot be reached."""
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        raise FeatureError(
            f"Redis at {public_url(settings.redis_url)} cannot be used: {type(error).__name__}",
            hint="check FINML_REDIS_URL and that the server runs, or unset it for SQLite",
        ) from error
    except sqlite3.Error as error:
        raise FeatureError(
            f"the online store in {settings.workspace.feast} cannot be used: {error}",
            hint=f"remove {settings.workspace.feast} and run: finml run features",
        ) from error
