"""Reading a ledger from PostgreSQL or SQLite, through SQLAlchemy.

Values are bound, names are quoted, and rows are streamed by a server-side cursor. All tables are read in one
snapshot where the database has them, so a child never comes without its parent.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from typing_extensions import override

from finml.errors import SourceError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.origin import MARKER_TABLE, Origin
from finml.ledger.redaction import redacted
from finml.ledger.source import BATCH_ROWS, Header, LedgerSource, RawBatch
from finml.ledger.urls import LedgerUrl
from finml.resilience import CONNECT_ATTEMPTS, connect_retries

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa


class SqlSource(LedgerSource):
    """Reads tables or views of the connection's default schema in one read-only connection."""

    def __init__(self, target: LedgerUrl) -> None:
        import sqlalchemy as sa

        self.place = target.public
        self._dsn = target.dsn
        self._engine = _sqlite_engine(target) if target.kind == "sqlite" else _postgresql_engine(target)
        try:
            # a file that cannot be opened now cannot be in a second either
            attempts = 1 if target.kind == "sqlite" else CONNECT_ATTEMPTS
            tries = connect_retries(sa.exc.OperationalError, attempts=attempts)
            self._connection = tries(self._engine.connect)
            inspector = sa.inspect(self._connection)
            names = [*inspector.get_table_names(), *inspector.get_view_names()]
            self._columns = {
                table: {column["name"]: column["type"] for column in inspector.get_columns(table)}
                for table in TABLES
                if table in names
            }
            self._others = sorted(set(names) - {*TABLES, MARKER_TABLE})
            self._marked = MARKER_TABLE in names
        except sa.exc.SQLAlchemyError as error:
            self._engine.dispose()
            raise SourceError(
                f"{self.place} cannot be read: {redacted(error, self._dsn)}", hint=_REACH[target.kind]
            ) from None
        if not self._columns:
            self.close()
            raise SourceError(
                f"{self.place} holds no ledger table",
                hint=f"tables: {', '.join(TABLES)}; another schema than the default is set by search_path",
            )

    @override
    def headers(self, table: str) -> list[Header]:
        return [Header(table, tuple(self._columns[table]))] if table in self._columns else []

    @override
    def strangers(self) -> list[str]:
        return self._others

    @override
    def generation(self) -> str | None:
        import sqlalchemy as sa

        if not self._marked:
            return None
        marker = sa.table(MARKER_TABLE, sa.column("mark"))
        mark = self._connection.execute(sa.select(marker.c.mark)).scalar()
        origin = Origin.from_json(mark) if mark else None
        return origin.generation if origin else None

    @override
    def batches(
        self, table: str, since: datetime | None, batch_rows: int = BATCH_ROWS, keys: Sequence[str] = ()
    ) -> Iterator[RawBatch]:
        import sqlalchemy as sa

        names = self.wanted_columns(table, self._columns[table])
        # columns without a type come as the driver has them; a declared type would raise on a bad value
        source = sa.table(table, *(sa.column(name) for name in names))
        query = sa.select(*source.columns)
        if since is not None and (wanted := self._changed(table, source, since, keys)) is not None:
            query = query.where(wanted)
        options = {"stream_results": True, "yield_per": batch_rows}
        try:
            with self._connection.execute(query, execution_options=options) as result:
                for rows in result.partitions():
                    yield RawBatch(_to_arrow(names, rows))
        except sa.exc.SQLAlchemyError as error:
            raise SourceError(
                f"{table} cannot be read from {self.place}: {redacted(error, self._dsn)}",
                hint="nothing was changed; run the ingestion again once the database answers",
            ) from None

    def _changed(
        self, table: str, source: "sa.TableClause", since: datetime, keys: Sequence[str]
    ) -> "sa.ColumnElement[bool] | None":
        import sqlalchemy as sa

        changed, key = source.c.updated_at, sa.cast(source.c[CONTRACTS[table].primary_key], sa.Text)
        if self._engine.dialect.name == "sqlite":
            # SQLite keeps times as text of several shapes; this brings them, offsets included, into one
            moment: sa.ColumnElement[Any] = sa.func.strftime("%Y-%m-%d %H:%M:%f", changed)
            bound: Any = f"{since:%Y-%m-%d %H:%M:%S}.{since.microsecond // 1000:03d}"
            listed = sa.func.json_each(json.dumps(list(keys))).table_valued("value")
            wanted_key: sa.ColumnElement[bool] = key.in_(sa.select(listed.c.value))
        else:
            if not isinstance(self._columns[table]["updated_at"], (sa.DateTime, sa.Date)):
                return None
            moment, bound = changed, since
            wanted_key = key == sa.any_(sa.bindparam("keys", list(keys), type_=sa.ARRAY(sa.Text)))
        return sa.or_(moment >= bound, moment.is_(None), *([wanted_key] if keys else []))

    @override
    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


_REACH = {
    "postgresql": "check that the server runs, and host, port, user, password and database of the URL",
    "sqlite": "check the path in the ledger's URL, and that the file is a SQLite database",
}


def _postgresql_engine(target: LedgerUrl) -> "sa.Engine":
    import sqlalchemy as sa
    from psycopg.types.string import TextLoader

    try:
        engine = sa.create_engine(
            target.dsn.replace("postgresql", "postgresql+psycopg", 1),
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": 10},
        )
    except (sa.exc.SQLAlchemyError, ValueError) as error:
        raise SourceError(
            f"{target.public} is malformed: {redacted(error, target.dsn)}", hint=_REACH["postgresql"]
        ) from None

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:  # noqa: ANN401 - a driver's connection
        # times as text: PostgreSQL has values (infinity, years before 1) that Python's datetime has not
        for kind in ("date", "timestamp", "timestamptz"):
            connection.adapters.register_loader(kind, TextLoader)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET default_transaction_read_only = on")
        connection.commit()

    return engine


def _sqlite_engine(target: LedgerUrl) -> "sa.Engine":
    import sqlalchemy as sa

    location = f"file:{quote(str(target.path.resolve()))}?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(location, uri=True, check_same_thread=False)
        # SQLite keeps whatever bytes it is given as text
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        return connection

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)


def _to_arrow(names: list[str], rows: Sequence[Any]) -> "pa.Table":
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pa.table([_array(values) for values in columns], names=names)


def _array(values: Sequence[Any]) -> "pa.Array":
    """Values of a column, as text where they are of several types, which no array can hold."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a driver returns
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
