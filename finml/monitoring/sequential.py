"""A test of two means that is valid at any look, however often and whenever one looks.

The mixture sequential probability ratio test: Johari, Koomen, Pekelis, Walsh, "Always Valid Inference:
Continuous Monitoring of A/B Tests" (Operations Research 2022), and its asymptotic form for means with
estimated variances: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences" (Annals of Statistics 2024). An estimate over its variance behaves like
Brownian motion in the time 1/variance; mixed over N(0, scale²), its likelihood ratio against no difference is
a martingale, which exceeds 1/alpha at any time with probability alpha at most (Ville).
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

ALPHA = 0.05
SCALE = 0.02
"""Size of the differences that the test is sharpest for. Others are found too, and none makes it invalid."""
LEAST_UNITS = 50
"""Units a side below which nothing is said: variances are estimated, and the sum of few is no normal one."""

Floats = npt.NDArray[np.float64]
Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of means, with its variance; numbers, or arrays of several looks."""

    value: float | Floats
    variance: float | Floats

    def minus(self, other: "Estimate") -> "Estimate":
        """The difference of two means of units that have nothing to do with each other."""
        return Estimate(self.value - other.value, self.variance + other.variance)


def estimate(n: Number, total: Number, squares: Number, *, least: float = 0.0, most: float = 1.0) -> Estimate:
    """The mean of `n` values, from their sum and the sum of their squares.

    The variance is that with one value of `least` and one of `most` more: after few rare events the sample's
    own is too small, and a test that trusts it finds differences that are none.
    """
    mean = total / n
    more = n + 2
    centre = (total + least + most) / more
    spread = (squares + least**2 + most**2) / more - centre**2
    return Estimate(mean, spread / n)


def evidence(difference: Estimate, scale: float = SCALE) -> float | Floats:
    """Likelihood ratio of `some difference` over `none`: an e-value, which grows where there is one."""
    mixed = difference.variance + scale**2
    exponent = difference.value**2 * scale**2 / (2 * difference.variance * mixed)
    # e^500 is as certain as anything, and no overflow
    found: float | Floats = np.sqrt(difference.variance / mixed) * np.exp(np.minimum(exponent, 500.0))
    return found


def p_value(difference: Estimate, scale: float = SCALE) -> float:
    """Bound on the chance to ever see so much evidence without a difference."""
    return float(min(1.0, 1.0 / evidence(difference, scale)))


def half_width(variance: float | Floats, *, alpha: float = ALPHA, scale: float = SCALE) -> float | Floats:
    """Half of the interval that holds the truth at all looks together with probability 1 - alpha."""
    mixed = variance + scale**2
    width: float | Floats = np.sqrt(
        variance * mixed / scale**2 * (2 * np.log(1 / alpha) + np.log(mixed / variance))
    )
    return width


def growth_until_told(difference: Estimate, margin: float, *, alpha: float = ALPHA) -> float:
    """How many times as many units tell, should value and spread stay: a difference, or none that matters.

    Args:
        difference: the difference so far; not told yet.
        margin: smallest difference that matters.
        alpha: chance of error.
    """
    factors = np.geomspace(1.0, 1e6, 4000)
    widths = np.asarray(half_width(difference.variance / factors, alpha=alpha))
    size = abs(float(difference.value))
    told = (widths < size) | (size + widths < margin)
    return float(factors[np.argmax(told)]) if told.any() else float("inf")
