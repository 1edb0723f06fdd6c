"""A process of the service ends."""

from collections.abc import Sequence

from benchmarks.faults.load import CALLERS
from benchmarks.faults.service import Fault, about_loans, observed, serving
from finml.settings import Settings


def worker_killed(settings: Settings, users: Sequence[str]) -> Fault:
    """A worker is killed outright."""
    with serving(settings, about_loans(users[:CALLERS])) as service:
        first, *_ = service.workers()
        return observed("worker killed (SIGKILL)", service, first.kill)


def stopped(settings: Settings, users: Sequence[str]) -> Fault:
    """The service is told to stop."""
    with serving(settings, about_loans(users[:CALLERS])) as service:
        fault = observed("SIGTERM", service, service.process.terminate, lambda: service.process.wait(30))
        fault.well = ""
        return fault
