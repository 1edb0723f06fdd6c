"""Callers who ask a real service all the while, and what they saw."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx

CALLERS = 8
PAUSE_S = 0.005
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when it began (monotonic), its status (0: no whole answer), its seconds.

    Attributes:
        degraded: whether it was answered by features read before.
    """

    began: float
    status: int
    seconds: float
    degraded: bool


@dataclass
class Seen:
    """What callers saw.

    Attributes:
        refused: connections that were not taken.
    """

    requests: list[Asked] = field(default_factory=list)
    refused: int = 0

    @property
    def answered(self) -> int:
        """Requests that got an answer of the model."""
        return sum(one.status == 200 for one in self.requests)

    def words(self, since: float) -> str:
        """How many requests from a moment on got which status."""
        found = [one for one in self.requests if one.began >= since]
        statuses = Counter(one.status for one in found)
        words = ", ".join(
            f"{count:,} x {status}" if status else f"{count:,} broken off"
            for status, count in statuses.most_common()
        )
        if degraded := sum(one.degraded for one in found):
            words += f" ({degraded:,} of them `degraded`)"
        if self.refused:
            words += f"; {self.refused:,} connections not taken"
        return words

    def longest_ms(self, since: float) -> float:
        """The longest wait for an answer from a moment on."""
        return 1000 * max((one.seconds for one in self.requests if one.began >= since), default=0.0)

    def last_failure_s(self, since: float, fine: Sequence[int] = (200,)) -> float:
        """Seconds from a moment to the last request after it that failed; 0 where none did."""
        failed = [one.began for one in self.requests if one.began >= since and one.status not in fine]
        return max(failed, default=since) - since

    def rate_per_s(self, since: float, until: float) -> float:
        """Answers a second between two moments."""
        answered = sum(one.status == 200 and since <= one.began < until for one in self.requests)
        return answered / (until - since)


class Callers:
    """Threads that ask, each by one connection and one body after the other, as long as the block lasts."""

    def __init__(self, url: str, key: str, path: str, bodies: Sequence[Body]) -> None:
        """Deal the bodies out to the callers."""
        self.seen = Seen()
        self._url, self._key, self._path = url, key, path
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(bodies[number::CALLERS],)) for number in range(CALLERS)
        ]

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, with every answer waited for."""
        self._over.set()
        for thread in self._threads:
            if thread.ident:
                thread.join()

    def _ask(self, bodies: Sequence[Body]) -> None:
        with httpx.Client(base_url=self._url, timeout=30, headers={"X-API-Key": self._key}) as client:
            for body in self._until_over(bodies):
                began = time.monotonic()
                status, degraded = 0, False
                try:
                    answer = client.post(self._path, json=body)
                    status, degraded = answer.status_code, b'"degraded":true' in answer.content
                except httpx.ConnectError:
                    self.seen.refused += 1
                    self._over.wait(0.1)
                    continue
                except httpx.HTTPError:
                    pass
                self.seen.requests.append(Asked(began, status, time.monotonic() - began, degraded))
                self._over.wait(PAUSE_S)

    def _until_over(self, bodies: Sequence[Body]) -> Iterator[Body]:
        for body in cycle(bodies):
            if self._over.is_set():
                return
            yield body
