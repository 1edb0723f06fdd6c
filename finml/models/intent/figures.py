"""Figures of a classifier of texts, with bootstrap intervals, vectorised over the resamples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finml.models.base import Interval
from finml.models.intent.head import Floats, Indicators
from finml.models.statistics import interval, resample_weights

RESAMPLES = 1000
ECE_BINS = 15

Figures = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Judged:
    """What was said about n texts in scope, beside what is right.

    Attributes:
        targets: (n, k) which intents each text has.
        decided: (n, k) which the model says it has.
        confidence: n probabilities of the likeliest intent.
        hit: whether the text has the likeliest intent.
    """

    targets: Indicators
    decided: Indicators
    confidence: Floats
    hit: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, targets: Indicators, probabilities: Floats, decided: Indicators) -> "Judged":
        """From (n, k) targets, probabilities and decisions."""
        top = probabilities.argmax(axis=1)
        return cls(targets, decided, probabilities.max(axis=1), targets[np.arange(len(top)), top])

    def figures(self, weights: Floats) -> Figures:
        """Every figure for each of B resamples.

        Args:
            weights: (B, n) how often each text was drawn.

        Returns:
            B values a figure. `accuracy`: share of the texts whose intents are found, all of them and no
            other. `macro_f1`: mean over the intents that occur or are predicted. `micro_f1`: over all.
            `ece`: mean gap between confidence and share of hits over 15 bins of equal width.
        """
        right = weights @ (self.targets & self.decided).astype(np.float64)
        claims = weights @ self.targets.astype(np.float64) + weights @ self.decided.astype(np.float64)
        total = weights.sum(axis=1)
        bins = np.minimum((self.confidence * ECE_BINS).astype(np.intp), ECE_BINS - 1)
        gaps = np.zeros((len(bins), ECE_BINS))
        gaps[np.arange(len(bins)), bins] = self.hit - self.confidence
        with np.errstate(invalid="ignore", divide="ignore"):
            by_class = 2 * right / claims
            return {
                "accuracy": weights @ (self.targets == self.decided).all(axis=1) / total,
                "macro_f1": np.nanmean(by_class, axis=1),
                "micro_f1": 2 * right.sum(axis=1) / claims.sum(axis=1),
                "ece": np.abs(weights @ gaps).sum(axis=1) / total,
            }

    def by_class(self) -> dict[str, npt.NDArray[np.float64]]:
        """K values each: `precision`, `recall`, `f1`, and `n` texts; NaN where not defined."""
        right = (self.targets & self.decided).sum(axis=0)
        true, said = self.targets.sum(axis=0), self.decided.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "precision": right / said,
                "recall": right / true,
                "f1": 2 * right / (true + said),
                "n": true.astype(np.float64),
            }


def measure(judged: Judged, *, seed: int, groups: npt.ArrayLike | None = None) -> dict[str, Interval]:
    """Every figure of `Judged.figures` with its 95 % interval; texts of one group are drawn together."""
    return _intervals(judged.figures, len(judged.hit), seed, groups, least=0.0)


def compare(
    ours: Judged, theirs: Judged, *, seed: int, groups: npt.ArrayLike | None = None
) -> dict[str, Interval]:
    """Paired differences, ours less theirs, on the same resamples of the same texts."""

    def differences(weights: Floats) -> Figures:
        mine, other = ours.figures(weights), theirs.figures(weights)
        return {name: mine[name] - other[name] for name in mine}

    return _intervals(differences, len(ours.hit), seed, groups, least=-np.inf)


def _intervals(
    figures: Callable[[Floats], Figures],
    rows: int,
    seed: int,
    groups: npt.ArrayLike | None,
    *,
    least: float,
) -> dict[str, Interval]:
    value = figures(np.ones((1, rows)))
    parts = [figures(weights) for weights in resample_weights(rows, groups, seed, RESAMPLES)]
    found = {
        name: interval(float(value[name][0]), np.concatenate([part[name] for part in parts]), least=least)
        for name in value
    }
    return {name: figure for name, figure in found.items() if figure is not None}
