"""DuckDB as the engine of the feature expressions: bounded memory, UTC, gone when done."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from finml.features.offline import SCRATCH

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

MEMORY_LIMIT = "2GB"


@contextmanager
def duckdb_engine(
    folder: Path | None = None, *, memory_limit: str = MEMORY_LIMIT, threads: int | None = None
) -> Iterator["BaseBackend"]:
    """An Ibis backend with a database of its own below `folder`, which is removed at the end.

    Args:
        folder: where the database and what it spills lie; the system's folder for such things when `None`.
        memory_limit: beyond it, DuckDB spills to disk.
        threads: all cores when `None`.
    """
    import ibis

    with (
        tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch,
        warnings.catch_warnings(),
    ):
        # Ibis calls a method of DuckDB's that is about to be renamed.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="ibis")
        options = {"memory_limit": memory_limit, "temp_directory": f"{scratch}/spill"}
        if threads:
            options["threads"] = str(threads)
        backend = ibis.duckdb.connect(f"{scratch}/scratch.duckdb", **options)
        try:
            yield backend
        finally:
            backend.disconnect()
