"""What is scored unseen, beside the requests: only so much at once, and the rest is counted."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine

import structlog

log = structlog.get_logger(__name__)

# shadows beyond these are left out: scoring them must not become a load of its own
MOST_SHADOWS = 64
SAY_EVERY_S = 60.0


class Shadows:
    """The shadows of one model that are under way.

    What goes wrong with them is said once a minute at most, and counted: requests do not depend on it, and a
    version that fails at all of them would fill the log.

    Args:
        model: its name, for the log.
        clock: monotonic seconds.

    Attributes:
        dropped: inputs that no shadow scored, since too many were under way.
        failed: inputs that a shadow could not score, by the kind of error.
    """

    def __init__(self, model: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._model, self._clock = model, clock
        self._under_way: set[asyncio.Task[None]] = set()
        self.dropped = 0
        self.failed: Counter[str] = Counter()
        self._say_at: dict[str, float] = {}

    def add(self, inputs: int, score: Callable[[], Coroutine[object, object, None]]) -> None:
        """Score some inputs beside the request, unless too many are; an error is counted."""
        if len(self._under_way) < MOST_SHADOWS:
            task = asyncio.get_running_loop().create_task(self._attempt(inputs, score))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            return
        self.dropped += inputs
        if self._may_say(""):
            log.warning("shadows_dropped", model=self._model, total=self.dropped)

    async def finish(self, within_s: float) -> None:
        """Wait for those that are under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)

    async def _attempt(self, inputs: int, score: Callable[[], Coroutine[object, object, None]]) -> None:
        try:
            await score()
        except Exception as error:
            kind = type(error).__name__
            self.failed[kind] += inputs
            if self._may_say(kind):
                log.warning("shadows_failed", model=self._model, error=kind, total=self.failed[kind])

    def _may_say(self, what: str) -> bool:
        """Whether it was not said within the last minute; it counts as said then."""
        now = self._clock()
        if now < self._say_at.get(what, now):
            return False
        self._say_at[what] = now + SAY_EVERY_S
        return True
