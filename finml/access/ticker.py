"""Work that a serving process does beside its requests, again and again."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Ticker:
    """Calls a function every so often in a thread of its own, from `start` until `stop`.

    Args:
        work: the function; what it raises is logged and ends nothing.
        seconds: from the end of one call to the beginning of the next.
        name: of the thread.
    """

    def __init__(self, work: Callable[[], None], *, seconds: float, name: str) -> None:
        self._work, self._seconds = work, seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End, after the call that is under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self._work()
            except Exception:
                log.exception("ticker_failed", thread=self._thread.name)
