"""Work on many series in parallel processes, with progress in the log."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

import structlog

T = TypeVar("T")
A = TypeVar("A")

log = structlog.get_logger(__name__)

PROCESSES = 2
# a process takes seconds to start: fewer tasks than this are done here
LEAST_TASKS = 8
REPORTS = 5


def run(work: Callable[[A], T], tasks: Sequence[A], *, processes: int, what: str) -> list[T]:
    """The result of each task, in order.

    Args:
        work: a function that a fresh process can import.
        tasks: its arguments; they and the results are pickled between processes of this machine only.
        processes: at most so many at a time.
        what: for the log.

    Raises:
        Exception: what the first task that failed raised.
    """
    processes = min(processes, os.cpu_count() or 1)
    if processes < 2 or len(tasks) < LEAST_TASKS:
        return [work(task) for task in tasks]
    found: dict[int, T] = {}
    every = max(1, len(tasks) // REPORTS)
    # forking a process that holds threads can deadlock
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_alone) as pool:
        places = {pool.submit(work, task): place for place, task in enumerate(tasks)}
        try:
            for done, future in enumerate(as_completed(places), start=1):
                found[places[future]] = future.result()
                if done % every == 0 or done == len(tasks):
                    log.info("series_progress", what=what, done=done, of=len(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[place] for place in range(len(tasks))]


def _alone() -> None:
    """One thread a process: processes are what runs in parallel."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "STAN_NUM_THREADS"):
        os.environ[name] = "1"
