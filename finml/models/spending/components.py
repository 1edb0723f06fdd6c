"""A fitted Prophet without Prophet: trend, seasons, holidays and regressors evaluated with numpy.

The formulas are those of `prophet.forecaster.Prophet` (1.5): a piecewise linear trend whose slope changes at
the changepoints, Fourier series, and linear effects, which either add to the trend or multiply it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

YEAR, WEEK = 365.25, 7.0
PARTS = ("trend", "yearly", "weekly", "holidays", "regressors")


@dataclass(frozen=True)
class Effect:
    """The effect of one feature: `beta * (value - mean) / deviation`, counted to `part`."""

    beta: float
    mean: float
    deviation: float
    part: str


@dataclass(frozen=True)
class Components:
    """What Prophet fitted.

    Attributes:
        start: first day of the history; time 0.
        length: days from it to the last day of the history; time 1.
        scale: what values were divided by.
        slope: of the trend at time 0, in scaled units.
        offset: of the trend at time 0.
        changes: changes of the slope.
        changepoints: their times, between 0 and 1.
        multiplicative: whether seasons and effects multiply the trend.
        yearly: Fourier coefficients, sine and cosine in turn; empty without a yearly season.
        weekly: the same of the week.
        effects: holidays and regressors by feature.
    """

    start: str
    length: float
    scale: float
    slope: float
    offset: float
    changes: tuple[float, ...]
    changepoints: tuple[float, ...]
    multiplicative: bool
    yearly: tuple[float, ...]
    weekly: tuple[float, ...]
    effects: Mapping[str, Effect]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Components":
        """The inverse of `to_dict`."""
        tuples = {name: tuple(document[name]) for name in ("changes", "changepoints", "yearly", "weekly")}
        effects = {name: Effect(**effect) for name, effect in document["effects"].items()}
        known = {field.name: document[field.name] for field in fields(cls)}
        return cls(**{**known, **tuples, "effects": effects})

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    def evaluate(self, days: Days, features: Mapping[str, Floats]) -> dict[str, Floats]:
        """Contributions of each part on n days; their sum is Prophet's `yhat`.

        Args:
            days: n days.
            features: n values of every feature that has an effect.
        """
        trend = self.trend(days)
        parts = {
            "yearly": _fourier(days, YEAR, self.yearly),
            "weekly": _fourier(days, WEEK, self.weekly),
            "holidays": np.zeros(len(days)),
            "regressors": np.zeros(len(days)),
        }
        for name, effect in self.effects.items():
            parts[effect.part] = parts[effect.part] + effect.beta * (
                (features[name] - effect.mean) / effect.deviation
            )
        factor = trend if self.multiplicative else self.scale
        return {"trend": trend, **{name: part * factor for name, part in parts.items()}}

    def trend(self, days: Days) -> Floats:
        """The trend on n days."""
        since = (days.astype("datetime64[D]") - np.datetime64(self.start)).astype(np.float64)
        time = since / self.length
        changes, points = np.array(self.changes), np.array(self.changepoints)
        passed = points[None, :] <= time[:, None]
        slope = self.slope + passed @ changes
        offset = self.offset - passed @ (changes * points)
        return np.asarray((slope * time + offset) * self.scale)

    def changepoint_days(self) -> Days:
        """The days on which the slope may change."""
        since = np.rint(np.array(self.changepoints) * self.length).astype(np.int64)
        return np.asarray(np.datetime64(self.start) + since)

    def slopes(self) -> tuple[Floats, Floats]:
        """Slope before and after each changepoint, in units a day."""
        after = self.slope + np.cumsum(np.array(self.changes))
        before = np.append(self.slope, after[:-1])[: len(after)]
        return before * self.scale / self.length, after * self.scale / self.length


def _fourier(days: Days, period: float, coefficients: Sequence[float]) -> Floats:
    if not coefficients:
        return np.zeros(len(days))
    angle = 2 * np.pi * days.astype("datetime64[D]").astype(np.float64) / period
    order = np.arange(1, len(coefficients) // 2 + 1)
    waves = np.outer(angle, order)
    return np.asarray(
        np.sin(waves) @ np.array(coefficients[::2]) + np.cos(waves) @ np.array(coefficients[1::2])
    )
