"""Building the offline store: every user at every snapshot, and some users at moments of their own.

Snapshots follow a calendar and end with the ledger's present. Exact rows are added wherever a question was
asked (see `questions`), so that a training row need not make do with last month's snapshot. One snapshot is
computed at a time, on DuckDB with a limit on its memory, and only if a row it sees has changed.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict

from finml.features.calendar import whole_second
from finml.features.compute import compute
from finml.features.declarations import STORED_VIEWS
from finml.features.engine import MEMORY_LIMIT, duckdb_engine
from finml.features.offline import Manifest, OfflineStore
from finml.features.plan import plan, present
from finml.features.tables import LedgerTables
from finml.settings import Settings

log = structlog.get_logger(__name__)

VIEW_NAMES = tuple(view.name for view in STORED_VIEWS)


class BuildReport(BaseModel):
    """What a build did.

    Attributes:
        now: the ledger's present, naive UTC.
        built: parts computed.
        reused: parts whose inputs did not change.
        removed: parts of the build before that are no longer wanted.
        rows: rows in the offline store, by view.
    """

    model_config = ConfigDict(frozen=True)

    calendar: str
    now: datetime
    data_hash: str
    built: tuple[str, ...]
    reused: tuple[str, ...]
    removed: tuple[str, ...]
    rows: dict[str, int]
    seconds: float

    def to_markdown(self) -> str:
        """The report for a pipeline's page."""
        counts = "\n".join(f"| {view} | {rows} |" for view, rows in self.rows.items())
        return (
            f"## Features as of {self.now:%Y-%m-%d %H:%M:%S} UTC\n\n"
            f"{len(self.built)} parts built, {len(self.reused)} unchanged, {len(self.removed)} removed "
            f"in {self.seconds:.1f} s ({self.calendar} snapshots and exact rows).\n\n"
            f"| view | rows |\n|---|---|\n{counts}\n"
        )


def build(
    tables_folder: Path,
    settings: Settings,
    *,
    at: Sequence[tuple[str, datetime]] = (),
    calendar: str | None = None,
    now: datetime | None = None,
    data_hash: str = "",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> BuildReport:
    """Bring the offline store up to date with a folder of validated tables.

    Args:
        tables_folder: holds `<table>.parquet` for every table of the ledger.
        settings: says where the offline store is.
        at: more exact rows, of every view, than `questions` asks for: user and moment (naive UTC).
        calendar: when snapshots are taken; the settings' calendar when `None`.
        now: the ledger's present (naive UTC); when `None`, the latest moment that the tables know of.
        data_hash: hash of the tables, recorded in the manifest.
        memory_limit: DuckDB's limit; beyond it, it spills to disk.
        threads: DuckDB's threads; all cores when `None`. The values are the same with any number.

    Returns:
        What was built and what was left as it was.

    Raises:
        FeatureError: a table is missing or lacks a column, or the ledger holds no user.
        UsageError: there is no such calendar.
    """
    started = time.monotonic()
    calendar = calendar or settings.snapshot_calendar
    store = OfflineStore(settings.workspace.features)
    with (
        store.building(VIEW_NAMES) as generation,
        duckdb_engine(store.folder, memory_limit=memory_limit, threads=threads) as backend,
    ):
        tables = LedgerTables.read(backend, tables_folder)
        moment = whole_second(now or present(backend))
        known = store.parts()
        work = plan(backend, tables, calendar=calendar, now=moment, at=at)
        missing = [job for job in work if job.name not in known]
        parts = [known[job.name] for job in work if job.name in known]
        for part in parts:
            generation.reuse(part)
        parts += compute(backend, tables, missing, generation)
        manifest = Manifest(
            calendar=calendar,
            now=moment,
            data_hash=data_hash,
            views=VIEW_NAMES,
            parts=tuple(sorted(parts, key=lambda part: (part.last, part.name))),
        )
        if settings.offline_url:
            from finml.features.postgres import publish

            publish(settings, manifest, generation)
        store.commit(generation, manifest)
    report = BuildReport(
        calendar=calendar,
        now=moment,
        data_hash=data_hash,
        built=tuple(job.name for job in missing),
        reused=tuple(job.name for job in work if job.name in known),
        removed=tuple(sorted(set(known) - {part.name for part in parts})),
        rows={view: sum(part.rows for part in parts if view in part.views) for view in VIEW_NAMES},
        seconds=round(time.monotonic() - started, 3),
    )
    log.info(
        "features_built",
        built=len(report.built),
        reused=len(report.reused),
        rows=max(report.rows.values()),
        seconds=report.seconds,
    )
    return report
