"""Canaries that one process has ended: for itself at once, for all as soon as the file can be written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from finml.errors import RoutingError
from finml.routing import file
from finml.routing.judgement import Breach
from finml.routing.rules import Canary, RolledBack, Routing, Rule

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
# nobody follows the file meanwhile
LOCK_S = 0.5


@dataclass
class _Unwritten:
    """What the file does not say yet: when it is tried, the pause after that, why the last try failed."""

    at: datetime
    pause: timedelta
    error: str = ""


class Endings:
    """Ends canaries, and remembers which.

    Args:
        path: the routing file.
        now: the clock, with a time zone.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path, self._now = path, now
        self._ended: dict[str, tuple[Canary, RolledBack]] = {}
        self._unwritten: dict[str, _Unwritten] = {}

    @property
    def error(self) -> str:
        """What the file does not say, and why; empty where it says all."""
        # asked by other threads than the one that writes
        unwritten = list(self._unwritten.items())
        return "; ".join(
            f"the canary of {model} is ended here, but the file cannot say so: {each.error}"
            for model, each in unwritten
            if each.error
        )

    def note(self, model: str, canary: Canary | None) -> RolledBack | None:
        """Why a canary was ended here; `None` where it was not."""
        ended = self._ended.get(model)
        return ended[1] if ended and ended[0] == canary else None

    def end(self, model: str, canary: Canary, breach: Breach) -> None:
        """Take a canary for ended, here from now on; the file says so with the next `write`."""
        note = RolledBack(at=self._now(), reason=breach.reason, figures=breach.figures, canary=canary)
        self._ended[model] = canary, note
        self._unwritten[model] = _Unwritten(self._now(), FIRST_PAUSE)
        log.error("canary_rolled_back", model=model, reason=breach.reason, **breach.figures)

    def write(self) -> None:
        """Have the file say what it does not say yet, where it is time to try."""
        now = self._now()
        for model, waiting in list(self._unwritten.items()):
            if now >= waiting.at:
                self._write(model, waiting)

    def _write(self, model: str, waiting: _Unwritten) -> None:
        canary, note = self._ended[model]

        def champion_instead(routing: Routing) -> Routing | None:
            # it may say something else by now, as that somebody has rolled back by hand
            if routing.rule(model).canary != canary:
                return None
            return routing.with_rule(model, Rule(to="champion", rolled_back=note))

        entry = {"action": "rolled_back", "by": "router", "why": note.reason}
        try:
            file.change(self._path, champion_instead, entry, lock_s=LOCK_S)
        except (RoutingError, OSError) as error:
            # as where the disk is full; a mounted configuration will never take it, and each process ends the
            # canary for itself
            if not waiting.error:
                log.error("routing_not_written", model=model, message=str(error))
            waiting.error, waiting.at = str(error), self._now() + waiting.pause
            waiting.pause = min(2 * waiting.pause, LONGEST_PAUSE)
            return
        del self._unwritten[model]
        if waiting.error:
            log.info("routing_written", model=model)
