"""Computing parts, one at a time, on DuckDB.

The expressions are turned into SQL once a process, because that takes longer than a small part. From part to
part only two tables change: the spine, and the window of movements that the part can see.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from finml.features import spending_history, transaction_habits, user_financials
from finml.features.credit_history import credit_history
from finml.features.offline import SCRATCH, Generation, Part
from finml.features.plan import EXACT, Job, views_text
from finml.features.tables import KEYS, LedgerTables
from finml.ledger.contracts import CONTRACTS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

log = structlog.get_logger(__name__)

NO_MOVEMENTS, SPINE, SLICE, FINANCIALS = "no_movements", "spine", "spine_slice", "financials"
WINDOWS = {
    "user_financials": user_financials.WINDOW_DAYS,
    "transaction_habits": transaction_habits.WINDOW_DAYS,
    "spending_history": spending_history.WINDOW_DAYS,
}
"""How many days back the movements matter to each view that is made of them."""
SLICED = frozenset({"transaction_habits"})
SLICE_ROWS = 5_000
NEED_FINANCIALS = frozenset({"user_financials", "credit_history"})


def compute(
    backend: "BaseBackend", tables: LedgerTables, jobs: Sequence[Job], generation: Generation
) -> Iterator[Part]:
    """Compute the jobs' rows and write a file for each of a job's views.

    Args:
        backend: DuckDB with the ledger's tables as `ledger_<name>` and the exact rows as `plan.EXACT`.
        tables: the same tables as expressions.
        jobs: the parts to compute.
        generation: where to write them.
    """
    if not jobs:
        return
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=generation.folder) as scratch:
        computer = _Computer(backend, tables, jobs, Path(scratch) / "movements")
        for done, job in enumerate(jobs, start=1):
            started = time.monotonic()
            rows = computer.write(job, generation)
            log.info(
                "features_part_built",
                part=job.name,
                rows=rows,
                seconds=round(time.monotonic() - started, 2),
                done=f"{done}/{len(jobs)}",
            )
            yield Part(
                name=job.name,
                kind=job.kind,
                first=job.first,
                last=job.last,
                fingerprint=job.fingerprint,
                rows=rows,
                views=job.views,
            )


class _Computer:
    """The SQL of every view, ready to be run for one part after the other."""

    def __init__(
        self, backend: "BaseBackend", tables: LedgerTables, jobs: Sequence[Job], folder: Path
    ) -> None:
        self._backend = backend
        self._folder = folder
        self._stage(user_financials.movements(tables), jobs)
        self._sql = _queries()

    def write(self, job: Job, generation: Generation) -> int:
        """Compute one part; returns its rows."""
        for view in WINDOWS.keys() & set(job.views):
            self._see(view, job.first, job.last)
        self._run(f"create or replace temp table {SPINE} as {_spine_sql(job)}")
        if not NEED_FINANCIALS.isdisjoint(job.views):
            self._run(f"create or replace temp table {FINANCIALS} as {self._sql[FINANCIALS]}")
        rows = int(self._backend.table(SPINE).count().execute())
        for view in job.views:
            query = self._sliced(view, rows) if view in SLICED else self._sql[view]
            path = _quoted(generation.path(view, job.name))
            self._run(f"copy ({query}) to {path} (format parquet, compression zstd)")
        return rows

    def _sliced(self, view: str, rows: int) -> str:
        """Compute a view some rows after the other, in the order of the keys; returns what reads them all.

        A median needs all its values in memory, and the engine cannot spill them.
        """
        numbered = f"select *, row_number() over (order by {', '.join(KEYS)}) - 1 as place from {SPINE}"  # noqa: S608  # nosec B608  # constants
        for start in range(0, max(rows, 1), SLICE_ROWS):
            until = start + SLICE_ROWS
            own = f"select {', '.join(KEYS)} from ({numbered}) where place >= {start} and place < {until}"  # noqa: S608  # nosec B608  # constants
            self._run(f"create or replace temp table {SLICE} as {own}")
            into = "insert into sliced" if start else "create or replace temp table sliced as"
            self._run(f"{into} {self._sql[view]}")
        return "from sliced"

    def _stage(self, moved: "ir.Table", jobs: Sequence[Job]) -> None:
        """Write the movements that the jobs can see into files by month: a part reads its own only."""
        since = min(job.first for job in jobs) - timedelta(days=max(WINDOWS.values()))
        until = max(job.last for job in jobs)
        self._backend.create_table(NO_MOVEMENTS, schema=moved.schema(), temp=True)
        seen = moved.filter((moved.occurred_at > since) & (moved.occurred_at <= until))
        by_month = seen.mutate(month=12 * seen.occurred_at.year() + seen.occurred_at.month())
        self._run(
            f"copy ({self._backend.compile(by_month)}) to {_quoted(self._folder)} "
            "(format parquet, partition_by (month))"
        )

    def _see(self, view: str, first: datetime, last: datetime) -> None:
        """Let a table show the movements that matter to a view at any moment from `first` to `last`."""
        since = first - timedelta(days=WINDOWS[view])
        months = range(12 * since.year + since.month, 12 * last.year + last.month + 1)
        files = [path for month in months for path in sorted((self._folder / f"month={month}").glob("*"))]
        read = f"read_parquet([{', '.join(map(_quoted, files))}], hive_partitioning = false)"
        between = f"occurred_at > {_literal(since)} and occurred_at <= {_literal(last)}"
        rows = f"from {read if files else NO_MOVEMENTS} where {between}"
        self._run(f"create or replace temp view seen_by_{view} as {rows}")

    def _run(self, statement: str) -> None:
        self._backend.raw_sql(statement)


@cache
def _queries() -> Mapping[str, str]:
    """SQL of every view, and of `FINANCIALS`, over tables as their contracts declare them."""
    import ibis

    tables = LedgerTables.of(
        {name: ibis.table(contract.arrow_schema, f"ledger_{name}") for name, contract in CONTRACTS.items()}
    )
    moved = user_financials.movements(tables).schema()
    seen = {view: ibis.table(moved, f"seen_by_{view}") for view in WINDOWS}
    keys = ibis.schema({"user_id": "string", "event_timestamp": "timestamp(6)"})
    spine, spine_slice = ibis.table(keys, SPINE), ibis.table(keys, SLICE)
    financials = user_financials.user_financials(tables.with_movements(seen["user_financials"]), spine)
    kept = ibis.table(financials.schema(), FINANCIALS)
    features = {
        "user_financials": kept,
        "credit_history": credit_history(tables, spine, kept),
        "transaction_habits": transaction_habits.transaction_habits(seen["transaction_habits"], spine_slice),
        "spending_history": spending_history.spending_history(
            tables.with_movements(seen["spending_history"]), spine
        ),
    }
    wanted = {FINANCIALS: financials} | {view: _stamped(rows) for view, rows in features.items()}
    return {name: str(ibis.to_sql(rows, dialect="duckdb", pretty=False)) for name, rows in wanted.items()}


def _spine_sql(job: Job) -> str:
    if job.kind == "snapshot":
        moment = _literal(job.first)
        return f"select user_id, {moment} as event_timestamp from ledger_users where known_at <= {moment}"  # noqa: S608  # nosec B608  # a time
    asked = f"views = '{views_text(job.views)}'"
    between = f"event_timestamp between {_literal(job.first)} and {_literal(job.last)}"
    return f"select user_id, event_timestamp from {EXACT} where {asked} and {between}"  # noqa: S608  # nosec B608  # constants and times


def _literal(moment: datetime) -> str:
    return f"timestamp '{moment.isoformat(sep=' ')}'"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _stamped(features: "ir.Table") -> "ir.Table":
    """In the order of the keys, with the columns that Feast needs: aware times, and since when it was known.

    That is the row's own moment, because its values are made of nothing that became known later.
    """
    moment = features.event_timestamp.cast("timestamp('UTC', 6)")
    return features.mutate(event_timestamp=moment, created_timestamp=moment).order_by(*KEYS)
