"""How wide an 80 % interval is, from the errors on rolling origins.

An error is counted in the series' unit. Its spread is the product of one number a series and one a bucket of
horizons, the latter shared by all series of a frequency. What multiplies that spread is the conformal
quantile of errors over it, where each origin is judged by the spread of the other origins: errors that were
used for the spread would look smaller than those to come.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from finml.models.spending.periods import Frequency

Floats = npt.NDArray[np.float64]

COVERAGE = 0.8
# a series' own spread counts beside that of all as if theirs were seen so many times
PRIOR_ORIGINS = 1.0
# of a series without any error to learn from: half of its unit
UNKNOWN_SPREAD = 0.5
NORMAL_QUANTILE = 1.2816
LEAST_SPREAD = 1e-6
# few origins reach the far horizons, and those few share what happened to all series: spreads grow at least
# with this power of the horizon
LEAST_GROWTH = 0.3


def half_widths(errors: Mapping[str, Floats], frequency: Frequency) -> dict[str, list[float]]:
    """Half the width of the 80 % interval of each series by bucket of horizons, in the series' unit.

    Args:
        errors: by series, (origins, tested horizons), NaN where unknown.
        frequency: of all of them.
    """
    squares = {name: _by_bucket(found**2, frequency) for name, found in errors.items()}
    shape = _shape(squares, frequency)
    every = _pooled(squares, shape)
    scores = []
    for name, found in errors.items():
        weights = np.interp(np.arange(1, frequency.tested + 1), frequency.centres, shape)
        for place in range(len(found)):
            # a single origin has no other to be judged by
            others = np.delete(squares[name], place, axis=0) if len(found) > 1 else squares[name]
            spread = _spread(others, shape, every)
            scores.append(np.abs(found[place]) / np.maximum(spread * weights, LEAST_SPREAD))
    known = np.concatenate(scores) if scores else np.array([])
    factor = _quantile(known[np.isfinite(known)], max((len(found) for found in errors.values()), default=0))
    spreads = {
        name: factor * max(LEAST_SPREAD, _spread(found, shape, every))
        if np.isfinite(found).any()
        else NORMAL_QUANTILE * UNKNOWN_SPREAD
        for name, found in squares.items()
    }
    return {name: [float(spread * each) for each in shape] for name, spread in spreads.items()}


def _buckets(frequency: Frequency) -> npt.NDArray[np.intp]:
    """The bucket of each tested horizon."""
    return np.searchsorted(np.array(frequency.buckets), np.arange(1, frequency.tested + 1))


def _by_bucket(values: Floats, frequency: Frequency) -> Floats:
    """(origins, buckets): means over the horizons of each bucket, NaN where none is known."""
    place = _buckets(frequency)
    found = np.full((len(values), len(frequency.buckets)), np.nan)
    for bucket in range(len(frequency.buckets)):
        part = values[:, place == bucket]
        counts = np.isfinite(part).sum(axis=1)
        sums = np.nansum(part, axis=1)
        found[:, bucket] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found


def _shape(squares: Mapping[str, Floats], frequency: Frequency) -> Floats:
    """How the spread grows with the horizon, 1 in the first bucket, never falling."""
    relative = []
    for found in squares.values():
        size = np.nanmean(found) if np.isfinite(found).any() else 0.0
        if size > 0:
            relative.append(found / size)
    centres = frequency.centres
    least = (centres / centres[0]) ** LEAST_GROWTH
    if not relative:
        return np.asarray(least)
    stacked = np.concatenate(relative)
    known = np.isfinite(stacked).any(axis=0)
    rms = np.maximum(np.sqrt(np.nanmean(stacked[:, known], axis=0)), LEAST_SPREAD)
    last = int(np.flatnonzero(known)[-1])
    filled = np.interp(np.arange(last + 1), np.flatnonzero(known), rms)
    # beyond the horizons that were tried errors grow as those of a random walk
    beyond = filled[-1] * np.sqrt(centres[last + 1 :] / centres[last])
    shape = np.concatenate([filled, beyond]) / filled[0]
    growth = np.maximum(np.diff(np.log(shape), prepend=0.0), np.diff(np.log(least), prepend=0.0))
    return np.asarray(np.exp(np.cumsum(growth)))


def _pooled(squares: Mapping[str, Floats], shape: Floats) -> float:
    """The median series' mean square, after the shape is taken out."""
    sizes = [float(np.nanmean(found / shape**2)) for found in squares.values() if np.isfinite(found).any()]
    return float(np.median(sizes)) if sizes else UNKNOWN_SPREAD**2


def _spread(squares: Floats, shape: Floats, every: float) -> float:
    """Root mean square of a series' errors, drawn to that of all series by `PRIOR_ORIGINS`."""
    relative = squares / shape**2
    known = np.isfinite(relative).any(axis=1)
    own = np.nanmean(relative[known], axis=1).sum() if known.any() else 0.0
    return math.sqrt((PRIOR_ORIGINS * every + own) / (PRIOR_ORIGINS + known.sum()))


def _quantile(scores: Floats, origins: int) -> float:
    """The conformal quantile; the normal one where there is nothing to learn from.

    Errors from one origin share what happened after it, and origins that follow each other share some of it
    too: half of the origins are what is counted, not errors. Few of them ask for a quantile above 80 %.
    """
    if not len(scores):
        return NORMAL_QUANTILE
    return float(np.quantile(scores, COVERAGE + (1 - COVERAGE) / (1 + origins / 2)))
