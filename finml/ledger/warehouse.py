"""The validated tables: one DuckDB database a ledger, with its quarantine and watermarks."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from finml.errors import LedgerError, UsageError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.folders import swap_folder
from finml.ledger.statements import Fragment, create_table, identifier, listed, quoted_path, statement
from finml.settings import Workspace

if TYPE_CHECKING:
    import duckdb
    import ibis
    import pandas as pd

log = structlog.get_logger(__name__)

_STATE = """
    CREATE SCHEMA IF NOT EXISTS state;
    CREATE TABLE IF NOT EXISTS state.watermarks (table_name TEXT, updated_at TIMESTAMP);
    CREATE TABLE IF NOT EXISTS state.source (generation TEXT, contracts TEXT);
    CREATE TABLE IF NOT EXISTS state.quarantine (
        table_name TEXT, row_key TEXT, reasons TEXT[], "row" TEXT, fingerprint TEXT, waiting BOOLEAN,
        ingestion_id TEXT, quarantined_at TIMESTAMP
    );
"""
_MISSING_VALUE = "\x1f"
"""Stands for a missing value in a hash; no validated text holds a control character."""


def connect(workspace: Workspace, read_only: bool = True) -> "ibis.BaseBackend":
    """Ibis connection to the validated tables. The caller closes it with `disconnect()`.

    Raises:
        LedgerError: nothing was ingested yet, or an ingestion is running.
    """
    import duckdb
    import ibis

    # what is missing or in use is said here, in finml's words
    with open_warehouse(workspace, read_only=True):
        pass
    try:
        return ibis.duckdb.connect(workspace.warehouse, read_only=read_only)
    except duckdb.Error as error:
        raise _unavailable(workspace, error) from error


def quarantine(workspace: Workspace, table: str | None = None) -> "pd.DataFrame":
    """Rows in quarantine.

    Args:
        workspace: the ledger's workspace.
        table: only rows of this table.

    Returns:
        One row a quarantined row: `table_name`, `row_key` (primary key as delivered, or missing), `reasons`
        (list of `column: words`), `row` (as delivered, JSON), `ingestion_id`, `quarantined_at` (UTC).

    Raises:
        LedgerError: nothing was ingested yet, or an ingestion is running.
        UsageError: there is no such table.
    """
    if table is not None and table not in CONTRACTS:
        raise UsageError(f"the ledger has no table {table!r}", hint=f"tables: {', '.join(TABLES)}")
    with open_warehouse(workspace, read_only=True) as connection:
        frame: pd.DataFrame = connection.execute(
            """
            SELECT table_name, row_key, reasons, "row", ingestion_id, quarantined_at FROM state.quarantine
            WHERE ? IS NULL OR table_name = ? ORDER BY quarantined_at, table_name, row_key, fingerprint
            """,
            [table, table],
        ).df()
    frame["reasons"] = [list(reasons) for reasons in frame["reasons"]]
    return frame


def export(workspace: Workspace, folder: Path, *, wait_s: float = 60.0) -> str:
    """Write all validated tables as `<table>.parquet` into `folder`, which is replaced as a whole.

    Tables without rows are written too, with their columns. Rows come in no particular order.

    Returns:
        The data hash; see `data_hash`.

    Raises:
        LedgerError: nothing was ingested yet, an ingestion did not end within `wait_s` seconds, or the
            folder holds other files.
    """
    import duckdb

    folder = folder.resolve()
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if foreign := names - {f"{table}.parquet" for table in TABLES}:
        raise LedgerError(
            f"{folder} holds files that no export wrote ({', '.join(sorted(foreign)[:5])})",
            hint="export into a folder of its own; it is replaced as a whole",
        )
    staging = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.new")
    with (
        alone(workspace, wait_s),
        open_warehouse(workspace, read_only=True) as connection,
    ):
        try:
            staging.mkdir(parents=True)
            for table in TABLES:
                copy = "COPY {table} TO {target} (FORMAT parquet, COMPRESSION zstd)"
                target = quoted_path(staging / f"{table}.parquet")
                connection.execute(statement(copy, table=table, target=target))
            digest = _hash(connection)
            swap_folder(staging, folder)
        except (OSError, duckdb.Error) as error:
            raise LedgerError(
                f"the tables cannot be exported to {folder}: {error}", hint="check disk and permissions"
            ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    log.info("tables_exported", folder=str(folder), data_hash=digest)
    return digest


def data_hash(workspace: Workspace) -> str:
    """Hash of the validated tables' contents: equal for equal contents, whatever the order of rows.

    Raises:
        LedgerError: nothing was ingested yet, or an ingestion is running.
    """
    with open_warehouse(workspace, read_only=True) as connection:
        return _hash(connection)


@contextmanager
def alone(workspace: Workspace, wait_s: float) -> Iterator[None]:
    """Nobody else changes the tables of this ledger meanwhile: one ingestion or export at a time.

    Raises:
        LedgerError: another one did not end within `wait_s` seconds.
    """
    import filelock

    workspace.root.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(workspace.root / "ingest.lock")
    try:
        lock.acquire(timeout=wait_s)
    except filelock.Timeout:
        raise LedgerError(
            f"another ingestion of this ledger is running, and did not end within {wait_s:g} s",
            hint="wait for it to end, then run this again",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_warehouse(workspace: Workspace, *, read_only: bool) -> "Iterator[duckdb.DuckDBPyConnection]":
    """DuckDB connection to the warehouse; made, with its tables, when it is opened for writing.

    Raises:
        LedgerError: another process has it open; or it was to be read and is missing, or has the shape of
            other contracts.
    """
    import duckdb

    if read_only and not workspace.warehouse.exists():
        raise _never_ingested()
    workspace.root.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(workspace.warehouse, read_only=read_only)
    except duckdb.Error as error:
        raise _unavailable(workspace, error) from error
    with connection:
        connection.execute("SET TimeZone = 'UTC'")
        # keeps the memory of large copies flat; no table has an order to keep
        connection.execute("SET preserve_insertion_order = false")
        if read_only:
            _check_readable(connection)
        if not read_only:
            connection.execute(_STATE)
            for contract in CONTRACTS.values():
                connection.execute(create_table(contract, "CREATE TABLE IF NOT EXISTS"))
        yield connection


def contracts_hash() -> str:
    """Changes whenever a contract's columns do, so that tables of an older shape are made anew."""
    columns = {name: [(c.name, c.kind) for c in contract.columns] for name, contract in CONTRACTS.items()}
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def _hash(connection: "duckdb.DuckDBPyConnection") -> str:
    # of DuckDB's hashes MD5 is the fastest that stays the same from version to version
    query = """
        SELECT count(*), coalesce(bit_xor(md5_number(concat_ws(chr(30), {values}))), 0) FROM {table}
    """
    figures: list[Any] = []
    for contract in CONTRACTS.values():
        missing = f"chr({ord(_MISSING_VALUE)})"
        values = ", ".join(
            f"coalesce(CAST({identifier(name)} AS TEXT), {missing})" for name in contract.column_names
        )
        rows, digest = connection.execute(
            statement(query, values=Fragment(values), table=contract.name)
        ).fetchall()[0]
        figures.append([contract.name, listed(contract.column_names), rows, str(digest)])
    return hashlib.sha256(json.dumps(figures).encode()).hexdigest()


def _check_readable(connection: "duckdb.DuckDBPyConnection") -> None:
    """Refuse a warehouse that an ingestion did not complete, or completed under other contracts."""
    import duckdb

    try:
        row = connection.execute("SELECT contracts FROM state.source").fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise _never_ingested()
    if row[0] != contracts_hash():
        raise LedgerError(
            "this ledger was ingested under other contracts than today's",
            hint="run `finml run features`, which reads the whole ledger anew",
        )


def _never_ingested() -> LedgerError:
    return LedgerError(
        "this ledger was not ingested yet", hint="run `finml run features`, which begins with ingesting"
    )


def _unavailable(workspace: Workspace, error: Exception) -> LedgerError:
    return LedgerError(
        f"the warehouse {workspace.warehouse} cannot be opened: {str(error).splitlines()[0]}",
        hint="another finml process uses it, or did not close it: wait for it to end, then run this again",
    )
