"""What a trained detector computes: two views of a row, joined to a score, and the score's percentile.

The forest sees how soon random cuts isolate a row. The distance (Mahalanobis's, from a centre and a
covariance that leave the most outlying rows out) sees rows whose single values are usual and whose
combination is not.
Both are measured in spreads above their median over the training rows, so that they can be added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from finml.models.trees import TreeSession

Floats = npt.NDArray[np.float64]

GRID_SHARES: Floats = np.unique(
    np.concatenate([np.linspace(0, 0.95, 96), 1 - np.geomspace(0.05, 1e-5, 160), [1.0]])
)
"""Shares of the training rows at which their scores are kept: fine where alerts are decided."""
# beyond it, float32 trees and squares of float64 would lose what they are given
FARTHEST = 1e6


class Depths(Protocol):
    """A forest: mean relative depth of n rows."""

    def __call__(self, rows: npt.NDArray[np.float32]) -> Floats:
        """(n, k) rows to n depths."""
        ...


class OnnxForest:
    """A forest on ONNX Runtime."""

    def __init__(self, file: Path) -> None:
        self._trees = TreeSession(file)

    def __call__(self, rows: npt.NDArray[np.float32]) -> Floats:
        """(n, k) rows to n depths."""
        return self._trees(rows)[:, 0].astype(np.float64)


def forest_rows(rows: Floats, *, logs: bool) -> npt.NDArray[np.float32]:
    """(n, k) features as a forest sees them."""
    return np.ascontiguousarray(np.log1p(rows) if logs else rows, dtype=np.float32)


def forest_scores(depth: Floats) -> Floats:
    """scikit-learn's anomaly scores, between 0 and 1: `-IsolationForest.score_samples`."""
    scores: Floats = np.exp2(-depth)
    return scores


@dataclass(frozen=True)
class Scaler:
    """Median and spread of k features."""

    median: Floats
    spread: Floats

    def __call__(self, rows: Floats) -> Floats:
        """(n, k) rows in spreads from the median."""
        scaled: Floats = np.clip((rows - self.median) / self.spread, -FARTHEST, FARTHEST)
        return scaled


@dataclass(frozen=True)
class Distance:
    """Squared Mahalanobis distance in the scaled features, as a logarithm.

    Attributes:
        mean: (k,) centre.
        covariance: (k, k), kept because a refresh goes on from it.
        precision: (k, k), its inverse.
    """

    mean: Floats
    covariance: Floats
    precision: Floats

    def __call__(self, scaled: Floats) -> Floats:
        """Logarithm of one and the squared distance of n rows."""
        off = scaled - self.mean
        logs: Floats = np.log1p(np.maximum(np.einsum("ij,ij->i", off @ self.precision, off), 0))
        return logs


@dataclass(frozen=True)
class Head:
    """Forest and distance of all rows, or of those of one category.

    Attributes:
        centre: (2,) medians of forest score and distance over the training rows.
        spread: (2,) their spreads.
        weights: (2,) shares of the two in the score.
        logs: whether the forest sees logarithms: of features from 0 on, whose long tails would otherwise
            take most of the cuts.
    """

    forest: Depths
    distance: Distance
    centre: Floats
    spread: Floats
    weights: Floats
    logs: bool

    def __call__(self, rows: Floats, scaled: Floats) -> Floats:
        """Raw scores of (n, k) rows."""
        return self.joined(self.views(rows, scaled))

    def views(self, rows: Floats, scaled: Floats) -> Floats:
        """(n, 2) forest scores and distances."""
        depth = self.forest(forest_rows(rows, logs=self.logs))
        return np.column_stack([forest_scores(depth), self.distance(scaled)])

    def joined(self, views: Floats) -> Floats:
        """Raw scores of (n, 2) views."""
        raw: Floats = ((views - self.centre) / self.spread) @ self.weights
        return raw


@dataclass(frozen=True)
class Grid:
    """The distribution of the raw scores over the training rows.

    Attributes:
        scores: rising raw scores at `GRID_SHARES`.
    """

    scores: Floats

    @classmethod
    def of(cls, raw: Floats, weights: Floats) -> "Grid":
        """From the raw scores of n rows, and how many rows of the whole each of them stands for."""
        order = np.argsort(raw, kind="stable")
        reached = np.cumsum(weights[order]) - weights[order] / 2
        return cls(np.interp(GRID_SHARES, reached / weights.sum(), raw[order]))

    def percentile(self, raw: Floats) -> Floats:
        """Shares of the training rows that are less unusual than n raw scores.

        Beyond the most unusual training row the share goes on towards 1 without reaching it, so that two
        rows that nothing was ever like can still be told apart.
        """
        least, most = self.scores[0], self.scores[-1]
        width = max(most - least, 1e-9)
        last = GRID_SHARES[-2]
        # the top of the grid keeps half of its last step for what lies beyond
        shares = np.append(GRID_SHARES[:-1], (1 + last) / 2)
        inside = np.interp(raw, self.scores, shares)
        beyond = np.maximum(raw - most, 0) / width
        share: Floats = np.where(raw > most, 1 - (1 - shares[-1]) / (1 + beyond), inside)
        return share


@dataclass(frozen=True)
class Detector:
    """All heads with their scaler and grid.

    Attributes:
        heads: the head of all rows under the empty name, those of categories under theirs.
    """

    scaler: Scaler
    heads: Mapping[str, Head]
    grid: Grid

    def raw(self, rows: Floats, categories: Sequence[str]) -> Floats:
        """Raw scores of (n, k) rows; one whose category has a head of its own gets the mean of the two."""
        if not len(rows):
            return np.empty(0)
        scaled = self.scaler(rows)
        scores = self.heads[""](rows, scaled)
        given = np.asarray(categories, dtype=object)
        for category in set(categories) & (self.heads.keys() - {""}):
            places = np.flatnonzero(given == category)
            scores[places] += self.heads[category](rows[places], scaled[places])
            scores[places] /= 2
        return scores

    def score(self, rows: Floats, categories: Sequence[str]) -> Floats:
        """Percentiles of (n, k) rows."""
        return self.grid.percentile(self.raw(rows, categories))

    def head_of(self, category: str) -> str:
        """The category whose own head sees a row, or an empty name."""
        return category if category in self.heads else ""
