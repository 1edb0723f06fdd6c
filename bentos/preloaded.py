"""What workers are forked from: the Bento's code and models, read once and shared.

Python's fork server imports this module, then forks a process for each worker, also for one that replaces a
dead one. What was read here lies in the memory of all workers once, until one writes to it.

A fork is sound where a process has one thread, and copies nothing that two processes must not share. So here
nothing is connected, opened for writing, scored or drawn by chance, and no thread runs: a worker does all
that for itself, as it starts. The libraries' own threads are switched off by `SINGLE_THREADED`.
"""

import gc
import importlib
import os
import signal
from functools import cache
from pathlib import Path
from typing import Any

BENTO_VARIABLE = "FINML_SERVED_BENTO"
SINGLE_THREADED = {
    # of Arrow's allocator, which gives memory back at leisure
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Variables without which an import would start a thread."""
THREADS = Path("/proc/self/task")
IMPORTED_LATER = (
    "_bentoml_impl.server.app",
    "bentos.accepting",
    "bentos.protocol",
    "prometheus_client.multiprocess",
    "pyarrow.parquet",
    "uvicorn.lifespan.on",
)
"""What a worker would import only as it starts."""


@cache
def served() -> Any:  # noqa: ANN401  # a service of BentoML, which has no types
    """The service of the Bento that `BENTO_VARIABLE` names, loaded once: here, or before the fork."""
    import bentoml

    return bentoml.load(os.environ[BENTO_VARIABLE], standalone_load=True)


def preload() -> None:
    """Load the service and what it answers with, and take all of it out of the collector's sight."""
    import structlog

    # A signal to all processes at once is for supervisor and workers; this one ends with the last of them,
    # and until then tells the supervisor which still run.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    log = structlog.get_logger(__name__)
    try:
        served().inner.preload()
        for name in IMPORTED_LATER:
            importlib.import_module(name)
    except Exception as error:
        # a worker will try again and say more
        log.warning("not_preloaded", error=type(error).__name__)
    # where there is no such folder, the system is no Linux and this is only developed on
    if THREADS.is_dir() and (threads := len(list(THREADS.iterdir()))) > 1:
        log.warning("forked_beside_threads", threads=threads)
    # a collection would write to every object, and each worker would get its own copy of all
    gc.collect()
    gc.freeze()


if BENTO_VARIABLE in os.environ:
    preload()
