"""What is kept of answers cannot be written: a disk is full, or PostgreSQL is gone."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from pydantic import SecretStr

from benchmarks.faults.dependencies import Postgresql, postgresql, small_disk
from benchmarks.faults.kept import predictions
from benchmarks.faults.load import CALLERS
from benchmarks.faults.service import Fault, about_loans, observed, serving, until
from finml.settings import Settings

GONE_S = 12.0
# the writer's longest pause between two tries, and a write
CAUGHT_UP_WITHIN_S = 30.0


def disk_full(settings: Settings, users: Sequence[str], *, name: str, folder: str) -> Fault:
    """The disk of a log fills up, and gets room again."""
    with (
        small_disk(settings.home / folder) as disk,
        serving(settings, about_loans(users[:CALLERS])) as service,
    ):
        return observed(f"disk of the {name} full", service, disk.fill, disk.relieve)


inference_disk = partial(disk_full, name="inference log", folder="inference_log")
audit_disk = partial(disk_full, name="audit log", folder="audit")


def postgresql_gone(settings: Settings, users: Sequence[str]) -> Fault:
    """The PostgreSQL that the inference log is written to dies and comes back."""
    with postgresql() as server:
        logging = settings.model_copy(update={"inference_log": SecretStr(server.url)})
        with serving(logging, about_loans(users[:CALLERS])) as service:
            caught_up = 0.0

            def back() -> None:
                nonlocal caught_up
                due = service.seen.answered
                caught_up = come_back(server, lambda: predictions(service.settings, service.caller) >= due)

            title = f"PostgreSQL of the inference log gone for {GONE_S:g} s"
            fault = observed(title, service, server.kill, back, broken_s=GONE_S)
        fault.well += f"; every row written {caught_up:.1f} s after"
        return fault


def come_back(server: Postgresql, caught_up: Callable[[], bool]) -> float:
    """Start the server; the seconds until all that was answered before is written."""
    server.start()
    began = time.monotonic()
    until(caught_up, CAUGHT_UP_WITHIN_S)
    return time.monotonic() - began
