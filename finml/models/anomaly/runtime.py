"""The trained model as it is served: numpy, pandas and ONNX Runtime, no training code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from finml.errors import ModelError
from finml.models.anomaly.behaviour import TOPICS, Behaviour
from finml.models.anomaly.contract import Features, Served
from finml.models.anomaly.detector import Floats
from finml.models.anomaly.habits import History, Transaction
from finml.models.anomaly.matrix import MatrixMaker
from finml.models.anomaly.storage import Stored, read
from finml.models.anomaly.words import WORDS, column_words

TOP_REASONS = 3
# how far, in spreads of the raw score, a topic must move it to be worth a sentence
LEAST_CONTRIBUTION = 0.1


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: what it is about, its words, and how far the raw score falls without it."""

    topic: str
    text: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer for one row.

    Attributes:
        score: share of the training rows that are less unusual.
        raw: what `score` is the percentile of.
        category_model: category whose own head had a say.
        contributions: by feature, how far `raw` falls if it alone were as usual; empty unless asked for.
        values: the features.
    """

    score: float
    flagged: bool
    raw: float
    category_model: str | None
    history: History
    reasons: list[Reason]
    contributions: dict[str, float]
    values: dict[str, float]


class AnomalyPredictor:
    """A loaded model.

    Attributes:
        info: the contents of `model.json`.
        kind: whether it takes transactions or rows of a table.
        columns: its features in order.
        threshold: rows of this score or more are flagged.
    """

    def __init__(self, stored: Stored) -> None:
        self.info = stored.info
        self.detector = stored.detector
        self.kind: Features = stored.info["features"]
        self.columns: list[str] = list(stored.info["columns"])
        self.threshold = float(stored.info["threshold"])
        self.budget = float(stored.info["alert_budget"])
        self.maker = MatrixMaker(self.kind, self.columns, stored.info["everyone"])
        self._quantiles = stored.quantiles
        self._usual = stored.detector.scaler.median
        names = TOPICS if self.kind == "behaviour" else {name: (name,) for name in self.columns}
        self._topics = {
            topic: [self.columns.index(name) for name in members] for topic, members in names.items()
        }

    @classmethod
    def load(cls, folder: Path) -> "AnomalyPredictor":
        """Load a model that training or a refresh wrote.

        Raises:
            ModelError: a file is missing, unreadable or of another format.
        """
        return cls(read(folder))

    @property
    def served(self) -> Served:
        """What requests to this model must hold."""
        if self.kind == "table":
            return Served("table", tuple(self.columns), ())
        return Served("behaviour", (), tuple(self.info["categories"]))

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Score rows.

        Args:
            frame: n checked rows of the kind that the model was trained on.

        Returns:
            n rows with the frame's index: `score`, `flagged`, `category_model` (empty where there is none).

        Raises:
            DataError: the rows are of the other kind, or lack a column; names it.
        """
        matrix = self.filled(self.maker.of_frame(frame))
        categories = self._categories(frame)
        score = self.detector.score(matrix, categories)
        return pd.DataFrame(
            {
                "score": score,
                "flagged": score >= self.threshold,
                "category_model": [self.detector.head_of(name) for name in categories],
            },
            index=frame.index,
        )

    def judge(
        self, asked: Sequence[tuple[Transaction, Behaviour]], *, explain: bool = False
    ) -> list[Judgement]:
        """Answers about n transactions with their behaviour, in the same order.

        Args:
            asked: the transactions.
            explain: whether the contribution of every feature is wanted too.

        Raises:
            ModelError: the model was trained on a table.
        """
        self._must_be("behaviour")
        if not asked:
            return []
        matrix = self.maker.of_behaviours(asked)
        categories = [transaction.category for transaction, _ in asked]
        histories = [found.history for _, found in asked]

        def words(row: int, topic: str) -> str:
            return WORDS[topic](*asked[row])

        return self._judged(matrix, categories, histories, words, explain)

    def judge_values(
        self, records: Sequence[Mapping[str, float | None]], *, explain: bool = False
    ) -> list[Judgement]:
        """The same for n rows of a table; a value that is missing or `None` counts as the median.

        Raises:
            ModelError: the model was trained on transactions.
        """
        self._must_be("table")
        if not records:
            return []
        matrix = self.filled(self.maker.of_values(records))

        def words(row: int, topic: str) -> str:
            place = self.columns.index(topic)
            return column_words(topic, float(matrix[row, place]), self._quantiles[:, place])

        return self._judged(matrix, [""] * len(records), ["none"] * len(records), words, explain)

    def filled(self, matrix: Floats) -> Floats:
        """(n, k) rows with the training's median where a value is missing."""
        return np.where(np.isnan(matrix), self._usual, matrix)

    def contributions(
        self, matrix: Floats, categories: Sequence[str], groups: Sequence[Sequence[int]]
    ) -> tuple[Floats, Floats]:
        """Raw scores of (n, k) rows, and (n, g) how far each falls where a group of features is as usual."""
        rows, count = len(matrix), len(groups) + 1
        variants = np.repeat(matrix[:, None, :], count, axis=1)
        for number, group in enumerate(groups, start=1):
            variants[:, number, group] = self._usual[list(group)]
        flat = variants.reshape(rows * count, -1)
        raw = self.detector.raw(flat, np.repeat(np.asarray(categories, dtype=object), count).tolist())
        raw = raw.reshape(rows, count)
        return raw[:, 0], raw[:, :1] - raw[:, 1:]

    def _judged(
        self,
        matrix: Floats,
        categories: Sequence[str],
        histories: Sequence[History],
        words: Callable[[int, str], str],
        explain: bool,
    ) -> list[Judgement]:
        topics = list(self._topics)
        raw, shares = self.contributions(matrix, categories, [self._topics[topic] for topic in topics])
        score = self.detector.grid.percentile(raw)
        single: Floats = np.empty((len(matrix), 0))
        if explain:
            _, single = self.contributions(
                matrix, categories, [[place] for place in range(len(self.columns))]
            )
        return [
            Judgement(
                score=float(score[row]),
                flagged=bool(score[row] >= self.threshold),
                raw=float(raw[row]),
                category_model=self.detector.head_of(categories[row]) or None,
                history=histories[row],
                reasons=[
                    Reason(topics[place], words(row, topics[place]), float(shares[row, place]))
                    for place in np.argsort(-shares[row], kind="stable")[:TOP_REASONS]
                    if shares[row, place] >= LEAST_CONTRIBUTION
                    and self._is_unusual(matrix[row], topics[place])
                ],
                contributions=dict(zip(self.columns, single[row].tolist(), strict=False)),
                values=dict(zip(self.columns, matrix[row].tolist(), strict=True)),
            )
            for row in range(len(matrix))
        ]

    def _is_unusual(self, row: Floats, topic: str) -> bool:
        """Whether a topic has a feature above what is usual: of behaviour nothing else has words."""
        places = self._topics[topic]
        return self.kind == "table" or bool((row[places] > self._usual[places]).any())

    def _categories(self, frame: pd.DataFrame) -> list[str]:
        return frame["category"].tolist() if self.kind == "behaviour" else [""] * len(frame)

    def _must_be(self, kind: Features) -> None:
        if self.kind != kind:
            raise ModelError(
                f"the model was trained on {self.kind} features and is asked about {kind} ones",
                hint="ask about rows of the kind that it was trained on",
            )
