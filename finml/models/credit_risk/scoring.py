"""Log-odds and contributions of rows: by tables that training made, or by XGBoost where there are none."""

from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from finml.models.trees import Floats32, TreeSession

MODEL_FILE = "model.ubj"
MARGIN_FILE = "margin.onnx"
CONTRIBUTIONS_FILE = "contributions.onnx"

By = Literal["tables", "trees", "booster"]


class Scoring(Protocol):
    """What computes log-odds and their contributions."""

    def margin(self, matrix: Floats32) -> Floats32:
        """N log-odds of an (n, k) matrix, NaN where a value is missing; n is at least 1."""
        ...

    def contributions(self, matrix: Floats32) -> tuple[Floats32, Floats32]:
        """(n, k + 1) contributions with their base last, and the n log-odds that `margin` gives."""
        ...


class BoosterScoring:
    """By XGBoost itself. Exact contributions take it hundreds of microseconds a row."""

    def __init__(self, file: Path) -> None:
        """Load a booster.

        Raises:
            ValueError: the file holds none.
        """
        import xgboost

        try:
            self.booster = xgboost.Booster({"nthread": 1}, model_file=file)
        except xgboost.core.XGBoostError as error:
            raise ValueError(f"{file.name} holds no booster: {error}") from error

    def margin(self, matrix: Floats32) -> Floats32:
        """As `Scoring.margin`."""
        found = self.booster.inplace_predict(matrix, predict_type="margin", missing=np.nan)
        return np.asarray(found, dtype=np.float32)

    def contributions(self, matrix: Floats32) -> tuple[Floats32, Floats32]:
        """As `Scoring.contributions`."""
        import xgboost

        data = xgboost.DMatrix(matrix, feature_names=self.booster.feature_names, nthread=1)
        return np.asarray(self.booster.predict(data, pred_contribs=True)), self.margin(matrix)


class TreeScoring(BoosterScoring):
    """Log-odds by the booster's trees on ONNX Runtime; XGBoost explains, as the tables would be too large."""

    def __init__(self, folder: Path) -> None:
        """Load a model's files.

        Raises:
            ValueError: one does not hold what it should.
        """
        super().__init__(folder / MODEL_FILE)
        self._margin = TreeSession(folder / MARGIN_FILE)

    def margin(self, matrix: Floats32) -> Floats32:
        """As `Scoring.margin`."""
        return self._margin(matrix)[:, 0]


class TableScoring:
    """By the trees and tables that `finml.models.credit_risk.shapley` made: XGBoost is not even imported."""

    def __init__(self, folder: Path) -> None:
        """Load a model's files.

        Raises:
            ValueError: one does not hold what it should.
        """
        self._margin = TreeSession(folder / MARGIN_FILE)
        self._tables = TreeSession(folder / CONTRIBUTIONS_FILE)

    def margin(self, matrix: Floats32) -> Floats32:
        """As `Scoring.margin`."""
        return self._margin(matrix)[:, 0]

    def contributions(self, matrix: Floats32) -> tuple[Floats32, Floats32]:
        """As `Scoring.contributions`; both come from one pass."""
        found = self._tables(matrix)
        return found[:, :-1], found[:, -1]


def load_scoring(folder: Path, by: By) -> Scoring:
    """What a model's folder is scored with.

    Raises:
        ValueError: a file does not hold what it should, or `by` is nothing known.
    """
    match by:
        case "tables":
            return TableScoring(folder)
        case "trees":
            return TreeScoring(folder)
        case "booster":
            return BoosterScoring(folder / MODEL_FILE)
    raise ValueError(f"scored by {by!r}, which is nothing known")
