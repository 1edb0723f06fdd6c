"""What stands between a request and a server that may be slow, away or broken.

Three means, each small: ask again after a failure that passes by itself (tenacity), stop asking one that
fails (circuitbreaker), and wait for no answer longer than a limit.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from tenacity import Retrying

T = TypeVar("T")
State = Literal["closed", "open", "half_open"]

QUICK_ATTEMPTS, QUICK_JITTER_S = 2, 0.02
CONNECT_ATTEMPTS, CONNECT_JITTER_S = 3, 1.0


class CircuitOpenError(Exception):
    """The circuit is open: the server has failed and is not asked until it is time to try again."""


class TimeLimitError(Exception):
    """There was no answer within the time limit."""


def quick_retries(passing: Callable[[BaseException], bool], attempts: int = QUICK_ATTEMPTS) -> "Retrying":
    """Retries of a read that a caller waits for: few, at once, after a random pause below 20 ms.

    Args:
        passing: whether an error may pass by itself, as a connection that broke. Never a time limit: asking a
            slow server again makes it slower.
        attempts: how often it is tried in all.

    Returns:
        What calls the read; it raises the last error.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

    return Retrying(
        retry=retry_if_exception(passing),
        stop=stop_after_attempt(attempts),
        wait=wait_random(0, QUICK_JITTER_S),
        reraise=True,
    )


def connect_retries(*passing: type[BaseException], attempts: int = CONNECT_ATTEMPTS) -> "Retrying":
    """Retries of connecting where no request waits: pauses that double, with jitter, up to 1 s."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    return Retrying(
        retry=retry_if_exception_type(passing),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.2, max=CONNECT_JITTER_S),
        reraise=True,
    )


class Breaker:
    """Stops asking a server that fails, and asks once in a while whether it is back.

    Closed, every call goes through; after `failures` in a row, or one time limit, it is open and calls are
    refused at once; after `retry_s` one call tries (half open), and closes it if it succeeds. To be used by
    several threads.
    """

    def __init__(self, name: str, *, failures: int, retry_s: float) -> None:
        """Start closed.

        Args:
            name: what the library calls the circuit.
            failures: how many in a row open it.
            retry_s: seconds until the next try.
        """
        from circuitbreaker import CircuitBreaker

        self._circuit = CircuitBreaker(failures, retry_s, Exception, name)
        self._failures = failures
        self._trying = Lock()

    @property
    def state(self) -> State:
        """`closed`, `open` or `half_open`."""
        state: State = self._circuit.state
        return state

    def call(self, work: Callable[[], T]) -> T:
        """What `work` returns, or its error, which is counted.

        Raises:
            CircuitOpenError: it is not the time to ask.
        """
        state = self.state
        if state == "closed":
            return self._counted(work)
        # of several threads that find it half open, one tries
        if state == "open" or not self._trying.acquire(blocking=False):
            raise CircuitOpenError
        try:
            return self._counted(work)
        finally:
            self._trying.release()

    def reset(self) -> None:
        """Close it: somebody has seen the server answer."""
        self._circuit.reset()

    def _counted(self, work: Callable[[], T]) -> T:
        try:
            with self._circuit:
                return work()
        except TimeLimitError as error:
            # the next caller would most likely wait as long for as little
            for _ in range(self._failures - 1):
                with suppress(TimeLimitError), self._circuit:
                    raise error
            raise


class TimeLimit:
    """Waits for blocking work no longer than a limit, whatever it hangs in: a name server, a socket, a disk.

    The work runs on in a thread of its own after that, and its result is thrown away.
    """

    def __init__(self, limit_s: float, *, threads: int) -> None:
        self._limit_s = limit_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="limited")

    def call(self, work: Callable[[], T]) -> T:
        """What `work` returns, or its error.

        Raises:
            TimeLimitError: it took too long, or all threads hang in work that did.
        """
        done: Future[T] = self._threads.submit(work)
        try:
            return done.result(timeout=self._limit_s)
        except TimeoutError:
            if done.done():  # the work's own error, which happens to be called the same
                raise
            done.cancel()
            raise TimeLimitError from None

    def close(self) -> None:
        """Let the threads end when their work does."""
        self._threads.shutdown(wait=False, cancel_futures=True)
