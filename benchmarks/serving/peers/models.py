"""The trained models as the peers call them. The peers' environments see this repository, not its venv.

Which folders hold the models is in the environment: PEER_CREDIT_RISK, PEER_INTENT.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finml.models.credit_risk.calibration import Calibration

if TYPE_CHECKING:
    import xgboost

    from finml.models.intent.runtime import IntentPredictor

Features = Mapping[str, float | None]


class CreditRiskFiles:
    """What every way of calling the model needs: the features in order, and the calibration."""

    def __init__(self) -> None:
        self.folder = Path(os.environ["PEER_CREDIT_RISK"])
        info = json.loads((self.folder / "model.json").read_text())
        self.names: list[str] = [feature["name"] for feature in info["features"]]
        self.calibration = Calibration(**json.loads((self.folder / "calibration.json").read_text()))

    def matrix(self, rows: Sequence[Features]) -> "np.ndarray[Any, Any]":
        """(n, k) values, NaN where missing."""
        return np.array([[row.get(name) for name in self.names] for row in rows], dtype=np.float32)

    def calibrated(self, margins: "np.ndarray[Any, Any]") -> list[float]:
        """Probabilities of n margins."""
        found: list[float] = self.calibration.probability(margins).tolist()
        return found


class QuickStart(CreditRiskFiles):
    """As XGBoost's own documentation calls a model: a DMatrix a request."""

    def __init__(self) -> None:
        import xgboost

        super().__init__()
        self._xgboost = xgboost
        self._booster = xgboost.Booster({"nthread": 1}, model_file=self.folder / "model.ubj")

    def probability(self, row: Features) -> float:
        """Of one row."""
        return self.calibrated(self._booster.predict(self._data(row), output_margin=True))[0]

    def explained(self, row: Features) -> tuple[float, dict[str, float]]:
        """Probability and the contribution of every feature to it."""
        shares = self._booster.predict(self._data(row), pred_contribs=True)[0]
        return self.probability(row), dict(zip(self.names, shares[:-1].tolist(), strict=True))

    def _data(self, row: Features) -> "xgboost.DMatrix":
        return self._xgboost.DMatrix(self.matrix([row]), feature_names=self.names, nthread=1)


class OnnxTrees(CreditRiskFiles):
    """The same trees on ONNX Runtime."""

    def __init__(self) -> None:
        import onnxruntime

        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            self.folder / "margin.onnx", options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, rows: Sequence[Features]) -> list[float]:
        """Of n rows."""
        return self.of_matrix(self.matrix(rows))

    def of_matrix(self, matrix: "np.ndarray[Any, Any]") -> list[float]:
        """Of an (n, k) matrix."""
        return self.calibrated(self._session.run(None, {"features": matrix})[0][:, 0])


class Intent:
    """The int8 intent model, by the code that finml itself calls it with, on one thread."""

    @cached_property
    def _predictor(self) -> "IntentPredictor":
        from finml.models.intent.runtime import IntentPredictor

        return IntentPredictor.load(Path(os.environ["PEER_INTENT"]))

    def answers(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Of n texts."""
        return [
            {"intent": answer.intent, "confidence": answer.confidence}
            for answer in self._predictor.answer(texts)
        ]
