"""Writing a ledger into a PostgreSQL database.

All is one transaction: tables are filled under names of their own and take the place of the old ones at its
end, so readers see the old ledger until the new one is complete, and a dead process leaves nothing behind.
"""

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from finml.errors import LedgerError, SourceError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.origin import MARKER_TABLE, Origin, check_replaceable
from finml.ledger.redaction import redacted
from finml.ledger.urls import LedgerUrl
from finml.ledger.writer import LedgerWriter

if TYPE_CHECKING:
    import pyarrow as pa

_NEW = "finml_new_"
_TABLES_HERE = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY(%s)"


class PostgreSQLWriter(LedgerWriter):
    """Copies rows into new tables and renames them at the end, in one transaction."""

    def __init__(self, target: LedgerUrl, origin: str, *, replace: bool) -> None:
        super().__init__(target.public, origin, replace=replace)
        self._dsn = target.dsn
        self._connection: Any = None

    def _begin(self) -> None:
        import psycopg
        from psycopg import sql

        try:
            self._connection = psycopg.connect(self._dsn, connect_timeout=10)
        except psycopg.Error as error:
            raise SourceError(
                f"{self.place} cannot be reached: {redacted(error, self._dsn)}",
                hint="check that the server runs, and host, port, user, password and database of the URL",
            ) from None
        try:
            self._inspect()
            for contract in CONTRACTS.values():
                columns = sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type))
                    for column in contract.columns
                )
                self._execute("CREATE TABLE {} ({})", _new(contract.name), columns)
        except psycopg.Error as error:
            self._discard()
            raise SourceError(
                f"{self.place} cannot be written: {redacted(error, self._dsn)}",
                hint="the URL's user must be allowed to create tables",
            ) from None
        except SourceError:
            self._discard()
            raise

    def _inspect(self) -> None:
        found = self._connection.execute(_TABLES_HERE, [[*TABLES, MARKER_TABLE]]).fetchall()
        names = {row[0] for row in found}
        origin = None
        if MARKER_TABLE in names:
            row = self._execute("SELECT mark FROM {}", MARKER_TABLE).fetchone()
            origin = Origin.from_json(row[0]) if row else None
        check_replaceable(self.place, names - {MARKER_TABLE}, origin, own=TABLES, replace=self.replace)

    def _append(self, table: str, rows: "pa.Table") -> None:
        import psycopg
        import pyarrow.csv
        from psycopg import sql

        # Arrow quotes an empty string and leaves a missing one bare, which is how COPY tells them apart
        buffer = io.BytesIO()
        pyarrow.csv.write_csv(rows, buffer, pyarrow.csv.WriteOptions(include_header=False))
        statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(_new(table)))
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(buffer.getbuffer())
        except psycopg.Error as error:
            raise LedgerError(
                f"{table} cannot be written to {self.place}: {redacted(error, self._dsn)}",
                hint="see the server's log",
            ) from None

    def _publish(self) -> None:
        import psycopg

        try:
            for contract in CONTRACTS.values():
                self._execute("DROP TABLE IF EXISTS {}", contract.name)
                self._execute("ALTER TABLE {} RENAME TO {}", _new(contract.name), contract.name)
                self._execute("ALTER TABLE {} ADD PRIMARY KEY ({})", contract.name, contract.primary_key)
                self._execute("CREATE INDEX ON {} ({})", contract.name, "updated_at")
            self._execute("DROP TABLE IF EXISTS {}", MARKER_TABLE)
            self._execute("CREATE TABLE {} (mark text)", MARKER_TABLE)
            self._execute("INSERT INTO {} VALUES (%s)", MARKER_TABLE, values=[self.origin.to_json()])
            self._connection.commit()
            self._connection.close()
        except psycopg.Error as error:
            raise LedgerError(
                f"{self.place} cannot be written: {redacted(error, self._dsn)}",
                hint="rows that share a key cannot be written; otherwise see the server's log",
            ) from None

    def _discard(self) -> None:
        import psycopg

        with suppress(psycopg.Error):
            self._connection.rollback()
            self._connection.close()

    def _execute(self, statement: str, *names: Any, values: list[str] | None = None) -> Any:  # noqa: ANN401 - str or Composable
        """Run a statement whose `{}` are filled with quoted identifiers."""
        from psycopg import sql

        parts = [sql.Identifier(name) if isinstance(name, str) else name for name in names]
        return self._connection.execute(sql.SQL(statement).format(*parts), values)


def _new(table: str) -> str:
    return _NEW + table
