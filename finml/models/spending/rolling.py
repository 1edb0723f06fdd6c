"""Rolling origins: what each way of forecasting would have said in the past, and how wrong it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finml.models.spending.blending import DECAYS, WEIGHTS, Blend, residuals_of
from finml.models.spending.calendar import DayTable
from finml.models.spending.fitting import Variant, feature_values, fit, variants
from finml.models.spending.series import Series
from finml.models.spending.simple import Kind, pattern_of

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
            parts.append(f"{self.weight:.0%} of the last season's residuals")
        return "; ".join(parts)


BLENDS = tuple((decay, weight) for decay in DECAYS for weight in WEIGHTS)


def choices(series: Series) -> list[Choice]:
    """The ways of forecasting a series that are tried: each of its variants with each blend."""
    return [Choice(variant, decay, weight) for variant in variants(series) for decay, weight in BLENDS]


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
    errors = np.full((len(BLENDS), len(found), frequency.tested), np.nan)
    for place, origin in enumerate(found):
        head = series.head(origin)
        actual = series.values[origin : origin + frequency.tested]
        dates = series.dates[: origin + len(actual)]
        components = fit(head, table, variant)
        parts = components.evaluate(dates, feature_values(head, table, dates))
        trend, path = parts["trend"], np.sum(list(parts.values()), axis=0)
        steps = np.arange(1, len(actual) + 1)
        relative = variant.multiplicative
        missed = residuals_of(head.values, path[:origin], trend[:origin], relative=relative)
        for row, (decay, weight) in enumerate(BLENDS):
            blend = Blend.of(missed, frequency, decay, weight, relative=relative)
            said = path[origin:] + blend.added(trend[origin:], steps)
            floored = np.maximum(said, 0.0) if never_negative(series) else said
            errors[row, place, : len(actual)] = (actual - floored) / head.unit()
    return errors


def simple_errors(series: Series, kinds: Sequence[Kind]) -> tuple[Kind, Floats]:
    """The simpler method with the least error on the origins, and its errors, (origins, tested horizons).

    The first of the kinds where there is no origin to tell.
    """
    least = series.frequency.season if "seasonal_naive" in kinds else 2
    found = origins(series, least)
    errors = np.full((len(kinds), len(found), series.frequency.tested), np.nan)
    for place, origin in enumerate(found):
        head = series.head(origin)
        actual = series.values[origin : origin + series.frequency.tested]
        steps = np.arange(1, len(actual) + 1)
        for row, kind in enumerate(kinds):
            errors[row, place, : len(actual)] = (actual - pattern_of(kind, head).at(steps)) / head.unit()
    scores = _scores(errors)
    best = int(np.nanargmin(scores)) if np.isfinite(scores).any() else 0
    return kinds[best], errors[best]


def choose(errors: Mapping[str, Floats]) -> dict[str, int]:
    """The choice for each series: its own errors and those of all series, half and half.

    Few origins say little about one series, and all series together say what holds in general.

    Args:
        errors: by series, (choices, origins, horizons); all series with the same choices.

    Returns:
        By series, the place of a choice; the first where there was no origin.
    """
    names = list(errors)
    if not names:
        return {}
    scores = np.stack([_scores(errors[name]) for name in names])
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
    return int(series.frequency.least * 0.75)


def _scores(errors: Floats) -> Floats:
    """Mean absolute error of each choice, every horizon with the same weight."""
    if not np.isfinite(errors).any():
        return np.full(len(errors), np.nan)
    flat = np.abs(errors).reshape(len(errors), -1)
    return np.asarray(np.nanmean(flat, axis=1))
