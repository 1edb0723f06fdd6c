"""What is scored unseen, beside the requests: only so much at once, and the rest is counted."""

import asyncio
import time
from collections.abc import Callable, Coroutine

import structlog

log = structlog.get_logger(__name__)

# shadows beyond these are left out: scoring them must not become a load of its own
MOST_SHADOWS = 64
SAY_EVERY_S = 60.0


class Shadows:
    """The shadows of one model that are under way.

    Attributes:
        dropped: inputs that no shadow scored, since too many were under way.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._under_way: set[asyncio.Task[None]] = set()
        self.dropped, self._say_at = 0, 0.0

    def add(self, inputs: int, score: Callable[[], Coroutine[object, object, None]]) -> None:
        """Score some inputs beside the request, unless too many are; that is said once a minute at most."""
        if len(self._under_way) < MOST_SHADOWS:
            task = asyncio.get_running_loop().create_task(score())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            return
        self.dropped += inputs
        now = time.monotonic()
        if now >= self._say_at:
            self._say_at = now + SAY_EVERY_S
            log.warning("shadows_dropped", model=self._model, total=self.dropped)

    async def finish(self, within_s: float) -> None:
        """Wait for those that are under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)
