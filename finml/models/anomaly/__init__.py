"""Anomalies: is this transaction unusual for this user, and why."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.errors import ModelError
from finml.models.base import BinaryOutcome, Evaluation, Model, Predictor, TrainingResult, TrainOptions

if TYPE_CHECKING:
    from finml.models.anomaly.runtime import AnomalyPredictor


class Anomaly:
    """The model as the catalogue sees it; see `finml.models.base.Model` for what each method promises."""

    name = "anomaly"
    title = "Anomalies"
    question = "Is this transaction unusual for this user, and why?"
    feature_service: str | None = "anomaly_v1"
    binary: BinaryOutcome | None = BinaryOutcome("anomalous", "score", "flagged")
    companions: Sequence[str] = ()
    gate = Path(__file__).with_name("gate.yaml")

    def missing_weights(self) -> Sequence[str]:
        """None: the model starts from nothing."""
        return ()

    def spine(self, tables: Path) -> pd.DataFrame:
        """A sample of the ledger's debits, those that were reviewed among them."""
        from finml.features.labels import anomaly_spine

        return anomaly_spine(tables)

    def training_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check transactions or a table, compute behaviour features, and return the frame coerced."""
        from finml.models.anomaly.frames import checked

        return checked(frame)

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Hold out about 30 % of the users, or the last 30 % of a table's rows."""
        from finml.models.anomaly.sampling import split

        kept, held_out = split(frame)
        return frame.iloc[kept].reset_index(drop=True), frame.iloc[held_out].reset_index(drop=True)

    def train(self, frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
        """Train on a checked frame, or refresh an earlier model on it, and write the model's files."""
        from finml.models.anomaly.training import train

        return train(frame, folder, options)

    def load(self, folder: Path) -> "AnomalyPredictor":
        """Load what `train` wrote."""
        from finml.models.anomaly.runtime import AnomalyPredictor

        return AnomalyPredictor.load(folder)

    def evaluate(
        self, predictor: Predictor, frame: pd.DataFrame, *, champion: Predictor | None, seed: int
    ) -> Evaluation:
        """Figures with intervals, by kind of anomaly and category, latency, differences to the champion."""
        from finml.models.anomaly.evaluation import evaluate

        rival = None if champion is None else _own(champion)
        return evaluate(_own(predictor), frame, champion=rival, seed=seed)

    def report(self, predictor: Predictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
        """The evaluation as one page."""
        from finml.models.anomaly.report import report

        return report(_own(predictor), frame, evaluation)

    def card(self, predictor: Predictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
        """The model card as Markdown."""
        from finml.models.anomaly.card import card

        return card(_own(predictor), evaluation, lineage)

    def read(self, file: Path, companions: Mapping[str, Path] = MappingProxyType({})) -> pd.DataFrame:
        """Transactions or a table of numbers from a Parquet or CSV file."""
        from finml.models.anomaly.files import read

        return read(file)

    def example(self, rng: random.Random, user_ids: Sequence[str]) -> dict[str, Any]:
        """A payment that one of the users might make."""
        from finml.models.anomaly.example import payment

        return payment(rng, rng.choice(user_ids))


def _own(predictor: Predictor) -> "AnomalyPredictor":
    from finml.models.anomaly.runtime import AnomalyPredictor

    if not isinstance(predictor, AnomalyPredictor):
        raise ModelError(f"{type(predictor).__name__} is not an anomaly model")
    return predictor


MODEL: Model = Anomaly()
