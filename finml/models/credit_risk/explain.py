"""From a booster's contributions to reasons in words.

Contributions are exact SHAP values as XGBoost itself computes them, in log-odds of the raw (uncalibrated)
score. Features that say nearly the same thing share a topic, and a reason is a topic: its contribution is
the sum over its features, its words are those of the feature that moved it most.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from finml.models.credit_risk.features import Feature

TOP_REASONS = 4
# log-odds below which a topic did not move the answer in any way worth a sentence
LEAST_CONTRIBUTION = 0.01


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for one answer.

    Attributes:
        topic: what it is about.
        feature: the feature whose value the words give.
        value: that value; `None` where it is missing.
        contribution: of the whole topic, in log-odds; above zero raises the risk.
        direction: `raises` or `lowers`.
        text: the reason in words.
    """

    topic: str
    feature: str
    value: float | None
    contribution: float
    direction: Literal["raises", "lowers"]
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a row got its answer.

    Attributes:
        reasons: the topics that moved the answer most, strongest first.
        contributions: log-odds of every feature; with `base` they sum to `margin`.
        base: log-odds of a row of which nothing is known.
        margin: log-odds of this row, before calibration.
    """

    reasons: list[Reason]
    contributions: dict[str, float]
    base: float
    margin: float


class Explainer:
    """Groups contributions by topic and words them."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = list(features)
        self.topics = sorted({feature.topic for feature in features})
        self._members = [
            [place for place, feature in enumerate(features) if feature.topic == topic]
            for topic in self.topics
        ]
        self._by_topic = np.concatenate(self._members)
        self._starts = np.cumsum([0, *map(len, self._members[:-1])])

    def explain(
        self, values: npt.NDArray[Any], contributions: npt.NDArray[Any], top: int
    ) -> list[Explanation]:
        """Explanations of n rows.

        Args:
            values: (n, k) feature values, NaN where missing.
            contributions: (n, k + 1) contributions, the base last.
            top: most reasons a row.
        """
        if not len(values):
            return []
        names = [feature.name for feature in self.features]
        margins = contributions.sum(axis=1).tolist()
        return [
            Explanation(
                reasons=reasons,
                contributions=dict(zip(names, shares[:-1], strict=True)),
                base=shares[-1],
                margin=margin,
            )
            for reasons, shares, margin in zip(
                self.reasons(values, contributions, top), contributions.tolist(), margins, strict=True
            )
        ]

    def reasons(
        self, values: npt.NDArray[Any], contributions: npt.NDArray[Any], top: int = TOP_REASONS
    ) -> list[list[Reason]]:
        """Of n rows, the topics that moved the answer most, strongest first. Arguments as for `explain`."""
        if not len(values):
            return []
        ordered = contributions.astype(np.float64).take(self._by_topic, axis=1)
        totals = np.add.reduceat(ordered, self._starts, axis=1)
        return [
            self._reasons(row, shares, total, top)
            for row, shares, total in zip(
                values.tolist(), contributions.tolist(), totals.tolist(), strict=True
            )
        ]

    def _reasons(
        self, values: list[float], shares: list[float], totals: list[float], top: int
    ) -> list[Reason]:
        strongest = sorted(range(len(totals)), key=lambda topic: -abs(totals[topic]))[:top]
        return [
            self._reason(topic, totals[topic], values, shares)
            for topic in strongest
            if abs(totals[topic]) >= LEAST_CONTRIBUTION
        ]

    def _reason(self, topic: int, total: float, values: list[float], shares: list[float]) -> Reason:
        raises = total > 0
        # the feature that pushed hardest in the topic's own direction
        place = (max if raises else min)(self._members[topic], key=shares.__getitem__)
        feature, value = self.features[place], values[place]
        return Reason(
            topic=self.topics[topic],
            feature=feature.name,
            # as many digits as float32 holds
            value=None if math.isnan(value) else float(f"{value:.7g}"),
            contribution=total,
            direction="raises" if raises else "lowers",
            text=feature.words_for(value),
        )
