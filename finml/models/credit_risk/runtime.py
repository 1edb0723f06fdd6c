"""The trained model as it is served: numpy, pandas and ONNX Runtime, no training code.

A model's folder holds `margin.onnx` (the booster's trees), `contributions.onnx` (tables of what each feature
adds, where they are not too large), `model.ubj` (the booster itself), `calibration.json` and `model.json`
(features in order with their words, band edges, threshold, and what it was trained with). Nothing in it is
executed on loading.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import ModelError
from finml.models.credit_risk.calibration import Calibration
from finml.models.credit_risk.explain import TOP_REASONS, Explainer, Explanation, Reason
from finml.models.credit_risk.features import Feature, RecordReader, feature_matrix
from finml.models.credit_risk.scoring import By, Scoring, load_scoring

CALIBRATION_FILE = "calibration.json"
INFO_FILE = "model.json"
FORMAT = 2
# the first format has the booster alone, so that XGBoost scores and explains it
BOOSTER_FORMAT = 1

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Score:
    """The answer for one row: calibrated probability of default, its band, and whether it is flagged."""

    probability: float
    band: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that is said about one row.

    Attributes:
        score: the answer.
        reasons: what moved it most, strongest first; empty where they were not wanted.
        missing: columns that the model reads and that had no value.
        explanation: the share of every feature; `None` where it was not wanted.
    """

    score: Score
    reasons: list[Reason]
    missing: list[str]
    explanation: Explanation | None = None


