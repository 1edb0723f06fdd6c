"""Callers that go on asking a real service until they are told to stop, and remember every answer."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.bentos.waiting import wait_for


@dataclass
class Callers:
    """What callers saw.

    Attributes:
        statuses: how many answers of each status.
        versions: how many items by each version.
        broken: requests that were sent and got no whole answer.
        turned_away: connections that the service did not take.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    turned_away: int = 0
    last_version: dict[int, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())

    def ask(self, url: str, body: dict, number: int) -> None:
        """Ask until told to stop, or until the service takes no more connections."""
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self.stop.is_set():
                try:
                    answer = client.post("/predict/credit_risk", json=body)
                except httpx.ConnectError:
                    with self.lock:
                        self.turned_away += 1
                    self.stop.wait(0.05)
                    continue
                except httpx.HTTPError as error:
                    with self.lock:
                        self.broken.append(repr(error))
                    continue
                with self.lock:
                    self.statuses[answer.status_code] += 1
                    if answer.status_code == 200:
                        version = answer.json()[0]["model_version"]
                        self.versions[version] += 1
                        self.last_version[number] = version


@contextmanager
def calling(url: str, bodies: list[dict]) -> Iterator[Callers]:
    """A caller for each body, while the block lasts; the block begins when all have been answered once."""
    callers = Callers()
    threads = [
        threading.Thread(target=callers.ask, args=(url, body, number)) for number, body in enumerate(bodies)
    ]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: callers.answers >= len(bodies))
        yield callers
    finally:
        callers.stop.set()
        for thread in threads:
            thread.join()
