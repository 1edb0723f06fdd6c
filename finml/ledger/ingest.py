"""Ingestion: from a bank's ledger into validated tables, bad rows into quarantine, all or nothing.

An ingestion takes what is new or changed since the last one: rows whose `updated_at` is at or after the
newest one seen, rows whose key is in quarantine, and rows that wait there for their parent. A ledger that
finml has written anew since, or contracts that have changed, make it read everything and forget the old rows.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from finml.errors import LedgerError, QuarantineLimitError, UsageError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.delivery import Wanted, check_batch, check_headers, check_rows, checked_batches
from finml.ledger.report import IngestReport, TableReport
from finml.ledger.source import BATCH_ROWS, LedgerSource, RawBatch, open_source
from finml.ledger.staging import Staging
from finml.ledger.statements import Fragment, identifier, quoted_path, statement
from finml.ledger.takeover import Takeover
from finml.ledger.warehouse import alone, contracts_hash, open_warehouse
from finml.settings import Workspace

if TYPE_CHECKING:
    import duckdb

log = structlog.get_logger(__name__)

MEMORY_LIMIT = "1GB"
"""What DuckDB may hold in memory during an ingestion; beyond that it works on disk."""


class IngestionRefusedError(QuarantineLimitError):
    """An ingestion was refused because too many rows were bad.

    Attributes:
        report: what the ingestion found.
        folder: where `report.md`, `report.json` and the bad rows (`quarantine.parquet`) are.
    """

    def __init__(self, message: str, report: IngestReport, folder: Path) -> None:
        super().__init__(message, hint=f"nothing was changed; the bad rows and the report are in {folder}")
        self.report = report
        self.folder = folder


def ingest(
    source_url: str,
    workspace: Workspace,
    *,
    quarantine_limit: float,
    now: datetime | None = None,
    everything: bool = False,
    batch_rows: int = BATCH_ROWS,
    wait_s: float = 60.0,
) -> IngestReport:
    """Bring a ledger's rows into the workspace's validated tables.

    Args:
        source_url: the ledger; see `open_source`.
        workspace: where the tables are.
        quarantine_limit: refuse the ingestion if more than this share of a table's rows is newly bad; see
            `TableReport.judged`.
        now: time after which nothing can have happened yet; naive means UTC. Default: the clock.
        everything: read all rows and forget those that the ledger no longer has.
        batch_rows: rows checked at a time, about.
        wait_s: seconds to wait for another ingestion of the same ledger to end.

    Returns:
        What was done.

    Raises:
        SourceError: the ledger cannot be reached or read.
        ContractError: a table or column is missing, or a file is empty or unreadable.
        IngestionRefusedError: too many rows are bad.
        LedgerError: another ingestion or a reader holds the tables, or the disk is full.
        UsageError: an argument is out of range.

        After any of them the tables are what they were before.
    """
    import duckdb

    if not 0 <= quarantine_limit <= 1 or batch_rows < 1:
        raise UsageError("quarantine_limit is a share between 0 and 1, and batch_rows at least 1")
    started = time.perf_counter()
    with (
        open_source(source_url) as source,
        alone(workspace, wait_s),
        open_warehouse(workspace, read_only=False) as connection,
        _staging_area(connection, workspace),
    ):
        run = _Ingestion(source, connection, _naive_utc(now or datetime.now(UTC)), everything=everything)
        try:
            run.stage(batch_rows)
            report = run.report(time.perf_counter() - started)
            if why := _too_bad(report.tables, quarantine_limit):
                raise _refusal(connection, workspace, report.refuse(why))
            report = run.take_over(report, started)
        except duckdb.Error as error:
            raise LedgerError(
                f"the ingestion failed in the warehouse: {str(error).splitlines()[0]}",
                hint="nothing was changed; check that the disk has room, and run it again",
            ) from error
    log.info(
        "ledger_ingested",
        ledger=report.ledger,
        read=sum(table.read for table in report.tables),
        new=sum(table.new for table in report.tables),
        changed=sum(table.changed for table in report.tables),
        quarantined=sum(table.quarantined for table in report.tables),
        seconds=round(report.seconds, 3),
    )
    return report


class _Ingestion:
    """One ingestion, between an open source and an open warehouse."""

    def __init__(
        self,
        source: LedgerSource,
        connection: "duckdb.DuckDBPyConnection",
        now: datetime,
        *,
        everything: bool,
    ) -> None:
        self._source = source
        self._connection = connection
        self._now = now
        self._id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
        self._started_at = datetime.now(UTC)
        self._warnings = check_headers(source)
        self._generation = source.generation()
        self._afresh = everything or not self._continues(connection)
        self._staging = Staging(connection, afresh=self._afresh)
        self._takeover = Takeover(connection, afresh=self._afresh)
        self._read = dict.fromkeys(TABLES, 0)
        self._retried = dict.fromkeys(TABLES, 0)

    def stage(self, batch_rows: int) -> None:
        """Read, check and judge all tables, parents before children."""
        present = self._source.tables()
        for table in TABLES:
            if table in present:
                self._stage_delivered(table, batch_rows)
            if not self._afresh:
                self._stage_waiting(table)
            self._staging.judge(table)
            log.info("table_staged", table=table, read=self._read[table], retried=self._retried[table])

    def report(self, seconds: float) -> IngestReport:
        """What the staged delivery would do."""
        return IngestReport(
            ingestion_id=self._id,
            ledger=self._source.place,
            started_at=self._started_at,
            seconds=seconds,
            everything=self._afresh,
            tables=tuple(
                self._takeover.figures(table, self._read[table], self._retried[table]) for table in TABLES
            ),
            warnings=tuple(self._warnings),
        )

    def take_over(self, report: IngestReport, started: float) -> IngestReport:
        """Bring the staged delivery into the warehouse, and complete its report."""
        log.info("taking_over", ingestion=self._id)
        in_quarantine = self._takeover.apply(self._id, self._now, self._generation)
        tables = tuple(
            entry.model_copy(update={"in_quarantine": in_quarantine[entry.table]}) for entry in report.tables
        )
        return report.model_copy(update={"tables": tables, "seconds": time.perf_counter() - started})

    def _continues(self, connection: "duckdb.DuckDBPyConnection") -> bool:
        """Whether the warehouse holds an earlier state of this ledger, under today's contracts."""
        row = connection.execute("SELECT generation, contracts FROM state.source").fetchone()
        if row == (self._generation, contracts_hash()):
            return True
        if row is not None:
            self._warnings.append("the ledger or its contracts were made anew: all rows are read again")
        return False

    def _stage_delivered(self, table: str, batch_rows: int) -> None:
        wanted = Wanted() if self._afresh else self._wanted(table)
        for batch in checked_batches(self._source, table, wanted, self._now, batch_rows):
            self._staging.add(table, batch.rows, reasons=batch.reasons, raw=batch.raw, delivered=True)
            self._read[table] += batch.rows.num_rows
            log.debug("batch_staged", table=table, read=self._read[table])
        if not self._read[table]:
            check_rows(self._source, table)

    def _wanted(self, table: str) -> Wanted:
        watermark = self._connection.execute(
            "SELECT updated_at FROM state.watermarks WHERE table_name = ?", [table]
        ).fetchone()
        keys = self._connection.execute(
            "SELECT DISTINCT row_key FROM state.quarantine WHERE table_name = ? AND row_key IS NOT NULL",
            [table],
        ).fetchall()
        return Wanted(watermark[0] if watermark else None, tuple(key for (key,) in keys))

    def _stage_waiting(self, table: str) -> None:
        """Rows that were good but for a missing parent get another chance."""
        contract = CONTRACTS[table]
        columns = (f"json_extract_string(\"row\", '$.{n}') AS {identifier(n)}" for n in contract.column_names)
        query = statement(
            "SELECT {columns} FROM state.quarantine WHERE table_name = ? AND waiting",
            columns=Fragment(", ".join(columns)),
        )
        rows = self._connection.execute(query, [table]).to_arrow_table()
        if rows.num_rows:
            batch = check_batch(contract, RawBatch(rows), Wanted(), self._now)
            self._staging.add(table, batch.rows, reasons=batch.reasons, raw=batch.raw, delivered=False)
            self._retried[table] = rows.num_rows


