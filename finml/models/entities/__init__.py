"""Entities: the amounts, dates, merchants, people, accounts and identifiers of a message, with values."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.errors import ModelError
from finml.models.base import BinaryOutcome, Evaluation, Model, Predictor, TrainingResult, TrainOptions

if TYPE_CHECKING:
    from finml.models.entities.runtime import EntitiesPredictor


class Entities:
    """The model as the catalogue sees it; see `finml.models.base.Model` for what each method promises."""

    name = "entities"
    title = "Entities"
    question = "Which amounts, dates, merchants, people and accounts does this message name?"
    feature_service: str | None = None
    binary: BinaryOutcome | None = None
    companions: Sequence[str] = ()
    gate = Path(__file__).with_name("gate.yaml")

    def missing_weights(self) -> Sequence[str]:
        """The spaCy pipeline that training starts from, if it is not installed."""
        from finml.models.entities.pretrained import missing

        return missing()

    def spine(self, tables: Path) -> pd.DataFrame:
        """One row an annotated message of the ledger, and one a merchant."""
        from finml.models.entities.frames import from_ledger

        return from_ledger(tables)

    def training_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check annotated texts; a row that breaks the contract is kept with its problem."""
        from finml.models.entities.frames import checked

        return checked(frame)

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Hold out about a fifth of the texts, the same ones for every version."""
        from finml.models.entities.frames import split

        return split(frame)

    def train(self, frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
        """Train on a checked frame and write `ner/`, `catalogue.json`, `texts.npz` and `model.json`."""
        from finml.models.entities.training import train

        return train(frame, folder, options)

    def load(self, folder: Path) -> "EntitiesPredictor":
        """Load what `train` wrote."""
        from finml.models.entities.runtime import EntitiesPredictor

        return EntitiesPredictor.load(folder)

    def evaluate(
        self, predictor: Predictor, frame: pd.DataFrame, *, champion: Predictor | None, seed: int
    ) -> Evaluation:
        """Strict span figures with intervals, by type, speed, and differences to the champion."""
        from finml.models.entities.evaluation import evaluate

        rival = None if champion is None else _own(champion)
        return evaluate(_own(predictor), frame, champion=rival, seed=seed)

    def report(self, predictor: Predictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
        """The evaluation as one page."""
        from finml.models.entities.report import report

        return report(_own(predictor), frame, evaluation)

    def card(self, predictor: Predictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
        """The model card as Markdown."""
        from finml.models.entities.card import card

        return card(_own(predictor), evaluation, lineage)

    def read(self, file: Path, companions: Mapping[str, Path] = MappingProxyType({})) -> pd.DataFrame:
        """Annotated texts from a JSONL or Parquet file."""
        from finml.models.entities.frames import read

        return read(file)

    def example(self, rng: random.Random, user_ids: Sequence[str]) -> dict[str, Any]:
        """A message that a user might type."""
        from finml.models.entities.example import message

        return message(rng)


def _own(predictor: Predictor) -> "EntitiesPredictor":
    from finml.models.entities.runtime import EntitiesPredictor

    if not isinstance(predictor, EntitiesPredictor):
        raise ModelError(f"{type(predictor).__name__} is not an entities model")
    return predictor


MODEL: Model = Entities()
