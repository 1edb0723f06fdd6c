"""Feast's SQLite online store, with times that mean the same in every time zone.

Feast's own writes a UTC time as if it were local and reads it back the same way: a store that was written in
Kolkata tells a reader in UTC times that are five and a half hours off, and an hour that a change to summer
time skips cannot be kept at all. Here times are seconds since 1970 in UTC. The tables are Feast's own.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.sqlite import SqliteOnlineStore as FeastSqliteOnlineStore
from feast.infra.online_stores.sqlite import SqliteOnlineStoreConfig as FeastSqliteOnlineStoreConfig
from feast.infra.online_stores.sqlite import _table_id
from feast.protos.feast.types.Value_pb2 import Value
from pydantic import PositiveFloat, StrictStr

from finml.features.values import Stored

if TYPE_CHECKING:
    from feast import FeatureView, RepoConfig

EntityKeys = Sequence[Any]
Row = tuple[Any, dict[str, Any], datetime, datetime | None]


class SqliteOnlineStoreConfig(FeastSqliteOnlineStoreConfig):  # type: ignore[misc] # Feast is not typed
    """Settings of the store.

    Attributes:
        path: the database file.
        timeout_s: most seconds that a reader waits for a writer.
    """

    type: StrictStr = "finml.features.sqlite_store.SqliteOnlineStore"
    timeout_s: PositiveFloat = 5.0


class SqliteOnlineStore(FeastSqliteOnlineStore):  # type: ignore[misc] # Feast is not typed
    """Reads and writes the tables of Feast's store."""

    # Feast would find out by importing every online store it has.
    _versioned_read_supported = True

    def online_write_batch(
        self,
        config: "RepoConfig",
        table: "FeatureView",
        data: Sequence[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write a batch in one transaction; readers see all of it or nothing."""
        version = config.entity_key_serialization_version
        rows = (
            (key, name, value.SerializeToString(), _epoch(event), created and _epoch(created))
            for key, values, event, created in (
                (serialize_entity_key(entity, entity_key_serialization_version=version), *rest)
                for entity, *rest in data
            )
            for name, value in values.items()
        )
        connection: sqlite3.Connection = self._get_conn(config)
        with connection:
            connection.executemany(
                f"INSERT INTO {_quoted(config, table)} "  # noqa: S608  # nosec B608  # the name is made and quoted by Feast's rule
                "(entity_key, feature_name, value, event_ts, created_ts) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT(entity_key, feature_name) DO UPDATE SET value = excluded.value, "
                "event_ts = excluded.event_ts, created_ts = excluded.created_ts",
                rows,
            )
        if progress:
            progress(len(data))

    def online_read(
        self,
        config: "RepoConfig",
        table: "FeatureView",
        entity_keys: EntityKeys,
        requested_features: list[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, Any] | None]]:
        """Features of each entity, in order, and the time they are from; twice `None` for an unknown one."""
        version = config.entity_key_serialization_version
        keys = [serialize_entity_key(e, entity_key_serialization_version=version) for e in entity_keys]
        rows = self._get_conn(config).execute(
            # The cast keeps sqlite3 from turning the seconds into local time.
            "SELECT entity_key, feature_name, value, CAST(event_ts AS INTEGER) "  # noqa: S608  # nosec B608  # as above
            f"FROM {_quoted(config, table)} WHERE entity_key IN ({','.join('?' * len(keys))})",
            keys,
        )
        found: dict[bytes, tuple[datetime, dict[str, Any]]] = {}
        for key, name, value, seconds in rows:
            if key not in found:
                found[key] = (datetime.fromtimestamp(seconds, UTC), {})
            found[key][1][name] = Value.FromString(value)
        return [found.get(key, (None, None)) for key in keys]

    def view_reader(
        self, config: "RepoConfig", views: Sequence[tuple["FeatureView", Sequence[str]]]
    ) -> "ViewReader":
        """A reader of some features of some views; see `finml.features.online.ViewReader`."""
        return ViewReader(self, config, views)

    def _get_conn(self, config: "RepoConfig") -> sqlite3.Connection:
        if not self._conn:
            connection: sqlite3.Connection = super()._get_conn(config)
            connection.execute(f"PRAGMA busy_timeout = {int(config.online_store.timeout_s * 1000)}")
            return connection
        opened: sqlite3.Connection = self._conn
        return opened


class ViewReader:
    """Reads views by a query each."""

    def __init__(
        self,
        store: SqliteOnlineStore,
        config: "RepoConfig",
        views: Sequence[tuple["FeatureView", Sequence[str]]],
    ) -> None:
        self._store, self._config = store, config
        self._views = [
            (_quoted(config, view), {name: place for place, name in enumerate(names)})
            for view, names in views
        ]

    def read(self, entity_keys: EntityKeys) -> list[list[tuple[int, Sequence[Stored]]]]:
        """The views of each entity: seconds since 1970, 0 for no row, and its serialized values."""
        version = self._config.entity_key_serialization_version
        keys = [serialize_entity_key(e, entity_key_serialization_version=version) for e in entity_keys]
        views = [self._view(table, places, keys) for table, places in self._views]
        return [list(row) for row in zip(*views, strict=True)]

    def _view(
        self, table: str, places: dict[str, int], keys: Sequence[bytes]
    ) -> list[tuple[int, Sequence[Stored]]]:
        rows = self._store._get_conn(self._config).execute(
            # The cast keeps sqlite3 from turning the seconds into local time.
            "SELECT entity_key, feature_name, value, CAST(event_ts AS INTEGER) "  # noqa: S608  # nosec B608  # made by Feast's rule
            f"FROM {table} WHERE entity_key IN ({','.join('?' * len(keys))})",
            keys,
        )
        found: dict[bytes, tuple[int, list[Stored]]] = {}
        unknown: list[Stored] = [None] * len(places)
        for key, name, value, seconds in rows:
            row = found.get(key)
            if row is None:
                row = found[key] = (seconds, unknown.copy())
            place = places.get(name)
            if place is not None:
                row[1][place] = value
        return [found.get(key) or (0, unknown) for key in keys]


def _epoch(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _quoted(config: "RepoConfig", table: "FeatureView") -> str:
    name: str = _table_id(config.project, table, config.registry.enable_online_feature_view_versioning)
    return '"' + name.replace('"', '""') + '"'
