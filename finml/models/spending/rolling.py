"""Rolling origins: what each way of forecasting would have said in the past, and how wrong it was."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finml.models.spending.blending import DAMPING, DECAYS, WEIGHTS, Blend, recent_level
from finml.models.spending.calendar import DayTable
from finml.models.spending.fitting import VARIANTS, Variant, feature_values, fit
from finml.models.spending.series import Series
from finml.models.spending.simple import Kind, Pattern, pattern_of

Floats = npt.NDArray[np.float64]

# how much a series' own errors count in the choice beside those of all series
OWN_SHARE = 0.5


@dataclass(frozen=True)
class Choice:
    """A way of forecasting with Prophet."""

    variant: Variant
    decay: float
    weight: float

    @property
    def words(self) -> str:
        """In words."""
        parts = [f"Prophet, {self.variant.name}"]
        if self.decay:
            parts.append(f"level of the last periods (decay {self.decay:g})")
        if self.weight:
            parts.append(f"{self.weight:.0%} of the last season's pattern")
        return "; ".join(parts)


CHOICES = tuple(
    Choice(variant, decay, weight) for variant in VARIANTS for decay in DECAYS for weight in WEIGHTS
)


def origins(series: Series, least: int) -> list[int]:
    """Lengths of history from which the rest is forecast, the latest first."""
    frequency = series.frequency
    latest = len(series.values) - min(frequency.step, max(1, len(series.values) // 6))
    found = [latest - k * frequency.step for k in range(frequency.origins)]
    return [
        origin for origin in found if origin >= least and np.isfinite(series.values[:origin]).sum() >= least
    ]


def prophet_errors(series: Series, table: DayTable, variant: Variant) -> Floats:
    """Errors of the choices of one variant.

    Returns:
        (choices of the variant, origins, tested horizons): value less forecast over the series' unit at the
        origin; NaN where there is no value.
    """
    frequency = series.frequency
    found = origins(series, min_history(series))
    errors = np.full((len(DECAYS) * len(WEIGHTS), len(found), frequency.tested), np.nan)
    for place, origin in enumerate(found):
        head = series.head(origin)
        actual = series.values[origin : origin + frequency.tested]
        dates = series.dates[: origin + len(actual)]
        components = fit(head, table, variant)
        parts = components.evaluate(dates, feature_values(series, table, dates))
        trend, path = parts["trend"], np.sum(list(parts.values()), axis=0)
        steps = np.arange(1, len(actual) + 1)
        pattern = Pattern.seasonal(head)
        for row, (decay, weight) in enumerate((d, w) for d in DECAYS for w in WEIGHTS):
            relative = variant.multiplicative
            level = recent_level(head.values, path[:origin], trend[:origin], decay, relative=relative)
            blend = Blend(level, relative, DAMPING, weight)
            said = blend.apply(path[origin:], trend[origin:], pattern, steps, floor=never_negative(series))
            errors[row, place, : len(actual)] = (actual - said) / head.unit()
    return errors


def simple_errors(series: Series, kind: Kind) -> Floats:
    """The same of a simpler method, (origins, tested horizons)."""
    least = 2 if kind == "mean" else series.frequency.season
    found = origins(series, least)
    errors = np.full((len(found), series.frequency.tested), np.nan)
    for place, origin in enumerate(found):
        head = series.head(origin)
        actual = series.values[origin : origin + series.frequency.tested]
        said = pattern_of(kind, head).at(np.arange(1, len(actual) + 1))
        errors[place, : len(actual)] = (actual - said) / head.unit()
    return errors


def choose(errors: Mapping[str, Floats]) -> dict[str, int]:
    """The choice for each series: its own errors and those of all series, half and half.

    Few origins say little about one series, and all series together say what holds in general.

    Args:
        errors: by series, (choices, origins, horizons), the order of `CHOICES`.

    Returns:
        By series, a place in `CHOICES`; the first where there was no origin.
    """
    names = list(errors)
    scores = np.array([_scores(errors[name]) for name in names]).reshape(len(names), len(CHOICES))
    best = np.nanmin(np.where(np.isfinite(scores), scores, np.inf), axis=1, keepdims=True)
    relative = scores / np.where(np.isfinite(best) & (best > 0), best, 1.0)
    told = np.asarray(np.isfinite(relative).all(axis=1))
    if not told.any():
        return dict.fromkeys(names, 0)
    pooled = relative[told].mean(axis=0)
    mixed = np.where(told[:, None], OWN_SHARE * relative + (1 - OWN_SHARE) * pooled, pooled)
    return {name: int(place) for name, place in zip(names, mixed.argmin(axis=1), strict=True)}


def never_negative(series: Series) -> bool:
    """Whether a forecast below 0 would be one that the series never showed."""
    return bool(np.nanmin(series.values) >= 0)


def min_history(series: Series) -> int:
    """Periods that an origin needs before it; less than the whole fit, or short series would have none."""
    return max(12, int(series.frequency.least * 0.8))


def _scores(errors: Floats) -> Floats:
    """Mean absolute error of each choice, every horizon with the same weight."""
    if not np.isfinite(errors).any():
        return np.full(len(errors), np.nan)
    flat = np.abs(errors).reshape(len(errors), -1)
    return np.asarray(np.nanmean(flat, axis=1))
