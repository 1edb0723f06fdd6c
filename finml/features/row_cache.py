"""Stored features that were read moments ago, kept in this process."""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from cachetools import LRUCache

from finml.features.online import StoredRow

MARGIN = 0.9
"""Share of its time that a row may have been kept and still be promised to a read that follows at once."""


class RowCache:
    """The rows of the users asked for last, at most so many. To be used by several threads.

    A row is fresh for a time. Beyond that it stays until others push it out, for want of anything better.
    """

    def __init__(self, ttl_s: float, rows: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            ttl_s: seconds for which a row is fresh; 0: never.
            rows: most rows; the one asked for longest ago goes first.
            clock: seconds that never go back.
        """
        self._ttl_s, self._clock = ttl_s, clock
        self._rows: LRUCache[str, tuple[float, StoredRow]] = LRUCache(rows)
        # looking something up moves it to the front, so that reading needs the lock too
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, rows: Mapping[str, StoredRow]) -> None:
        """Keep what was just read."""
        now = self._clock()
        with self._lock:
            for user, row in rows.items():
                self._rows[user] = (now, row)

    def fresh(self, users: Iterable[str]) -> dict[str, StoredRow]:
        """The fresh rows of those users."""
        return self._since(users, self._clock() - self._ttl_s)

    def kept(self, users: Iterable[str]) -> dict[str, StoredRow]:
        """The rows of those users, however old."""
        return self._since(users, float("-inf"))

    def covers(self, users: Iterable[str]) -> bool:
        """Whether every user's row is fresh and will be for a moment."""
        wanted = set(users)
        return len(self._since(wanted, self._clock() - self._ttl_s * MARGIN)) == len(wanted)

    def _since(self, users: Iterable[str], oldest: float) -> dict[str, StoredRow]:
        with self._lock:
            found = ((user, self._rows.get(user)) for user in users)
            return {user: entry[1] for user, entry in found if entry is not None and entry[0] > oldest}
