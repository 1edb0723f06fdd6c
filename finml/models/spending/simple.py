"""What can be said without a model: the last season again, the mean, or the level of the last periods."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from finml.models.spending.blending import WEEKS_AVERAGED, recent_level
from finml.models.spending.periods import DAILY, Frequency
from finml.models.spending.series import ZERO_HEAVY, Series

Floats = npt.NDArray[np.float64]
Kind = Literal["seasonal_naive", "mean", "recent_level"]

MOST_GROWTH = 1.5
RECENT_DECAY = 0.5


@dataclass(frozen=True)
class Pattern:
    """Values that repeat, and grow by a factor with each repetition.

    Attributes:
        values: the coming periods, as many as repeat.
        growth: factor from one repetition to the next.
    """

    values: tuple[float, ...]
    growth: float

    @classmethod
    def seasonal(cls, series: Series) -> "Pattern":
        """The last season again, with the growth over the one before it where both are complete."""
        season = series.frequency.season
        averaged = WEEKS_AVERAGED if series.frequency is DAILY else 1
        last = series.values[-season * averaged :]
        padded = np.concatenate([np.full((-len(last)) % season, np.nan), last]).reshape(-1, season)
        counted = np.isfinite(padded).sum(axis=0)
        sums = np.nansum(padded, axis=0)
        whole = float(np.nanmean(series.values[-season:])) if np.isfinite(last).any() else 0.0
        values = np.where(counted > 0, sums / np.maximum(counted, 1), whole)
        return cls(tuple(float(value) for value in values), _growth(series))

    @classmethod
    def naive(cls, series: Series) -> "Pattern":
        """The last season again as it was, or the last value: what a forecast is measured against."""
        if series.n > series.frequency.season:
            return cls(cls.seasonal(series).values, 1.0)
        return cls((float(series.values[-1]),), 1.0)

    @classmethod
    def mean(cls, series: Series) -> "Pattern":
        """The mean of the last season, or of what there is."""
        recent = series.values[-series.frequency.season :]
        kept = recent if np.isfinite(recent).any() else series.values
        return cls((float(np.nanmean(kept)),), 1.0)

    @classmethod
    def recent(cls, series: Series) -> "Pattern":
        """The level of the last periods, each older one counting half."""
        return cls((recent_level(series.values, RECENT_DECAY),), 1.0)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Pattern":
        """The inverse of `to_dict`."""
        return cls(tuple(document["values"]), document["growth"])

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    def at(self, steps: npt.NDArray[np.int64]) -> Floats:
        """Values so many periods after the history: 1 is the next."""
        place = (steps - 1) % len(self.values)
        return np.asarray(np.array(self.values)[place] * self.growth ** (1 + (steps - 1) // len(self.values)))


def simple_kinds(series: Series) -> tuple[tuple[Kind, ...], str]:
    """The simpler methods that come into question for a series and why; none where Prophet can be fitted."""
    frequency = series.frequency
    kinds: tuple[Kind, ...] = ("mean", "recent_level")
    if series.n > frequency.season:
        kinds = ("seasonal_naive", *kinds)
    if series.zero_share > ZERO_HEAVY:
        return kinds, f"{series.zero_share:.0%} of the {frequency.unit}s have no spending"
    if series.n >= frequency.least:
        return (), ""
    unit = frequency.unit if series.n == 1 else f"{frequency.unit}s"
    return kinds, f"{series.n} {unit} of history; Prophet needs {frequency.least}"


def pattern_of(kind: Kind, series: Series) -> Pattern:
    """The pattern of a method."""
    made = {
        "seasonal_naive": Pattern.seasonal,
        "mean": Pattern.mean,
        "recent_level": Pattern.recent,
    }
    return made[kind](series)


def _growth(series: Series) -> float:
    frequency: Frequency = series.frequency
    season = frequency.season
    if frequency is DAILY or len(series.values) < 2 * season:
        return 1.0
    last, before = series.values[-season:], series.values[-2 * season : -season]
    both = np.isfinite(last) & np.isfinite(before)
    if both.sum() < season / 2 or before[both].sum() <= 0 or last[both].sum() <= 0:
        return 1.0
    return float(np.clip(last[both].sum() / before[both].sum(), 1 / MOST_GROWTH, MOST_GROWTH))
