"""Work-conserving batching: what has come while a model was busy is scored by its next call.

An idle model starts at once, so a lone caller waits for nobody; a busy one fills its batches by itself.
BentoML's own adaptive batching holds the first request back in the hope of company, and sheds load by
guessing how long a batch will take.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741  # an input
O = TypeVar("O")  # noqa: E741  # an output


class QueueFullError(Exception):
    """More rows wait than the limits allow, or a request has waited too long; it should come again later."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lane may hold.

    Attributes:
        rows: most rows a batch; a request of more is a batch of its own.
        queue_rows: most rows that wait; a request that would make it more is refused at once.
        queue_wait_s: seconds after which a request that still waits is refused.
    """

    rows: int = 32
    queue_rows: int = 1024
    queue_wait_s: float = 5.0


@dataclass(slots=True, eq=False)
class _Work(Generic[I, O]):
    items: Sequence[I]
    answer: "asyncio.Future[list[O]]"
    since: float


class Lane(Generic[I, O]):
    """The queue in front of one function that scores rows.

    Used from one event loop. Batches of a lane never overlap; a full one is handed to the lane's thread while
    that has another, so that the thread need not wait for the event loop. A request whose caller has left
    (whose awaiting task was cancelled) is dropped from the queue; what the thread has already is finished and
    thrown away.

    Attributes:
        waiting_rows: rows in the queue.
    """

    def __init__(
        self,
        score: Callable[[Sequence[I]], Sequence[O]],
        limits: Limits,
        *,
        inline: Callable[[Sequence[I]], bool],
        on_batch: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """Open a lane.

        Args:
            score: answers n inputs by n outputs in the same order.
            limits: see `Limits`.
            inline: whether a batch is so short a work that it is done on the event loop, where a thread's
                hand-over would cost more than the work; false for all that waits or computes for long.
            on_batch: told the rows of each batch.
        """
        self.waiting_rows = 0
        self._score, self._limits, self._inline, self._on_batch = score, limits, inline, on_batch
        self._queue: deque[_Work[I, O]] = deque()
        # batches that the thread has; whether the next one is about to be taken
        self._handed, self._scheduled = 0, False
        # a thread of its own: a model that waits for its online store holds up no other
        self._thread: ThreadPoolExecutor | None = None

    async def submit(self, items: Sequence[I]) -> list[O]:
        """Outputs of `items`, scored together with whatever else waits.

        Raises:
            QueueFullError: the queue is full, or this request stood in it for too long.
            Exception: whatever `score` raises for these items.
        """
        if self.waiting_rows + len(items) > self._limits.queue_rows and self._queue:
            raise QueueFullError
        loop = asyncio.get_running_loop()
        work: _Work[I, O] = _Work(items, loop.create_future(), time.monotonic())
        self._queue.append(work)
        self.waiting_rows += len(items)
        if not self._handed:
            self._go_on(loop)
        else:
            self._keep_ahead(loop)
        return await work.answer

    def close(self) -> None:
        """End the lane's thread when its present batch is done."""
        if self._thread:
            self._thread.shutdown(wait=False)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Score the next batch two turns of the event loop later, when all that has arrived by now is queued.

        One turn reads from the connections, the next hands on what was read. Neither waits for anything.
        """
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(loop.call_soon, self._next)

    def _next(self) -> None:
        """Score the next batch, if anything waits and the thread has nothing."""
        self._scheduled = False
        if self._handed or not self._queue:
            return
        loop = asyncio.get_running_loop()
        batch = self._take()
        if not batch:
            return
        items = rows_of(batch)
        if self._inline(items):
            self._on_batch(len(items))
            self._finish(batch, self._attempt(batch, items))
            # not in a loop here: between batches the event loop reads the requests of the next one
            self._go_on(loop)
        else:
            self._hand_over(loop, batch)

    def _keep_ahead(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the thread another batch where it has one and a full one waits."""
        if self._handed == 1 and self.waiting_rows >= self._limits.rows:
            self._hand_over(loop, self._take())

    def _hand_over(self, loop: asyncio.AbstractEventLoop, batch: list[_Work[I, O]]) -> None:
        """Have the thread score a batch, after the one that it has."""
        if not batch:
            return
        items = rows_of(batch)
        self._on_batch(len(items))
        self._handed += 1
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="lane")
        scoring = loop.run_in_executor(self._thread, self._attempt, batch, items)
        scoring.add_done_callback(lambda done: self._after(loop, batch, done))
        self._keep_ahead(loop)

    def _after(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Work[I, O]],
        done: "asyncio.Future[list[list[O] | Exception]]",
    ) -> None:
        self._handed -= 1
        try:
            # the thread first: answering takes a while
            if self._handed == 0:
                self._next()
            else:
                self._keep_ahead(loop)
        finally:
            if not done.cancelled():
                self._finish(batch, done.result())

    def _take(self) -> list[_Work[I, O]]:
        """The next batch: whole requests from the head of the queue, up to the limit of rows."""
        batch: list[_Work[I, O]] = []
        rows, now = 0, time.monotonic()
        while self._queue:
            work = self._queue[0]
            gone = work.answer.done()
            late = now - work.since > self._limits.queue_wait_s
            if not (gone or late) and batch and rows + len(work.items) > self._limits.rows:
                break
            self._queue.popleft()
            self.waiting_rows -= len(work.items)
            if late and not gone:
                work.answer.set_exception(QueueFullError())
            elif not gone:
                batch.append(work)
                rows += len(work.items)
        return batch

    def _attempt(self, batch: list[_Work[I, O]], items: Sequence[I]) -> list[list[O] | Exception]:
        """Outputs or an error for each request of a batch.

        Where a batch of several fails, each request is scored alone: one that cannot be answered must not
        fail the others.
        """
        try:
            outputs = self._score(items)
            if len(outputs) != len(items):
                raise RuntimeError(f"{len(outputs)} outputs for {len(items)} inputs")
        except BaseException as error:
            # whatever it is: a lane that does not go on answers nobody ever again
            if len(batch) == 1:
                return [failure(error)]
            return [found for work in batch for found in self._attempt([work], work.items)]
        found: list[list[O] | Exception] = []
        start = 0
        for work in batch:
            found.append(list(outputs[start : start + len(work.items)]))
            start += len(work.items)
        return found

    @staticmethod
    def _finish(batch: list[_Work[I, O]], found: Sequence[list[O] | Exception]) -> None:
        for work, result in zip(batch, found, strict=True):
            if work.answer.done():
                continue
            if isinstance(result, Exception):
                work.answer.set_exception(result)
            else:
                work.answer.set_result(result)


def rows_of(batch: Sequence[_Work[I, O]]) -> list[I]:
    """The rows of all requests of a batch, in order."""
    return [item for work in batch for item in work.items]


def failure(error: BaseException) -> Exception:
    """What a future takes and handlers of requests catch: no panic of a Rust library, no `StopIteration`."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"scoring ended with {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
