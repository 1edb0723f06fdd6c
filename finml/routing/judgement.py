"""Whether a challenger breaks the limits of its canary, beyond what chance explains.

A figure breaks its limit only where the whole of its one-sided confidence interval does, so that a single
error among the first answers ends nothing. The confidence is high, as the question is asked again and again.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finml.routing.rules import Canary
from finml.routing.windows import Sample

ALPHA = 0.0005
"""Chance of a false alarm in one look at one limit, where a challenger stands exactly at the limit."""
Z = 3.2905267314919255  # the standard normal's quantile at 1 - ALPHA
P95 = 0.95


@dataclass(frozen=True)
class Breach:
    """A limit that is broken.

    Attributes:
        reason: in words.
        figures: what was measured, the bound that decided, and the limit.
    """

    reason: str
    figures: dict[str, float]


def judge(canary: Canary, champion: Sample, challenger: Sample) -> Breach | None:
    """The first limit that a challenger breaks, or `None`; also where there are too few answers to say."""
    if challenger.n < canary.min_requests:
        return None
    limits = canary.limits
    enough = champion.n >= canary.min_requests
    if limits.error_rate is not None:
        found = errors(limits.error_rate, champion if enough else None, challenger)
        if found:
            return found
    if limits.p95_ms is not None:
        found = slowness(limits.p95_ms, challenger)
        if found:
            return found
    if limits.latency_ratio is not None and enough:
        found = slowdown(limits.latency_ratio, champion, challenger)
        if found:
            return found
    if limits.score_shift is not None and enough:
        return shift(limits.score_shift, champion, challenger)
    return None


def errors(limit: float, champion: Sample | None, challenger: Sample) -> Breach | None:
    """Judge the share of failed answers against the champion's, or by itself where there is none.

    The bound of the difference is Newcombe's, from two Wilson intervals (Newcombe 1998, method 10).
    """
    rate = challenger.errors / challenger.n
    low, _ = wilson(challenger.errors, challenger.n)
    figures = {"challenger_errors": challenger.errors, "challenger_requests": challenger.n}
    other, bound = 0.0, low
    if champion:
        other = champion.errors / champion.n
        _, high = wilson(champion.errors, champion.n)
        bound = rate - other - math.hypot(rate - low, high - other)
        figures |= {"champion_errors": champion.errors, "champion_requests": champion.n}
    if bound <= limit:
        return None
    return Breach(
        f"{rate:.1%} of the challenger's answers failed, {other:.1%} of the champion's",
        figures | {"bound": bound, "limit": limit},
    )


def slowness(limit_ms: float, challenger: Sample) -> Breach | None:
    """Judge the challenger's 95th percentile by itself."""
    if not challenger.latencies_s.size:
        return None
    low, middle, _ = (1000 * second for second in quantile(challenger.latencies_s, P95))
    if low <= limit_ms:
        return None
    return Breach(
        f"the challenger's 95th percentile is {middle:.3g} ms, {limit_ms:g} ms are allowed",
        {"challenger_p95_ms": middle, "bound": low, "limit": limit_ms},
    )


def slowdown(limit: float, champion: Sample, challenger: Sample) -> Breach | None:
    """Judge the challenger's 95th percentile against the champion's."""
    if not (challenger.latencies_s.size and champion.latencies_s.size):
        return None
    low, middle, _ = quantile(challenger.latencies_s, P95)
    _, other, high = quantile(champion.latencies_s, P95)
    if low <= limit * high or not other:
        return None
    return Breach(
        f"the challenger's 95th percentile is {1000 * middle:.3g} ms, the champion's {1000 * other:.3g} ms",
        {
            "challenger_p95_ms": 1000 * middle,
            "champion_p95_ms": 1000 * other,
            "bound": low / high,
            "limit": limit,
        },
    )


def shift(limit: float, champion: Sample, challenger: Sample) -> Breach | None:
    """Judge how far the two distributions of scores are apart.

    The distance that chance alone explains is taken off: the critical value of the two-sample test.
    """
    if not (challenger.scores.size and champion.scores.size):
        return None
    distance = kolmogorov_smirnov(champion.scores, challenger.scores)
    chance = math.sqrt(-math.log(ALPHA / 2) / 2 * (1 / champion.scores.size + 1 / challenger.scores.size))
    if distance - chance <= limit:
        return None
    return Breach(
        f"the challenger's scores are {distance:.2f} away from the champion's (Kolmogorov-Smirnov)",
        {
            "distance": distance,
            "champion_median": float(np.median(champion.scores)),
            "challenger_median": float(np.median(challenger.scores)),
            "bound": distance - chance,
            "limit": limit,
        },
    )


def wilson(successes: int, n: int, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a share; `z` is the normal quantile of one side."""
    share, spread = successes / n, z * z / n
    middle = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def quantile(values: NDArray[np.float64], q: float, z: float = Z) -> tuple[float, float, float]:
    """A quantile of sorted values between its bounds, free of any assumption about their distribution.

    The bounds are the values whose ranks a binomial count of smaller ones stays within; the largest value
    where there are too few.
    """
    n = values.size
    middle, half = n * q, z * math.sqrt(n * q * (1 - q))
    ranks = (math.floor(middle - half) - 1, math.ceil(middle) - 1, math.ceil(middle + half))
    low, at, high = (float(values[min(max(rank, 0), n - 1)]) for rank in ranks)
    return low, at, high


def kolmogorov_smirnov(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Largest distance between the distribution functions of two sorted samples."""
    both = np.concatenate([one, other])
    below_one = np.searchsorted(one, both, side="right") / one.size
    below_other = np.searchsorted(other, both, side="right") / other.size
    return float(np.abs(below_one - below_other).max())
