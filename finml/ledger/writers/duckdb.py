"""Writing a ledger as a DuckDB database file."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from finml.errors import LedgerError, SourceError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.origin import (
    CREATE_MARKER,
    MARKER_TABLE,
    READ_MARKER,
    WRITE_MARKER,
    Origin,
    check_replaceable,
)
from finml.ledger.statements import create_table, statement
from finml.ledger.urls import LedgerUrl
from finml.ledger.writer import LedgerWriter

if TYPE_CHECKING:
    import pyarrow as pa


class DuckDBWriter(LedgerWriter):
    """Writes into a file beside the target and renames it at the end."""

    def __init__(self, target: LedgerUrl, origin: str, *, replace: bool) -> None:
        super().__init__(target.public, origin, replace=replace)
        self._path = target.path.resolve()
        self._staging = self._path.with_name(f".{self._path.name}.{uuid4().hex[:8]}.new")
        self._connection: Any = None

    def _begin(self) -> None:
        import duckdb

        self._inspect()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = duckdb.connect(self._staging)
        except (OSError, duckdb.Error) as error:
            raise SourceError(
                f"{self.place} cannot be written: {error}", hint="check the folder's permissions"
            ) from error
        for contract in CONTRACTS.values():
            self._connection.execute(create_table(contract, "CREATE TABLE"))

    def _inspect(self) -> None:
        """Refuse what must stay. Opening for writing also folds a left-over log into the old file."""
        import duckdb

        if not self._path.exists():
            return
        try:
            with duckdb.connect(self._path) as old:
                names = [row[0] for row in old.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
                marked = MARKER_TABLE in names
                row = old.execute(READ_MARKER).fetchone() if marked else None
        except duckdb.Error as error:
            raise SourceError(
                f"{self.place} cannot be opened for writing: {str(error).splitlines()[0]}",
                hint="close the program that has it open, or name another file",
            ) from error
        origin = Origin.from_json(row[0]) if row else None
        check_replaceable(self.place, set(names) - {MARKER_TABLE}, origin, own=TABLES, replace=self.replace)

    def _append(self, table: str, rows: "pa.Table") -> None:
        self._connection.register("incoming", rows)
        self._connection.execute(statement("INSERT INTO {table} SELECT * FROM incoming", table=table))
        self._connection.unregister("incoming")

    def _publish(self) -> None:
        import duckdb

        try:
            self._connection.execute(CREATE_MARKER)
            self._connection.execute(WRITE_MARKER, [self.origin.to_json()])
            self._connection.close()
            self._staging.replace(self._path)
        except (OSError, duckdb.Error) as error:
            raise LedgerError(
                f"{self.place} cannot be written: {str(error).splitlines()[0]}",
                hint="check disk and permissions",
            ) from error

    def _discard(self) -> None:
        with suppress(Exception):
            self._connection.close()
        self._staging.unlink(missing_ok=True)
        self._staging.with_name(self._staging.name + ".wal").unlink(missing_ok=True)
