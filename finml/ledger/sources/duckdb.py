"""Reading a ledger from a DuckDB database file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import override

from finml.errors import ContractError, SourceError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.origin import MARKER_TABLE, READ_MARKER, Origin
from finml.ledger.source import BATCH_ROWS, Header, LedgerSource, RawBatch
from finml.ledger.statements import listed, statement
from finml.ledger.urls import LedgerUrl

_COLUMNS = """
    SELECT table_name, column_name FROM duckdb_columns()
    WHERE schema_name = 'main' AND NOT internal AND database_name = current_database()
    ORDER BY table_name, column_index
"""


class DuckDBSource(LedgerSource):
    """Reads tables or views of the main schema, read-only."""

    def __init__(self, target: LedgerUrl) -> None:
        import duckdb

        self.place = target.public
        if not target.path.is_file():
            raise SourceError(f"{self.place} does not exist", hint="check the path in the ledger's URL")
        try:
            self._connection: Any = duckdb.connect(target.path, read_only=True)
            # a column with time zones is compared and converted in the session's zone
            self._connection.execute("SET TimeZone = 'UTC'")
            columns = self._connection.execute(_COLUMNS).fetchall()
        except duckdb.Error as error:
            raise SourceError(
                f"{self.place} cannot be opened: {str(error).splitlines()[0]}",
                hint="close the program that writes to it, and check that it is a DuckDB database",
            ) from error
        self._columns: dict[str, tuple[str, ...]] = {}
        for table, column in columns:
            self._columns[table] = (*self._columns.get(table, ()), column)
        if not any(table in self._columns for table in TABLES):
            self.close()
            raise SourceError(f"{self.place} holds no ledger table", hint=f"tables: {', '.join(TABLES)}")

    @override
    def headers(self, table: str) -> list[Header]:
        return [Header(table, self._columns[table])] if table in self._columns else []

    @override
    def strangers(self) -> list[str]:
        return sorted(set(self._columns) - {*TABLES, MARKER_TABLE})

    @override
    def generation(self) -> str | None:
        if MARKER_TABLE not in self._columns:
            return None
        row = self._connection.execute(READ_MARKER).fetchone()
        origin = Origin.from_json(row[0]) if row else None
        return origin.generation if origin else None

    @override
    def batches(
        self, table: str, since: datetime | None, batch_rows: int = BATCH_ROWS, keys: Sequence[str] = ()
    ) -> Iterator[RawBatch]:
        import duckdb
        import pyarrow as pa

        template, values = "SELECT {columns} FROM {table}", []
        if since is not None:
            template += """
                WHERE coalesce(TRY_CAST(updated_at AS TIMESTAMP) >= ?, true)
                OR CAST({key} AS VARCHAR) IN (SELECT unnest(CAST(? AS VARCHAR[])))
            """
            values = [since, list(keys)]
        columns = listed(self.wanted_columns(table, self._columns[table]))
        query = statement(template, columns=columns, table=table, key=CONTRACTS[table].primary_key)
        cursor = self._connection.cursor()
        try:
            for batch in cursor.execute(query, values).to_arrow_reader(batch_rows):
                yield RawBatch(pa.Table.from_batches([batch]))
        except (duckdb.Error, pa.ArrowException) as error:
            raise ContractError(
                f"{table} cannot be read from {self.place}: {str(error).splitlines()[0]}",
                hint="check the database file with DuckDB itself",
            ) from error
        finally:
            cursor.close()

    @override
    def close(self) -> None:
        self._connection.close()
