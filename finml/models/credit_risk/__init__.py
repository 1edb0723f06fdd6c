"""Credit risk: how likely a loan is to default, why, and whether the answer is fair."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.errors import ModelError
from finml.models.base import BinaryOutcome, Evaluation, Model, Predictor, TrainingResult, TrainOptions

if TYPE_CHECKING:
    from finml.models.credit_risk.runtime import CreditRiskPredictor

HELD_OUT = 0.25


class CreditRisk:
    """The model as the catalogue sees it; see `finml.models.base.Model` for what each method promises."""

    name = "credit_risk"
    title = "Credit risk"
    question = "How likely is default on this loan, why, and is the answer fair?"
    feature_service: str | None = "credit_risk_v1"
    binary: BinaryOutcome | None = BinaryOutcome("defaulted", "probability", "flagged")
    companions: Sequence[str] = ()
    gate = Path(__file__).with_name("gate.yaml")

    def missing_weights(self) -> Sequence[str]:
        """None: the model starts from nothing."""
        return ()

    def spine(self, tables: Path) -> pd.DataFrame:
        """One row a loan outcome of the ledger."""
        from finml.features.labels import credit_risk_spine

        return credit_risk_spine(tables)

    def training_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check a labelled frame and return it coerced."""
        from finml.models.credit_risk.frames import checked

        return checked(frame)

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Hold out about a quarter of the users, the same ones for every version."""
        from finml.models.credit_risk.contract import LABEL
        from finml.models.credit_risk.sampling import split_users

        kept, held_out = split_users(frame["user_id"], frame[LABEL], HELD_OUT)
        return frame.iloc[kept].reset_index(drop=True), frame.iloc[held_out].reset_index(drop=True)

    def train(self, frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
        """Train on a checked frame and write the files that `runtime` names."""
        from finml.models.credit_risk.training import train

        return train(frame, folder, options)

    def load(self, folder: Path) -> "CreditRiskPredictor":
        """Load what `train` wrote."""
        from finml.models.credit_risk.runtime import CreditRiskPredictor

        return CreditRiskPredictor.load(folder)

    def evaluate(
        self, predictor: Predictor, frame: pd.DataFrame, *, champion: Predictor | None, seed: int
    ) -> Evaluation:
        """Figures with intervals, fairness by group, latency, and differences to the champion."""
        from finml.models.credit_risk.evaluation import evaluate

        rival = None if champion is None else _own(champion)
        return evaluate(_own(predictor), frame, champion=rival, seed=seed)

    def report(self, predictor: Predictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
        """The evaluation as one page."""
        from finml.models.credit_risk.report import report

        return report(_own(predictor), frame, evaluation)

    def card(self, predictor: Predictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
        """The model card as Markdown."""
        from finml.models.credit_risk.card import card

        return card(_own(predictor), evaluation, lineage)

    def read(self, file: Path, companions: Mapping[str, Path] = MappingProxyType({})) -> pd.DataFrame:
        """Labelled rows from a Parquet or CSV file."""
        from finml.models.credit_risk.frames import read

        return read(file)

    def example(self, rng: random.Random, user_ids: Sequence[str]) -> dict[str, Any]:
        """A loan that one of the users might ask for."""
        from finml.models.credit_risk.example import loan

        return loan(rng, rng.choice(user_ids))


def _own(predictor: Predictor) -> "CreditRiskPredictor":
    from finml.models.credit_risk.runtime import CreditRiskPredictor

    if not isinstance(predictor, CreditRiskPredictor):
        raise ModelError(f"{type(predictor).__name__} is not a credit_risk model")
    return predictor


MODEL: Model = CreditRisk()
