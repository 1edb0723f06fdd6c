"""Intent: what a message asks for, how sure that is, and whether it is out of scope."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.errors import DataError, ModelError
from finml.models.base import BinaryOutcome, Evaluation, Model, Predictor, TrainingResult, TrainOptions

if TYPE_CHECKING:
    from finml.models.intent.runtime import IntentPredictor

HELD_OUT = 0.15


class Intent:
    """The model as the catalogue sees it; see `finml.models.base.Model` for what each method promises."""

    name = "intent"
    title = "Intent"
    question = "What does this message ask for, how sure are we, is it out of scope?"
    feature_service: str | None = None
    binary: BinaryOutcome | None = None
    companions: Sequence[str] = ("out_of_scope",)
    gate = Path(__file__).with_name("gate.yaml")

    def missing_weights(self) -> Sequence[str]:
        """The pretrained transformer, where it is not to be had."""
        from finml.models.intent.weights import missing
        from finml.settings import get_settings

        lacking = missing(get_settings())
        return (lacking,) if lacking else ()

    def spine(self, tables: Path) -> pd.DataFrame:
        """One row a labelled message of the ledger: `text`, `intent`."""
        from finml.models.intent.frames import messages

        return messages(tables)

    def training_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check a labelled frame and return it with stripped texts and sorted labels."""
        from finml.models.intent.frames import checked

        return checked(frame)

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Hold out about 15 % of the texts, the same ones for every version."""
        from finml.models.intent.contract import TEXT
        from finml.models.intent.texts import chosen

        held_out = chosen(frame[TEXT], HELD_OUT)
        if held_out.all() or not held_out.any():
            raise DataError(
                "too few texts to split them into two parts", hint="give some dozen texts of each intent"
            )
        return frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)

    def train(self, frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
        """Fine-tune the transformer on a checked frame and write the files that `load` reads."""
        from finml.models.intent.training import train

        return train(frame, folder, options)

    def load(self, folder: Path) -> "IntentPredictor":
        """Load what `train` wrote."""
        from finml.models.intent.runtime import IntentPredictor

        return IntentPredictor.load(folder)

    def evaluate(
        self, predictor: Predictor, frame: pd.DataFrame, *, champion: Predictor | None, seed: int
    ) -> Evaluation:
        """Figures with intervals, by intent, quantization loss, latency, and differences to the champion."""
        from finml.models.intent.evaluation import evaluate

        rival = None if champion is None else _own(champion)
        return evaluate(_own(predictor), frame, champion=rival, seed=seed)

    def report(self, predictor: Predictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
        """The evaluation as one page."""
        from finml.models.intent.report import report

        return report(_own(predictor), frame, evaluation)

    def card(self, predictor: Predictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
        """The model card as Markdown."""
        from finml.models.intent.card import card

        return card(_own(predictor), evaluation, lineage)

    def read(self, file: Path, companions: Mapping[str, Path] = MappingProxyType({})) -> pd.DataFrame:
        """Labelled texts from a CSV, Parquet or JSONL file, and those of a file that are out of scope."""
        from finml.models.intent.frames import read

        return read(file, companions)

    def example(self, rng: random.Random, user_ids: Sequence[str]) -> dict[str, Any]:
        """A message that a user might write."""
        from finml.models.intent.example import message

        return message(rng)


def _own(predictor: Predictor) -> "IntentPredictor":
    from finml.models.intent.runtime import IntentPredictor

    if not isinstance(predictor, IntentPredictor):
        raise ModelError(f"{type(predictor).__name__} is not an intent model")
    return predictor


MODEL: Model = Intent()
