"""Writing a ledger as a SQLite database file."""

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING
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
from finml.ledger.statements import Fragment, create_table, statement
from finml.ledger.urls import LedgerUrl
from finml.ledger.writer import LedgerWriter

if TYPE_CHECKING:
    import pyarrow as pa


class SQLiteWriter(LedgerWriter):
    """Writes into a file beside the target and renames it at the end."""

    def __init__(self, target: LedgerUrl, origin: str, *, replace: bool) -> None:
        super().__init__(target.public, origin, replace=replace)
        self._path = target.path.resolve()
        self._staging = self._path.with_name(f".{self._path.name}.{uuid4().hex[:8]}.new")

    def _begin(self) -> None:
        self._inspect()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._staging, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise SourceError(
                f"{self.place} cannot be written: {error}", hint="check the folder's permissions"
            ) from error
        # nobody reads this file before it is complete, and a failed write throws it away
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("BEGIN")
        for contract in CONTRACTS.values():
            self._connection.execute(create_table(contract, "CREATE TABLE"))

    def _inspect(self) -> None:
        """Refuse what must stay. Closing the old file also folds a left-over log into it."""
        if not self._path.exists():
            return
        try:
            with closing(sqlite3.connect(self._path)) as old:
                names = {
                    row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type <> 'index'")
                }
                row = old.execute(READ_MARKER).fetchone() if MARKER_TABLE in names else None
        except sqlite3.Error as error:
            raise SourceError(
                f"{self.place} is not a SQLite database: {error}", hint="name another file"
            ) from error
        origin = Origin.from_json(row[0]) if row else None
        check_replaceable(self.place, names - {MARKER_TABLE}, origin, own=TABLES, replace=self.replace)
        if self._path.with_name(self._path.name + "-wal").exists():
            raise SourceError(f"{self.place} is in use", hint="close the program that has it open")

    def _append(self, table: str, rows: "pa.Table") -> None:
        import pyarrow as pa

        columns = [
            column.cast(pa.string()) if pa.types.is_timestamp(column.type) else column
            for column in rows.columns
        ]
        marks = Fragment(", ".join("?" * len(columns)))
        self._connection.executemany(
            statement("INSERT INTO {table} VALUES ({marks})", table=table, marks=marks),
            zip(*(column.to_pylist() for column in columns), strict=True),
        )

    def _publish(self) -> None:
        try:
            for contract in CONTRACTS.values():
                table, key = contract.name, contract.primary_key
                names = {
                    "table": table,
                    "key": key,
                    "by_key": f"{table}_key",
                    "by_time": f"{table}_updated_at",
                }
                for index in (
                    "UNIQUE INDEX {by_key} ON {table} ({key})",
                    "INDEX {by_time} ON {table} (updated_at)",
                ):
                    self._connection.execute(statement("CREATE " + index, **names))
            self._connection.execute(CREATE_MARKER)
            self._connection.execute(WRITE_MARKER, [self.origin.to_json()])
            self._connection.execute("COMMIT")
            self._connection.close()
            self._staging.replace(self._path)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(
                f"{self.place} cannot be written: {error}",
                hint="rows that share a key cannot be written; otherwise check disk and permissions",
            ) from error

    def _discard(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()
        self._staging.unlink(missing_ok=True)
