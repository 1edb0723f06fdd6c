"""From a booster's contributions to reasons in words.

Contributions are exact SHAP values as XGBoost itself computes them, in log-odds of the raw (uncalibrated)
score. Features that say nearly the same thing share a topic, and a reason is a topic: its contribution is
the sum over its features, its words are those of the feature that moved it most.
"""

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
        self._member = np.array(
            [[feature.topic == topic for topic in self.topics] for feature in features], dtype=np.float64
        )

    def explain(
        self, values: npt.NDArray[Any], contributions: npt.NDArray[Any], top: int
    ) -> list[Explanation]:
        """Explanations of n rows.

        Args:
            values: (n, k) feature values, NaN where missing.
            contributions: (n, k + 1) contributions, the base last.
            top: most reasons a row.
        """
        by_topic = contributions[:, :-1] @ self._member
        return [
            Explanation(
                reasons=self._reasons(values[row], contributions[row, :-1], by_topic[row], top),
                contributions={
                    feature.name: float(share)
                    for feature, share in zip(self.features, contributions[row, :-1], strict=True)
                },
                base=float(contributions[row, -1]),
                margin=float(contributions[row].sum()),
            )
            for row in range(len(values))
        ]

    def _reasons(
        self, values: npt.NDArray[Any], shares: npt.NDArray[Any], by_topic: npt.NDArray[Any], top: int
    ) -> list[Reason]:
        strongest = [
            topic
            for topic in np.argsort(-np.abs(by_topic), kind="stable")[:top]
            if abs(by_topic[topic]) >= LEAST_CONTRIBUTION
        ]
        reasons = []
        for topic in strongest:
            total = float(by_topic[topic])
            # the feature that pushed hardest in the topic's own direction
            place = int(np.argmax(np.where(self._member[:, topic] == 1, shares * np.sign(total), -np.inf)))
            feature, value = self.features[place], float(values[place])
            reasons.append(
                Reason(
                    topic=self.topics[topic],
                    feature=feature.name,
                    # as many digits as float32 holds
                    value=None if np.isnan(value) else float(f"{value:.7g}"),
                    contribution=total,
                    direction="raises" if total > 0 else "lowers",
                    text=feature.words_for(value),
                )
            )
        return reasons
