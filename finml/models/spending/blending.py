"""From Prophet's path to the forecast: what it missed lately, and what it missed a season ago.

Prophet's trend is stiff on purpose, so it comes late where spending has just moved: the residuals of the last
periods are added and fade with the horizon. Its season is smooth on purpose, so it misses what is peculiar to
one month: a share of the residual of the same period of the last season is added. What festivals explain is
in neither, so that a festival that moves does not drag its old month along. Both shares are chosen on rolling
origins, and may be nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finml.models.spending.periods import DAILY, Frequency

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DECAYS = (0.0, 0.5, 0.75)
"""How fast older residuals lose weight; 0 adds nothing."""
WEIGHTS = (0.0, 0.25, 0.5)
"""Shares of the last season's residuals."""
DAMPING = 0.9
RESIDUALS = 24
# a week is short, so that the last one alone says little
WEEKS_AVERAGED = 4


@dataclass(frozen=True)
class Blend:
    """What is added to Prophet's path.

    Attributes:
        level: mean residual of the last periods, as a share of the trend if `relative`.
        relative: whether it is one.
        damping: share of it that is left from one period to the next.
        season: share of the residuals of the last season that is added, the coming period's first.
    """

    level: float
    relative: bool
    damping: float
    season: tuple[float, ...]

    @classmethod
    def of(
        cls,
        residuals: Floats,
        frequency: Frequency,
        decay: float,
        weight: float,
        *,
        relative: bool,
    ) -> "Blend":
        """From the residuals of the history, NaN where a value is missing.

        Args:
            residuals: n values less what Prophet says of them, over the trend if `relative`.
            frequency: of the series.
            decay: factor from one period's weight in the level to that of the one before.
            weight: share of the last season.
            relative: whether residuals are shares of the trend.
        """
        level = recent_level(residuals, decay)
        season = weight * last_season(residuals - level, frequency) if weight else np.zeros(1)
        return cls(level, relative, DAMPING, tuple(float(value) for value in season))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Blend":
        """From what JSON kept."""
        return cls(**{**document, "season": tuple(document["season"])})

    def added(self, trend: Floats, steps: Ints) -> Floats:
        """What is added at n horizons.

        Args:
            trend: Prophet's trend.
            steps: n horizons in periods after the history, 1 the next.
        """
        faded = self.level * self.damping ** (steps - 1)
        seasonal = np.array(self.season)[(steps - 1) % len(self.season)]
        return np.asarray((faded + seasonal) * (np.abs(trend) if self.relative else 1.0))


def residuals_of(values: Floats, path: Floats, trend: Floats, *, relative: bool) -> Floats:
    """Values less what Prophet says of them, over the trend if `relative`."""
    found = values - path
    return np.asarray(found / np.maximum(np.abs(trend), 1e-12) if relative else found)


def recent_level(residuals: Floats, decay: float) -> float:
    """The weighted mean of the last known residuals, the newest with weight 1."""
    if decay == 0:
        return 0.0
    known = residuals[np.isfinite(residuals)][-RESIDUALS:]
    return float(np.average(known, weights=decay ** np.arange(len(known))[::-1]))


def last_season(residuals: Floats, frequency: Frequency) -> Floats:
    """Residuals of the last season, the coming period's first; 0 where none is known."""
    count = frequency.season * (WEEKS_AVERAGED if frequency is DAILY else 1)
    last = residuals[-count:]
    padded = np.concatenate([np.full(-len(last) % frequency.season, np.nan), last])
    if len(padded) < frequency.season:
        return np.zeros(frequency.season)
    table = padded.reshape(-1, frequency.season)
    counted = np.isfinite(table).sum(axis=0)
    return np.asarray(np.nansum(table, axis=0) / np.maximum(counted, 1))
