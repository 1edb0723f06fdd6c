"""Writing a ledger: streaming, all or nothing, into any kind of ledger that finml reads.

    with open_writer(url, origin="synthetic", replace=True) as writer:
        writer.write("users", frame)

The ledger appears, complete, when the block ends; when it is left by an exception, or the process dies, the
ledger is what it was before.
"""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from finml.errors import ContractError, UsageError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.origin import Origin
from finml.ledger.urls import parse_url

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

log = structlog.get_logger(__name__)

FLUSH_ROWS = 131_072
"""Rows that are gathered before they are written, so that many small writes cost no more than a few large."""


class LedgerWriter(ABC):
    """Writes one ledger. Made by `open_writer`, used as a context manager.

    Attributes:
        rows: rows written so far, by table.
        origin: the mark that the ledger will carry.
    """

    def __init__(self, place: str, origin: str, *, replace: bool) -> None:
        self.place = place
        self.origin = Origin.new(origin)
        self.replace = replace
        self.rows = dict.fromkeys(TABLES, 0)
        self._open = False
        self._pending: dict[str, list[pa.Table]] = {table: [] for table in TABLES}

    def write(self, table: str, rows: "pd.DataFrame | pa.Table") -> None:
        """Append rows to a table.

        Args:
            table: name of a ledger table.
            rows: DataFrame or `pyarrow.Table` with the contract's columns in any order. Columns that may be
                missing from a row may be missing altogether. Timestamps with an offset are turned into UTC.

        Raises:
            ContractError: a column is unknown, missing or of a type that does not fit.
            UsageError: the writer is not open, or there is no such table.
        """
        if not self._open:
            raise UsageError("the ledger writer is not open", hint="use it in a with block")
        if table not in CONTRACTS:
            raise UsageError(f"the ledger has no table {table!r}", hint=f"tables: {', '.join(TABLES)}")
        typed = typed_rows(table, rows)
        self.rows[table] += typed.num_rows
        self._pending[table].append(typed)
        if sum(chunk.num_rows for chunk in self._pending[table]) >= FLUSH_ROWS:
            self._flush(table)

    def _flush(self, table: str) -> None:
        import pyarrow as pa

        pending = [chunk for chunk in self._pending[table] if chunk.num_rows]
        self._pending[table].clear()
        if pending:
            self._append(table, pa.concat_tables(pending).combine_chunks())

    def __enter__(self) -> Self:
        self._begin()
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        if kind is not None:
            self._discard()
            return
        try:
            for table in TABLES:
                self._flush(table)
            self._publish()
        except BaseException:
            self._discard()
            raise
        log.info("ledger_written", ledger=self.place, origin=self.origin.origin, rows=sum(self.rows.values()))

    @abstractmethod
    def _begin(self) -> None:
        """Check that the ledger may be written, and make room beside it."""

    @abstractmethod
    def _append(self, table: str, rows: "pa.Table") -> None:
        """Append typed rows to the ledger in the making."""

    @abstractmethod
    def _publish(self) -> None:
        """Put the ledger in the making in the place of the old one, at once."""

    @abstractmethod
    def _discard(self) -> None:
        """Remove the ledger in the making. Must not raise for what is already gone."""


def open_writer(url: str, origin: str, replace: bool = False) -> LedgerWriter:
    """A writer for the ledger at `url`. Nothing is touched before its `with` block begins.

    Args:
        url: PostgreSQL, SQLite or DuckDB URL, or a folder that will hold one Parquet file a table.
        origin: what writes the ledger, such as `synthetic`; readers find it in the ledger's mark.
        replace: replace a ledger that finml wrote before. One that finml did not write is refused either way.

    Raises:
        SourceError: the URL names no kind of ledger; on entering the block: the ledger must not be replaced
            or cannot be reached.
    """
    target = parse_url(url)
    match target.kind:
        case "folder":
            from finml.ledger.writers.folder import FolderWriter

            return FolderWriter(target, origin, replace=replace)
        case "duckdb":
            from finml.ledger.writers.duckdb import DuckDBWriter

            return DuckDBWriter(target, origin, replace=replace)
        case "sqlite":
            from finml.ledger.writers.sqlite import SQLiteWriter

            return SQLiteWriter(target, origin, replace=replace)
        case "postgresql":
            from finml.ledger.writers.postgresql import PostgreSQLWriter

            return PostgreSQLWriter(target, origin, replace=replace)


def typed_rows(table: str, rows: "pd.DataFrame | pa.Table") -> "pa.Table":
    """Rows as an Arrow table of exactly the contract's schema.

    Raises:
        ContractError: a column is unknown, missing or of a type that does not fit; names each of them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    contract = CONTRACTS[table]
    if not isinstance(rows, pa.Table):
        rows = pa.Table.from_pandas(rows, preserve_index=False)
    problems = [f"{name}: no such column" for name in rows.column_names if name not in contract.column_names]
    columns = []
    for column in contract.columns:
        if column.name not in rows.column_names:
            if not column.nullable:
                problems.append(f"{column.name}: missing")
            columns.append(pa.nulls(rows.num_rows, column.arrow_type))
            continue
        values = rows.column(column.name)
        if pa.types.is_timestamp(values.type) and values.type.tz:
            # the values are UTC already; the cast only drops the zone's name
            values = values.cast(pa.timestamp(values.type.unit, "UTC")).cast(pa.timestamp(values.type.unit))
        if pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), None, values)
        try:
            columns.append(values.cast(column.arrow_type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            problems.append(f"{column.name}: {values.type} does not fit {column.arrow_type}")
    if problems:
        raise ContractError(
            f"rows for {table} do not fit its contract: {'; '.join(problems)}",
            hint="see finml/ledger/contracts.py for the columns and their types",
        )
    return pa.table(columns, schema=contract.arrow_schema)
