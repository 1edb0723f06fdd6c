"""One time limit for many tasks, by one timer: a timer for each costs as much as a quick model."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self


class Deadlines:
    """Limits that are all equally long, so that who began first is late first.

    Used from one event loop. Works as `asyncio.timeout` does: a task that is late is cancelled, and its
    cancellation leaves the block as `TimeoutError`.
    """

    def __init__(self, limit_s: float) -> None:
        """Take the limit, seconds."""
        self.limit_s = limit_s
        self._begun: deque[Deadline] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> "Deadline":
        """The limit of the present task, from now until the end of the `with` block that it opens."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be held to a limit")
        loop = asyncio.get_running_loop()
        deadline = Deadline(task, loop.time() + self.limit_s)
        begun = self._begun
        # who is done at the head goes now; behind a slow one they wait for it, at most the limit
        while begun and begun[0].done:
            begun.popleft()
        begun.append(deadline)
        if self._timer is None:
            self._timer = loop.call_at(deadline.at, self._sweep)
        return deadline

    def _sweep(self) -> None:
        """Cancel who is late, and come again when the next one may be."""
        loop, begun = asyncio.get_running_loop(), self._begun
        now = loop.time()
        while begun and (begun[0].done or begun[0].at <= now):
            begun.popleft().pass_()
        self._timer = loop.call_at(begun[0].at, self._sweep) if begun else None


class Deadline:
    """The limit of one task."""

    __slots__ = ("_cancelling", "_passed", "_task", "at", "done")

    def __init__(self, task: "asyncio.Task[object]", at: float) -> None:
        self._task, self.at = task, at
        self._cancelling, self._passed, self.done = task.cancelling(), False, False

    def pass_(self) -> None:
        """The moment has come."""
        if not self.done:
            self._passed = True
            self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done = True
        # who was cancelled by others as well must hear of it
        if self._passed and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
