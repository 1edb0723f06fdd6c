"""Daily quotas, against whoever would copy a model by asking it everything.

Requests are counted in memory, and each second the counts of all processes are brought together. A caller can
so pass its quota by what it sends within that second, never by more; its rate limit bounds this.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

import structlog

from finml.access.tallies import Tally, TallyError
from finml.access.ticker import Ticker

log = structlog.get_logger(__name__)

DAY_S = 86_400
EXCHANGE_S = 1.0


class Quota:
    """Counts what each caller was answered in the present UTC day.

    Args:
        tally: brings the counts of all processes together, and keeps them over a restart.
        now: seconds of the epoch.
    """

    def __init__(self, tally: Tally, now: Callable[[], float] = time.time) -> None:
        self._tally, self._now = tally, now
        self._lock = threading.Lock()
        self._day = int(now() // DAY_S)
        # counts of all processes as of the last exchange; counts since, by day
        self._known: Mapping[str, int] = {}
        self._fresh: dict[int, Counter[str]] = {}
        self._failing = False
        self._ticker = Ticker(self.exchange, seconds=EXCHANGE_S, name="finml-quota")

    def start(self) -> None:
        """Learn what was counted before, and begin to exchange."""
        self.exchange()
        self._ticker.start()

    def close(self) -> None:
        """End, with everything written that can be."""
        self._ticker.stop()
        self.exchange()
        self._tally.close()

    def spend(self, caller: str, items: int, limit: int) -> int:
        """Count `items` of a caller, if its quota holds them.

        Returns:
            0, or the seconds until the quota is new.
        """
        now = self._now()
        day = int(now // DAY_S)
        with self._lock:
            if day != self._day:
                self._day, self._known = day, {}
            fresh = self._fresh.setdefault(day, Counter())
            if self._known.get(caller, 0) + fresh[caller] + items > limit:
                return int((day + 1) * DAY_S - now) + 1
            fresh[caller] += items
        return 0

    def give_back(self, caller: str, items: int) -> None:
        """Uncount what was spent and got no answer; of what was spent before midnight nothing is left."""
        day = int(self._now() // DAY_S)
        with self._lock:
            if day != self._day:
                return
            fresh = self._fresh.setdefault(day, Counter())
            fresh[caller] -= min(items, max(0, self._known.get(caller, 0) + fresh[caller]))

    def exchange(self) -> None:
        """Add this process's counts to those of all, and learn the sums. Called off the requests' path."""
        with self._lock:
            day = int(self._now() // DAY_S)
            if day != self._day:
                self._day, self._known = day, {}
            sending: dict[int, dict[str, int]] = {day: {}} | {
                of: dict(counts) for of, counts in self._fresh.items()
            }
        for of in sorted(sending):
            try:
                sums = self._tally.exchange(of, sending[of])
            except TallyError as error:
                if not self._failing:
                    # nothing is lost while this process lives: the counts stay and are sent again
                    log.error("quota_not_shared", message=str(error))
                self._failing = True
                return
            self._settle(of, sending[of], sums)
        if self._failing:
            log.warning("quota_shared_again")
        self._failing = False

    def _settle(self, day: int, sent: Mapping[str, int], sums: Mapping[str, int]) -> None:
        with self._lock:
            fresh = self._fresh.pop(day, Counter())
            fresh.subtract(sent)
            # below 0 where something was given back
            left = {caller: count for caller, count in fresh.items() if count}
            if left:
                self._fresh[day] = Counter(left)
            if day == self._day:
                self._known = sums