def _naive_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


@contextmanager
def _staging_area(connection: "duckdb.DuckDBPyConnection", workspace: Workspace) -> Iterator[None]:
    """An empty database beside the warehouse, gone afterwards; what a killed ingestion left goes first."""
    folder = workspace.root / "staging"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    connection.execute(f"SET temp_directory = {quoted_path(folder / 'spill')}")
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"ATTACH {quoted_path(folder / 'staging.duckdb')} AS staging")
    try:
        yield
    finally:
        connection.execute("DETACH staging")
        shutil.rmtree(folder, ignore_errors=True)


def _too_bad(tables: Sequence[TableReport], limit: float) -> str:
    """Which tables have more bad rows than allowed, and why; empty if none has."""
    found = []
    for entry in tables:
        if entry.quarantined_share > limit:
            reasons = "; ".join(f"{reason.reason} ({reason.rows:,})" for reason in entry.reasons[:3])
            share = f"{entry.quarantined:,} of {entry.judged:,} rows ({entry.quarantined_share:.1%})"
            found.append(f"{entry.table}, {share}: {reasons}")
    return f"more than {limit:.1%} of the rows are bad in {'; '.join(found)}" if found else ""


def _refusal(
    connection: "duckdb.DuckDBPyConnection", workspace: Workspace, report: IngestReport
) -> IngestionRefusedError:
    """The error of a refused ingestion, with its report and bad rows written where they can be looked at."""
    folder = workspace.root / "reports" / report.ingestion_id
    folder.mkdir(parents=True)
    (folder / "report.md").write_text(report.to_markdown(), encoding="utf-8")
    (folder / "report.json").write_text(report.model_dump_json(indent=2), encoding="utf-8")
    copy = (
        'COPY (SELECT table_name, row_key, reasons, "row" FROM staging.refused) TO {target} (FORMAT parquet)'
    )
    connection.execute(statement(copy, target=quoted_path(folder / "quarantine.parquet")))
    log.warning("ingestion_refused", ledger=report.ledger, why=report.refused)
    return IngestionRefusedError(f"the ingestion was refused: {report.refused}", report, folder)
