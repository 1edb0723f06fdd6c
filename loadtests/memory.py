"""Watches the memory of the service's processes while a load test runs."""

import contextlib
import statistics
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    import psutil

EVERY_S = 1.0
MIB = 1 << 20
LEAST_SECONDS = 120.0
"""What memory does in less says nothing of an hour."""
TROUGH_S = 30.0
"""Seconds of which the least memory counts: what a request or a log takes for a while is not kept."""


class Sample(BaseModel):
    """Memory at one moment: MiB of all processes together, seconds since 1970."""

    at: float
    mib: float
    processes: int


class Growth(BaseModel):
    """How memory changed in the judged part of a run.

    Attributes:
        mib_per_hour: slope of what is kept, which is the least of each `TROUGH_S` seconds; by Theil and Sen,
            which a jump near either end does not move, with its 95 % interval.
        start_mib, end_mib: the first and the last of these.
        peak_mib: the most of all.
        steady: whether there were as many processes all the time; moments with fewer are left out.
    """

    mib_per_hour: float
    low: float
    high: float
    start_mib: float
    end_mib: float
    peak_mib: float
    seconds: float
    steady: bool


class MemoryWatch:
    """Samples the memory of processes and all that they start, in a thread, until stopped.

    What processes share is counted once, where the system says it (Linux does).
    """

    def __init__(self, processes: Sequence["psutil.Process"], clock: Callable[[], float]) -> None:
        self.samples: list[Sample] = []
        self._processes, self._clock = processes, clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def __enter__(self) -> "MemoryWatch":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while self._processes and not self._over.wait(EVERY_S):
            self.samples.append(sample(self._processes, self._clock()))


def own_share(process: "psutil.Process") -> int:
    """Bytes of resident memory of a process, of pages that it shares its part."""
    import psutil

    try:
        found = process.memory_full_info()
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    return int(getattr(found, "pss", found.rss))


def sample(processes: Sequence["psutil.Process"], at: float) -> Sample:
    """Memory of processes and their descendants now; those that have ended count nothing."""
    import psutil

    sizes = []
    for root in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    sizes.append(own_share(process))
    return Sample(at=at, mib=sum(sizes) / MIB, processes=len(sizes))


def growth(samples: Sequence[Sample], start: float, end: float) -> Growth | None:
    """How memory changed between two moments; `None` where it was watched too short."""
    chosen = [each for each in samples if start <= each.at < end]
    if not chosen or chosen[-1].at - chosen[0].at < LEAST_SECONDS:
        return None
    from scipy.stats import theilslopes

    usual = statistics.mode(each.processes for each in chosen)
    kept: dict[int, Sample] = {}
    for each in chosen:
        block = int((each.at - start) // TROUGH_S)
        # while a process is replaced there is less, and the rest of a block may hold none of its troughs
        if each.processes >= usual and start + (block + 1) * TROUGH_S <= end:
            kept[block] = min(kept.get(block, each), each, key=lambda sample: sample.mib)
    troughs = list(kept.values())
    found = theilslopes([each.mib for each in troughs], [(each.at - start) / 3600 for each in troughs])
    return Growth(
        mib_per_hour=float(found.slope),
        low=float(found.low_slope),
        high=float(found.high_slope),
        start_mib=troughs[0].mib,
        end_mib=troughs[-1].mib,
        peak_mib=max(each.mib for each in chosen),
        seconds=chosen[-1].at - chosen[0].at,
        steady=all(each.processes == usual for each in chosen),
    )
