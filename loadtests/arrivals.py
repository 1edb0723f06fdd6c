"""When requests are due: the rate over time, and arrivals drawn from it."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from loadtests.scenarios import Scenario


@dataclass(frozen=True)
class Profile:
    """A rate over time, constant between edges and zero outside them.

    Attributes:
        edges: seconds into the run, rising from 0.
        rates: requests a second between each edge and the next.
    """

    edges: tuple[float, ...]
    rates: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """How long requests are sent."""
        return self.edges[-1]

    def rate_at(self, at_s: float) -> float:
        """The rate at a moment."""
        if not 0 <= at_s < self.seconds:
            return 0.0
        return self.rates[bisect_right(self.edges, at_s) - 1]

    def expected(self, start_s: float, end_s: float) -> float:
        """Requests that are expected in a span."""
        return sum(
            rate * max(0.0, min(end, end_s) - max(start, start_s))
            for (start, end), rate in zip(pairwise(self.edges), self.rates, strict=True)
        )

    def moment_after(self, start_s: float, requests: float) -> float | None:
        """The moment until which that many requests are expected from `start_s` on; `None` beyond the run."""
        left = requests
        for (start, end), rate in zip(pairwise(self.edges), self.rates, strict=True):
            begins = max(start, start_s)
            if end <= begins:
                continue
            if rate * (end - begins) >= left:
                # rounding must not push a moment out of its span
                return min(begins + left / rate, end)
            left -= rate * (end - begins)
        return None


def profile(scenario: Scenario) -> Profile:
    """The rate of a scenario's callers together; where they wait for answers, its multiple of the usual."""
    usual = scenario.rate_per_s or 1.0
    end = float(scenario.seconds)
    edges = [0.0, *sorted(edge for edge in set(_edges(scenario)) if 0 < edge < end), end]
    factor = _factor(scenario)
    return Profile(tuple(edges), tuple(usual * factor((start + stop) / 2) for start, stop in pairwise(edges)))


def arrivals(rate: Profile, callers: int, rng: random.Random) -> Iterator[float]:
    """Moments at which one of several callers sends: a Poisson process with its part of the rate.

    The moments do not depend on answers. A service that stalls is then asked on, and what it makes wait is
    measured, where a caller that waits for it would measure one slow answer and omit the others.
    """
    at_s = 0.0
    while (next_s := rate.moment_after(at_s, callers * rng.expovariate(1.0))) is not None:
        yield (at_s := next_s)


def _edges(scenario: Scenario) -> Iterator[float]:
    """Where the rate changes."""
    if scenario.spike:
        yield from (scenario.spike.after_s, scenario.spike.end_s)
    if scenario.bursts:
        period = scenario.bursts.off_s + scenario.bursts.on_s
        for turn in range(int(scenario.seconds / period) + 1):
            yield from (turn * period, turn * period + scenario.bursts.off_s)
    if scenario.steps:
        for step in range(int(scenario.seconds / scenario.steps.every_s) + 1):
            yield step * scenario.steps.every_s


def _factor(scenario: Scenario) -> Callable[[float], float]:
    """The multiple of the usual rate at a moment."""
    spike, bursts, steps = scenario.spike, scenario.bursts, scenario.steps

    def at(moment: float) -> float:
        factor = 1.0
        if spike and spike.after_s <= moment < spike.end_s:
            factor *= spike.factor
        if bursts and moment % (bursts.off_s + bursts.on_s) >= bursts.off_s:
            factor *= bursts.factor
        if steps:
            factor *= steps.factor ** int(moment / steps.every_s)
        return factor

    return at
