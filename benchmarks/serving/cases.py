"""What is asked of every contender, and what must be answered."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np

from finml.models.credit_risk.contract import CreditRiskInput, known_features, loan_records
from finml.models.credit_risk.example import loan
from finml.models.credit_risk.features import Feature, RecordReader
from finml.models.credit_risk.runtime import CreditRiskPredictor
from finml.models.intent.runtime import IntentPredictor

Task = Literal["credit_risk", "intent"]

ROWS = 256
GIVEN_FEATURES = 24

OPENINGS = (
    "hello, could you please",
    "i would really like you to",
    "good morning, can you",
    "please quickly",
)
QUESTIONS = (
    "tell me what the balance of my savings account is",
    "block the card that i lost on the train today",
    "show how much i spent on groceries during last month",
    "send four hundred dollars to my landlord before next friday",
    "explain why the payment at the hotel was declined twice",
    "raise the limit of my credit card by two thousand",
    "say when the next instalment of my home loan is due",
    "download the statement of march for the tax office today",
)


@dataclass(frozen=True)
class Loan:
    """A loan as finml's service is asked about it, the same as the row that a model reads, and its answer.

    Attributes:
        item: one of `inputs`; the features are in it.
        row: the model's features by name, without those that are missing.
        vector: the same in the model's order, `None` where missing.
        probability: what must be answered.
    """

    item: dict[str, Any]
    row: dict[str, float]
    vector: list[float | None]
    probability: float


@dataclass(frozen=True)
class Message:
    """A text and its intent."""

    text: str
    intent: str


def loans(predictor: CreditRiskPredictor, seed: int = 7) -> list[Loan]:
    """Made-up loans, each with `GIVEN_FEATURES` features."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret is drawn
    given = [feature for feature in predictor.features if feature.column in known_features()][:GIVEN_FEATURES]
    reader = RecordReader(predictor.features)
    made = []
    for place in range(ROWS):
        item = loan(chance, f"user-{place}")
        item["features"] = {feature.column: drawn(feature, chance) for feature in given}
        asked = CreditRiskInput(**item)
        (record,) = loan_records([asked], [asked.features or {}])
        values = [None if np.isnan(value) else value for value in reader.matrix([record])[0].tolist()]
        named = zip(predictor.features, values, strict=True)
        made.append(
            Loan(
                item=item,
                row={feature.name: value for feature, value in named if value is not None},
                vector=values,
                probability=predictor.predict_records([record])[0].probability,
            )
        )
    return made


def drawn(feature: Feature, chance: random.Random) -> float:
    """A plausible value of a feature."""
    match feature.unit:
        case "percent":
            return round(chance.betavariate(2, 3), 4)
        case "times":
            return round(chance.gammavariate(2, 0.3), 4)
        case "currency":
            return round(chance.lognormvariate(9, 1), 2)
        case "status":
            return chance.randint(-2, 3)
        case "flag":
            return chance.randint(0, 1)
        case _:
            return chance.choice((0, 0, 0, 1, 2, 5, 30))


def messages(predictor: IntentPredictor) -> list[Message]:
    """Texts of 11 to 15 words."""
    texts = [f"{opening} {question}" for opening, question in product(OPENINGS, QUESTIONS)]
    answers = predictor.answer(texts)
    return [Message(text, answer.intent) for text, answer in zip(texts, answers, strict=True)]


def model_folders(bento_home: Path) -> Mapping[Task, Path]:
    """Folders of the models that the newest Bento of a home serves."""
    return {task: _newest(bento_home / "models" / task) / "files" for task in ("credit_risk", "intent")}


def _newest(model: Path) -> Path:
    return model / (model / "latest").read_text(encoding="utf-8").strip()
