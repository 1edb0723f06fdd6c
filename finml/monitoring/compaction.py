"""Merges the small files that a running service leaves into one a day.

The merged file takes its place before the small ones go, so that no row is ever missing. A reader in
between, or after a crash, finds rows twice and takes them for one.
"""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from finml.errors import MonitoringError
from finml.monitoring.reading import days
from finml.monitoring.rows import SAME_PREDICTION, listed
from finml.monitoring.sinks import folder, sync
from finml.private_files import private_file
from finml.settings import Settings

# a file that was written this long ago has no writer that could still name it
SETTLED_S = 60.0


@dataclass(frozen=True)
class Compaction:
    """What a compaction did.

    Attributes:
        before, after: Parquet files that were merged, and files that hold their rows now.
    """

    before: int
    after: int


def compact(settings: Settings, *, settled_s: float = SETTLED_S) -> Compaction:
    """Merge the files of each day that are older than `settled_s` seconds. Services may go on writing.

    Raises:
        MonitoringError: another compaction is under way, or a file cannot be read.
        OSError: the disk is full; everything is as it was.
    """
    from filelock import FileLock, Timeout

    root = folder(settings)
    if not root.exists():
        return Compaction(0, 0)
    try:
        with FileLock(root / ".compaction.lock", timeout=0):
            merged = [_merge(day, settled_s) for day in days(root)]
    except Timeout:
        raise MonitoringError("another compaction is under way", hint="wait until it has ended") from None
    return Compaction(sum(merged), sum(count > 0 for count in merged))


def _merge(day: Path, settled_s: float) -> int:
    """Merge the settled files of one day; returns how many there were, 0 where nothing is to be done."""
    import duckdb

    latest = time.time() - settled_s
    files = [file for file in sorted(day.glob("*.parquet")) if file.stat().st_mtime <= latest]
    if len(files) < 2:
        return 0
    target = day / f"merged-{secrets.token_hex(4)}.parquet"
    beside = target.with_suffix(".part")
    try:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            rows = connection.sql(
                f"SELECT DISTINCT ON ({listed(SAME_PREDICTION)}) * "  # noqa: S608  # nosec B608  # made of constants
                "FROM read_parquet(?, union_by_name = true, hive_partitioning = false)",
                params=[[str(file) for file in files]],
            )
            private_file(beside)
            # into that file, not into one of its own that takes its place
            rows.write_parquet(str(beside), compression="zstd", use_tmp_file=False)
        sync(beside)
        beside.replace(target)
        # the new name before the old ones go
        sync(day)
    except duckdb.Error as error:
        raise MonitoringError(f"{day} cannot be merged", hint=str(error)) from None
    finally:
        beside.unlink(missing_ok=True)
    for file in files:
        file.unlink()
    return len(files)
