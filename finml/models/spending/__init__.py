"""Spending: what will be spent on each category in the next months, weeks or days."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.errors import ModelError
from finml.models.base import BinaryOutcome, Evaluation, Model, Predictor, TrainingResult, TrainOptions

if TYPE_CHECKING:
    from finml.models.spending.runtime import SpendingPredictor


class Spending:
    """The model as the catalogue sees it; see `finml.models.base.Model` for what each method promises."""

    name = "spending"
    title = "Spending"
    question = "What will be spent on each category in the next weeks or months?"
    feature_service: str | None = "spending_v1"
    binary: BinaryOutcome | None = None
    companions: Sequence[str] = ()
    gate = Path(__file__).with_name("gate.yaml")

    def missing_weights(self) -> Sequence[str]:
        """None: the model starts from nothing."""
        return ()

    def spine(self, tables: Path) -> pd.DataFrame:
        """Monthly sums by category, over the whole bank and of a sample of users."""
        from finml.models.spending.spine import spine

        return spine(tables)

    def training_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check a labelled frame and return it coerced."""
        from finml.models.spending.frames import checked

        return checked(frame)

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Hold the end of every series out, for the population and for users."""
        from finml.models.spending.splitting import split

        return split(frame)

    def train(self, frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
        """Train on a checked frame and write `series.json`, `calendar.json` and `model.json`."""
        from finml.models.spending.training import train

        return train(frame, folder, options)

    def load(self, folder: Path) -> "SpendingPredictor":
        """Load what `train` wrote."""
        from finml.models.spending.runtime import SpendingPredictor

        return SpendingPredictor.load(folder)

    def evaluate(
        self, predictor: Predictor, frame: pd.DataFrame, *, champion: Predictor | None, seed: int
    ) -> Evaluation:
        """Figures with intervals on what came after the training, by series and horizon."""
        from finml.models.spending.evaluation import evaluate

        rival = None if champion is None else _own(champion)
        return evaluate(_own(predictor), frame, champion=rival, seed=seed)

    def report(self, predictor: Predictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
        """The evaluation as one page."""
        from finml.models.spending.report import report

        return report(_own(predictor), frame, evaluation)

    def card(self, predictor: Predictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
        """The model card as Markdown."""
        from finml.models.spending.card import card

        return card(_own(predictor), evaluation, lineage)

    def read(self, file: Path, companions: Mapping[str, Path] = MappingProxyType({})) -> pd.DataFrame:
        """Rows of spending from a Parquet or CSV file."""
        from finml.models.spending.frames import read

        return read(file)

    def example(self, rng: random.Random, user_ids: Sequence[str]) -> dict[str, Any]:
        """A question that one of the users might ask."""
        from finml.models.spending.example import question

        return question(rng, rng.choice(user_ids))


def _own(predictor: Predictor) -> "SpendingPredictor":
    from finml.models.spending.runtime import SpendingPredictor

    if not isinstance(predictor, SpendingPredictor):
        raise ModelError(f"{type(predictor).__name__} is not a spending model")
    return predictor


MODEL: Model = Spending()
