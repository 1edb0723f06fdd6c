"""The trained model as it is served: numpy, pandas and XGBoost, no training code.

A model's folder holds `model.ubj` (the booster), `calibration.json` and `model.json` (features in order
with their words, band edges, threshold, and what it was trained with). Nothing in it is executed on
loading.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import ModelError
from finml.models.credit_risk.calibration import Calibration
from finml.models.credit_risk.explain import TOP_REASONS, Explainer, Explanation
from finml.models.credit_risk.features import Feature, feature_matrix, record_matrix

if TYPE_CHECKING:
    import xgboost

MODEL_FILE = "model.ubj"
CALIBRATION_FILE = "calibration.json"
INFO_FILE = "model.json"
FORMAT = 1

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Score:
    """The answer for one row: calibrated probability of default, its band, and whether it is flagged."""

    probability: float
    band: str
    flagged: bool


class CreditRiskPredictor:
    """A loaded model.

    Attributes:
        info: the contents of `model.json`.
        features: the features that the model reads, in its order.
        columns: the columns that they are read from.
        threshold: rows of this probability or more are flagged: the favourable decision is withheld.
    """

    def __init__(self, booster: "xgboost.Booster", calibration: Calibration, info: Mapping[str, Any]) -> None:
        self.booster = booster
        self.calibration = calibration
        self.info = info
        self.features = [Feature.from_dict(feature) for feature in info["features"]]
        self.bands: list[str] = list(info["bands"])
        self.band_edges = np.array(info["band_edges"], dtype=np.float64)
        self.threshold = float(info["threshold"])
        self.columns = list(dict.fromkeys(feature.column for feature in self.features))
        self._explainer = Explainer(self.features)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "CreditRiskPredictor":
        """Load a model that training wrote.

        Args:
            folder: the model's folder.
            threads: threads of a prediction; more than one loses on single rows.

        Raises:
            ModelError: a file is missing, unreadable or of another format.
        """
        import xgboost

        try:
            info = json.loads((folder / INFO_FILE).read_text())
            if info["format"] != FORMAT:
                raise ModelError(
                    f"{folder / INFO_FILE} has format {info['format']!r}, this finml reads {FORMAT}",
                    hint="train the model again with this version of finml",
                )
            calibration = Calibration(**json.loads((folder / CALIBRATION_FILE).read_text()))
            booster = xgboost.Booster({"nthread": threads}, model_file=folder / MODEL_FILE)
            return cls(booster, calibration, info)
        except (OSError, ValueError, KeyError, TypeError, xgboost.core.XGBoostError) as error:
            raise ModelError(
                f"no usable credit_risk model in {folder}: {error}",
                hint="download the version again from the registry, or train a new one",
            ) from error

    def score(self, matrix: Matrix) -> npt.NDArray[np.float64]:
        """Calibrated probabilities of an (n, k) matrix in the order of `features`, NaN where missing."""
        if not len(matrix):
            return np.empty(0)
        margin = self.booster.inplace_predict(matrix, predict_type="margin", missing=np.nan)
        return self.calibration.probability(margin)

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
        """Score rows given as mappings, without pandas: the way of the HTTP service.

        A feature that a record lacks, or that is `None`, is missing.
        """
        probability = self.score(record_matrix(records, self.features))
        return [
            Score(probability=float(value), band=self.bands[place], flagged=bool(value >= self.threshold))
            for value, place in zip(probability, self._band(probability), strict=True)
        ]

    def contributions(self, matrix: Matrix) -> npt.NDArray[np.float32]:
        """(n, k + 1) SHAP values in log-odds, the base last; each row sums to the row's margin."""
        import xgboost

        if not len(matrix):
            return np.empty((0, len(self.features) + 1), dtype=np.float32)
        names = [feature.name for feature in self.features]
        data = xgboost.DMatrix(matrix, feature_names=names, nthread=1)
        return np.asarray(self.booster.predict(data, pred_contribs=True))

    def explain(self, frame: pd.DataFrame, *, top: int = TOP_REASONS) -> list[Explanation]:
        """Why each of n rows gets its answer: at most `top` reasons in words. Errors as for `predict`."""
        matrix = feature_matrix(frame, self.features)
        return self._explainer.explain(matrix, self.contributions(matrix), top)

    def explain_records(
        self, records: Sequence[Mapping[str, Any]], *, top: int = TOP_REASONS
    ) -> list[Explanation]:
        """`explain` for rows given as mappings."""
        matrix = record_matrix(records, self.features)
        return self._explainer.explain(matrix, self.contributions(matrix), top)

    def missing(self, record: Mapping[str, Any]) -> list[str]:
        """Names of the columns that the model reads and that a record leaves empty."""
        return [
            column
            for column in self.columns
            if record.get(column) is None or record[column] != record[column]
        ]

    def _band(self, probability: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.band_edges, probability, side="right")
