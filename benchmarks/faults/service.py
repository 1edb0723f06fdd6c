"""The service under load, a fault that is done to it, and what is said of that."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.faults.bento import MODEL, newest
from benchmarks.faults.kept import lost
from benchmarks.faults.load import Body, Callers, Seen
from benchmarks.process_tree import workers
from bentos.server import HOST, free_port, start, stop, wait_until_ready
from finml.access.temporary import temporary_key
from finml.settings import Settings

WORKERS = 2
READY_WITHIN_S = 120.0
BEFORE_S, BROKEN_S, AFTER_S = 2.0, 4.0, 4.0
UNLIMITED = {"rate_per_s": 1e6, "rate_burst": 10**6, "daily_quota": 10**9, "drain_s": 1.0}


@dataclass
class Service:
    """A service under load.

    Attributes:
        lost: what its logs lack, once it has ended.
    """

    url: str
    key: str
    process: subprocess.Popen[bytes]
    settings: Settings
    seen: Seen
    lost: str = ""

    @property
    def caller(self) -> str:
        """Id of the callers' key."""
        return self.key.split("_")[1]

    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        return workers(self.process.pid)


@dataclass
class Fault:
    """One row of the table.

    Attributes:
        title: what was done.
        service: what it was done to.
        seen: what callers saw from the fault on.
        longest_ms: their longest wait from then on.
        well: how long after the mending all was well again.
        lost: what was lost beside what the logs lack.
    """

    title: str
    service: Service
    seen: str
    longest_ms: float
    well: str
    lost: list[str] = field(default_factory=list)

    def row(self) -> str:
        """The row."""
        lost = "; ".join([self.service.lost, *self.lost])
        return f"| {self.title} | {self.seen} | {self.longest_ms:,.0f} ms | {self.well} | {lost} |"


def about_loans(users: Sequence[str]) -> list[Body]:
    """One question about a loan of each user."""
    return [{"inputs": [{"user_id": user, "loan_amount": 1000.0}]} for user in users]


@contextmanager
def serving(
    settings: Settings,
    bodies: Sequence[Body],
    *,
    tag: str | None = None,
    path: str = "/predict/credit_risk",
    **changes: object,
) -> Iterator[Service]:
    """A Bento, the newest by default, with callers that ask it as long as the block lasts.

    Args:
        settings: of the service.
        bodies: what the callers ask, each its share again and again.
        tag: which Bento.
        path: whom they ask.
        changes: settings that differ.
    """
    settings = settings.model_copy(update={**UNLIMITED, "auth": "required", **changes})
    port = free_port()
    with temporary_key(settings, "faults", ["*:*"]) as key, tempfile.NamedTemporaryFile() as log:
        process = start(settings, port, tag=tag or newest(), workers=WORKERS, output=log.fileno())
        url = f"http://{HOST}:{port}"
        callers = Callers(url, key, path, bodies)
        service = Service(url, key, process, settings, callers.seen)
        try:
            wait_until_ready(url, process, Path(log.name), READY_WITHIN_S)
            callers.start()
            yield service
        finally:
            callers.stop()
            stop(process)
            service.lost = lost(settings, service.caller, service.seen.answered, decided=path.endswith(MODEL))


def observed(
    title: str,
    service: Service,
    break_it: Callable[[], object],
    mend: Callable[[], object] = lambda: None,
    *,
    broken_s: float = BROKEN_S,
) -> Fault:
    """Break something and mend it; what callers saw."""
    time.sleep(BEFORE_S)
    broken = time.monotonic()
    break_it()
    time.sleep(broken_s)
    mended = time.monotonic()
    mend()
    time.sleep(AFTER_S)
    seen = service.seen
    well = f"{seen.last_failure_s(mended):.1f} s"
    return Fault(title, service, seen.words(broken), seen.longest_ms(broken), well)


def until(condition: Callable[[], object], within_s: float) -> float:
    """Wait for a condition; the seconds that it took.

    Raises:
        TimeoutError: it did not come.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            raise TimeoutError
        time.sleep(0.05)
    return time.monotonic() - began
