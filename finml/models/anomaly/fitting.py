"""Fitting the parts of a detector to rows: trees, distance, scaler, and what all users pay."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from finml.errors import UsageError
from finml.models.anomaly.behaviour import LEAST_SPREAD, SIGMA
from finml.models.anomaly.detector import Distance, Floats, Scaler, forest_rows
from finml.models.anomaly.trees import Tree, grown

TRIMMING_STEPS = 5
# added to the diagonal of a covariance of scaled features, so that it can be inverted
RIDGE = 1e-6
NO_SPREAD = 1e-9
LEAST_USERS_ROWS = 30
"""Rows of a category below which everyone's amounts of all categories are compared with."""


def fit_scaler(rows: Floats) -> Scaler:
    """Median and spread of (n, k) rows; a feature that is mostly one value has its standard deviation."""
    median = np.median(rows, axis=0)
    spread = SIGMA * np.median(np.abs(rows - median), axis=0)
    spread = np.where(spread > NO_SPREAD, spread, rows.std(axis=0))
    return Scaler(median, np.where(spread > NO_SPREAD, spread, 1.0))


def fit_distance(scaled: Floats, trimmed: float) -> Distance:
    """Centre and covariance of (n, k) scaled rows without the share `trimmed` that lies farthest out.

    Few anomalies among the rows would otherwise widen the covariance in their own direction until they look
    usual. Starts from all rows and goes on from those that were nearest (concentration steps of the minimum
    covariance determinant).
    """
    kept = np.ones(len(scaled), dtype=bool)
    found = _distance(scaled)
    for _ in range(TRIMMING_STEPS):
        far = found(scaled)
        kept = far <= np.quantile(far, 1 - trimmed)
        found = _distance(scaled[kept])
    return found


def _distance(scaled: Floats) -> Distance:
    mean = scaled.mean(axis=0)
    return distance_of(mean, np.atleast_2d(np.cov(scaled, rowvar=False)))


def distance_of(mean: Floats, covariance: Floats) -> Distance:
    """A distance of that centre and covariance; a feature without variance counts in its own spread."""
    still = np.diag(covariance) < NO_SPREAD
    covariance = covariance + np.diag(np.where(still, 1.0, RIDGE))
    precision: Floats = np.linalg.inv(covariance).astype(np.float64)
    return Distance(mean, covariance, precision)


def grow(rows: Floats, *, trees: int, max_samples: int, logs: bool, seed: int) -> list[Tree]:
    """Isolation trees of (n, k) rows, each of at most `max_samples` of them, by scikit-learn."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(
        n_estimators=trees, max_samples=min(max_samples, len(rows)), random_state=seed, n_jobs=1
    )
    forest.fit(forest_rows(rows, logs=logs))
    return grown(forest)


def centred(views: Floats) -> tuple[Floats, Floats]:
    """Median and spread of (n, 2) views of the training rows."""
    scaler = fit_scaler(views)
    return scaler.median, scaler.spread


def everyone(amounts: Floats, categories: "npt.NDArray[np.object_]") -> dict[str, list[float]]:
    """Median and spread of the logarithms of n amounts, by category and of all (the empty name)."""
    sizes = np.log(amounts)
    groups = {"": sizes}
    groups |= {str(name): sizes[categories == name] for name in np.unique(categories.astype(str))}
    return {
        name: [
            float(np.median(part)),
            LEAST_SPREAD + SIGMA * float(np.median(np.abs(part - np.median(part)))),
        ]
        for name, part in groups.items()
        if not name or len(part) >= LEAST_USERS_ROWS
    }


def resampled(weights: Floats, random: np.random.Generator, most: int) -> "npt.NDArray[np.intp]":
    """Positions of rows as they occur in the whole from which rows of n weights were drawn."""
    if np.ptp(weights) == 0 and len(weights) <= most:
        return np.arange(len(weights))
    return np.sort(random.choice(len(weights), min(len(weights), most), p=weights / weights.sum()))  # nosec B311  # numpy's generator, seeded; nothing secret


def parameters(
    given: Mapping[str, Any], declared: Mapping[str, Any], limits: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """Declared parameters with those that were given in their place, of the declared type.

    Raises:
        UsageError: one is no number, or none between its limits; names it and them.
    """
    return {
        name: _number(name, given.get(name, value), value, limits[name]) for name, value in declared.items()
    }


def _number(name: str, given: object, declared: float, limits: tuple[float, float]) -> float:
    """What was given as a number of the declared one's type."""
    least, most = limits
    try:
        found = (
            float(given)
            if isinstance(given, int | float | str) and not isinstance(given, bool)
            else float("nan")
        )
    except (OverflowError, ValueError):
        found = float("nan")
    whole = isinstance(declared, int)
    if not least <= found <= most or (whole and found != int(found)):
        raise UsageError(
            f"{name} must be a {'whole ' if whole else ''}number from {least:,} to {most:,}, not {given!r}",
            hint=f"unless given it is {declared}",
        )
    return int(found) if whole else found
