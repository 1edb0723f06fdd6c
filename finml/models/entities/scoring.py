"""Strict span scores: a span counts only with the right type and both offsets right."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from finml.models.base import Interval
from finml.models.entities.annotations import Span
from finml.models.entities.contract import LABELS
from finml.models.statistics import RESAMPLES, interval, resample_weights

Floats = npt.NDArray[np.float64]
FIGURES = ("precision", "recall", "f1")
_PLACE = {label: place for place, label in enumerate(LABELS)}


def counts(truth: Sequence[Collection[Span]], found: Sequence[Collection[Span]]) -> Floats:
    """What was right and wrong in each text.

    Args:
        truth: spans of each of n texts.
        found: spans that were found in each.

    Returns:
        (n, types, 3) numbers of spans found rightly, found wrongly, missed; types as in `LABELS`.
    """
    answer = np.zeros((len(truth), len(LABELS), 3))
    for row, (wanted, given) in enumerate(zip(truth, found, strict=True)):
        right, wrong, missed = set(wanted) & set(given), set(given) - set(wanted), set(wanted) - set(given)
        for column, spans in enumerate((right, wrong, missed)):
            for span in spans:
                answer[row, _PLACE[span.label], column] += 1
    return answer


def figures(total: npt.ArrayLike) -> dict[str, float]:
    """Precision, recall and F1 of summed counts; NaN where nothing is there to divide by."""
    ratios = _ratios(np.atleast_2d(np.asarray(total, dtype=np.float64)))
    return {name: float(values[0]) for name, values in ratios.items()}


def measure(found: Floats, *, groups: npt.ArrayLike, seed: int) -> dict[str, Interval]:
    """Micro-averaged figures with intervals over texts.

    Args:
        found: (n, types, 3) counts.
        groups: n ids; texts of one id are drawn together, for a text that is repeated proves nothing more.
        seed: seed of the resampling.
    """
    per_text = found.sum(axis=1)
    value = figures(per_text.sum(axis=0))
    drawn = _drawn(per_text, groups, seed)
    answer = {name: interval(value[name], drawn[name], least=0.0) for name in FIGURES}
    return {name: figure for name, figure in answer.items() if figure is not None}


def compare(found: Floats, other: Floats, *, groups: npt.ArrayLike, seed: int) -> dict[str, Interval]:
    """Paired differences: the figures of `found` less those of `other`, on the same draws of texts."""
    mine, theirs = found.sum(axis=1), other.sum(axis=1)
    value, their_value = figures(mine.sum(axis=0)), figures(theirs.sum(axis=0))
    drawn, their_drawn = _drawn(mine, groups, seed), _drawn(theirs, groups, seed)
    answer = {
        name: interval(value[name] - their_value[name], drawn[name] - their_drawn[name]) for name in FIGURES
    }
    return {name: figure for name, figure in answer.items() if figure is not None}


def by_type(found: Floats) -> dict[str, dict[str, float]]:
    """Figures of each type that occurs or was found, with `n`, the number of its spans."""
    answer = {}
    for label, place in _PLACE.items():
        total = found[:, place].sum(axis=0)
        if total.sum():
            answer[label] = {**_defined(figures(total)), "n": float(total[0] + total[2])}
    return answer


def overall(found: Floats) -> dict[str, float]:
    """Micro-averaged figures of all types together, those that are defined."""
    return _defined(figures(found.sum(axis=(0, 1))))


def _defined(values: dict[str, float]) -> dict[str, float]:
    """Without those that are not defined: a type that was never found has no precision."""
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _drawn(per_text: Floats, groups: npt.ArrayLike, seed: int) -> dict[str, Floats]:
    totals = np.concatenate(
        [weights @ per_text for weights in resample_weights(len(per_text), groups, seed, RESAMPLES)]
    )
    return _ratios(totals)


def _ratios(totals: Floats) -> dict[str, Floats]:
    """Figures of (B, 3) counts."""
    right, wrong, missed = totals.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": right / (right + wrong),
            "recall": right / (right + missed),
            "f1": 2 * right / (2 * right + wrong + missed),
        }