class CreditRiskPredictor:
    """A loaded model.

    Attributes:
        info: the contents of `model.json`.
        features: the features that the model reads, in its order.
        columns: the columns that they are read from.
        threshold: rows of this probability or more are flagged: the favourable decision is withheld.
    """

    def __init__(self, scoring: Scoring, calibration: Calibration, info: Mapping[str, Any]) -> None:
        self._scoring = scoring
        self.calibration = calibration
        self.info = info
        self.features = [Feature.from_dict(feature) for feature in info["features"]]
        self.bands: list[str] = list(info["bands"])
        self.band_edges = np.array(info["band_edges"], dtype=np.float64)
        self.threshold = float(info["threshold"])
        self._reader = RecordReader(self.features)
        self.columns = self._reader.columns
        self._explainer = Explainer(self.features)

    @classmethod
    def load(cls, folder: Path) -> "CreditRiskPredictor":
        """Load a model that training wrote, to answer on one thread.

        Raises:
            ModelError: a file is missing, unreadable or of another format.
        """
        try:
            info = json.loads((folder / INFO_FILE).read_text())
            if info["format"] not in (BOOSTER_FORMAT, FORMAT):
                raise ModelError(
                    f"{folder / INFO_FILE} has format {info['format']!r}, this finml reads up to {FORMAT}",
                    hint="train the model again with this version of finml",
                )
            calibration = Calibration(**json.loads((folder / CALIBRATION_FILE).read_text()))
            by: By = "booster" if info["format"] == BOOSTER_FORMAT else info["scored_by"]
            return cls(load_scoring(folder, by), calibration, info)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"no usable credit_risk model in {folder}: {error}",
                hint="download the version again from the registry, or train a new one",
            ) from error

    def score(self, matrix: Matrix) -> npt.NDArray[np.float64]:
        """Calibrated probabilities of an (n, k) matrix in the order of `features`, NaN where missing."""
        if not len(matrix):
            return np.empty(0)
        return self.calibration.probability(self._scoring.margin(matrix))

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Score rows.

        Args:
            frame: n rows with every column that the model reads; other columns are not looked at.

        Returns:
            n rows with the frame's index: `probability`, `band`, `flagged`.

        Raises:
            DataError: a column is missing or is not numeric; names it.
        """
        probability = self.score(feature_matrix(frame, self.features))
        return pd.DataFrame(
            {
                "probability": probability,
                "band": [self.bands[place] for place in self._band(probability)],
                "flagged": probability >= self.threshold,
            },
            index=frame.index,
        )

    def predict_records(self, records: Sequence[Mapping[str, Any]]) -> list[Score]:
        """Score rows given as mappings, without pandas.

        A feature that a record lacks, or that is `None`, is missing.
        """
        return self._scores(self.score(self._reader.matrix(records)))

    def judge(
        self,
        records: Sequence[Mapping[str, Any]],
        reasons: Sequence[bool],
        *,
        explain: bool = False,
        top: int = TOP_REASONS,
    ) -> list[Judgement]:
        """Answers about n rows given as mappings, in the same order: the way of the HTTP service.

        A score does not depend on whether its reasons are wanted, nor on what else is asked.

        Args:
            records: the rows; a feature that one lacks, or that is `None`, is missing.
            reasons: of each row, whether its reasons are wanted; where none are, none are computed.
            explain: whether the share of every feature is wanted of all rows, and with it their reasons.
            top: most reasons a row.

        Raises:
            DataError: a value is not a number.
        """
        if not records:
            return []
        matrix = self._reader.matrix(records)
        wanted = [explain or each for each in reasons]
        margin, contributions = self._passes(matrix, wanted)
        scores = self._scores(self.calibration.probability(margin))
        missing = self._reader.missing(matrix)
        if explain:
            whys = self._explainer.explain(matrix, contributions, top)
            return [
                Judgement(score, why.reasons, lacking, why)
                for score, lacking, why in zip(scores, missing, whys, strict=True)
            ]
        asked = matrix if all(wanted) else matrix[wanted]
        found = iter(self._explainer.reasons(asked, contributions, top))
        return [
            Judgement(score, next(found) if want else [], lacking)
            for score, lacking, want in zip(scores, missing, wanted, strict=True)
        ]

    def _passes(self, matrix: Matrix, wanted: Sequence[bool]) -> tuple[Matrix, Matrix]:
        """The n log-odds of n rows, and the contributions of those rows of which they are wanted."""
        if all(wanted):
            contributions, margin = self._scoring.contributions(matrix)
            return margin, contributions
        if not any(wanted):
            return self._scoring.margin(matrix), np.empty((0, len(self.features) + 1), dtype=np.float32)
        rows = np.array(wanted)
        margin = np.empty(len(matrix), dtype=np.float32)
        margin[~rows] = self._scoring.margin(matrix[~rows])
        contributions, margin[rows] = self._scoring.contributions(matrix[rows])
        return margin, contributions

    def contributions(self, matrix: Matrix) -> npt.NDArray[np.float32]:
        """(n, k + 1) SHAP values in log-odds, the base last; each row sums to the row's margin."""
        if not len(matrix):
            return np.empty((0, len(self.features) + 1), dtype=np.float32)
        return self._scoring.contributions(matrix)[0]

    def explain(self, frame: pd.DataFrame, *, top: int = TOP_REASONS) -> list[Explanation]:
        """Why each of n rows gets its answer: at most `top` reasons in words. Errors as for `predict`."""
        matrix = feature_matrix(frame, self.features)
        return self._explainer.explain(matrix, self.contributions(matrix), top)

    def explain_records(
        self, records: Sequence[Mapping[str, Any]], *, top: int = TOP_REASONS
    ) -> list[Explanation]:
        """`explain` for rows given as mappings."""
        matrix = self._reader.matrix(records)
        return self._explainer.explain(matrix, self.contributions(matrix), top)

    def missing(self, record: Mapping[str, Any]) -> list[str]:
        """Names of the columns that the model reads and that a record leaves empty."""
        return self._reader.missing(self._reader.matrix([record]))[0]

    def _scores(self, probability: npt.NDArray[np.float64]) -> list[Score]:
        bands, threshold = self.bands, self.threshold
        return [
            Score(value, bands[place], value >= threshold)
            for value, place in zip(probability.tolist(), self._band(probability).tolist(), strict=True)
        ]

    def _band(self, probability: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.band_edges, probability, side="right")
