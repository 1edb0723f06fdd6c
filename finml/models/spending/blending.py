"""From Prophet's path to the forecast: the level of the last periods, and a share of the last season.

Prophet's trend is stiff on purpose, so it comes late where spending has just moved. What it missed lately is
added and fades with the horizon. A share of the last season's own pattern steadies the months that Prophet's
smooth season cannot follow. Both shares are chosen on rolling origins, and may be nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finml.models.spending.simple import Pattern

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DECAYS = (0.0, 0.5, 0.75)
"""How fast older residuals lose weight; 0 adds nothing."""
WEIGHTS = (0.0, 0.25, 0.5)
"""Shares of the last season."""
DAMPING = 0.9
RESIDUALS = 24


@dataclass(frozen=True)
class Blend:
    """What is made of Prophet's path.

    Attributes:
        level: mean residual of the last periods, as a share of the trend if `relative`.
        relative: whether it is one.
        damping: share of it that is left from one period to the next.
        weight: share of the last season.
    """

    level: float
    relative: bool
    damping: float
    weight: float

    def apply(self, path: Floats, trend: Floats, pattern: Pattern, steps: Ints, *, floor: bool) -> Floats:
        """The forecast at n horizons.

        Args:
            path: Prophet's n values.
            trend: its trend.
            pattern: the last season.
            steps: n horizons in periods after the history, 1 the next.
            floor: whether the series never falls below 0.
        """
        faded = self.level * self.damping ** (steps - 1)
        moved = path + faded * (np.abs(trend) if self.relative else 1.0)
        mixed = (1 - self.weight) * moved + self.weight * pattern.at(steps)
        return np.maximum(mixed, 0.0) if floor else np.asarray(mixed)


def recent_level(values: Floats, path: Floats, trend: Floats, decay: float, *, relative: bool) -> float:
    """The weighted mean of the last residuals, the newest with weight 1.

    Args:
        values: n values of the history, NaN where missing.
        path: what Prophet says of them.
        trend: its trend.
        decay: factor from one period's weight to that of the one before.
        relative: whether residuals are counted in shares of the trend.
    """
    if decay == 0:
        return 0.0
    residuals = values - path
    if relative:
        residuals = residuals / np.maximum(np.abs(trend), 1e-12)
    residuals = residuals[np.isfinite(residuals)][-RESIDUALS:]
    weights = decay ** np.arange(len(residuals))[::-1]
    return float(np.average(residuals, weights=weights))
