"""Failed attempts to authenticate, limited by where they come from."""

import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_network

from finml.access.rates import LocalRates

WITHIN_S = 60.0
MOST_BLOCKED = 10_000


class Attempts:
    """Counts failed attempts by address, and says for how long one must wait.

    Args:
        most: how many an address may make within a minute.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._rates = LocalRates()
        self._clock = clock
        # only addresses that failed too often are in here, so that all others cost one look
        self._blocked: dict[str, float] = {}

    def wait_s(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        if not self._blocked:
            return 0.0
        network = network_of(address)
        until = self._blocked.get(network)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._blocked[network]
        return max(0.0, left)

    def failed(self, address: str) -> None:
        """Note a failed attempt."""
        network = network_of(address)
        verdict = self._rates.take(network, self._most / WITHIN_S, self._most)
        if verdict.remaining == 0:
            if len(self._blocked) >= MOST_BLOCKED:
                del self._blocked[next(iter(self._blocked))]
            self._blocked[network] = self._clock() + (verdict.retry_in_s or WITHIN_S / self._most)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What one host cannot leave: its IPv4 address, or the 64 bits that an IPv6 host chooses freely in."""
    if ":" not in address:
        return address
    try:
        return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address
