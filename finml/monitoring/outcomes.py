"""What callers tell of what became of a prediction: the contract of `POST /feedback`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from finml.models.entities.contract import Label
from finml.models.requests import Message
from finml.privacy import mask_text

MOST_ITEMS = 1000
MOST_AMOUNTS, MOST_AMOUNT = 1000, 1e15
MOST_ENTITIES = 256

# the service's own ids: one that a caller made up itself would be taken and never be joined to anything
RequestId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", strict=True)]
Flag = Annotated[bool, Field(strict=True)]


def _impersonal(name: str) -> str:
    """A label's or a category's name, which is stored as it is."""
    if mask_text(name) != name:
        raise ValueError("must be a name of the model's, not personal data")
    return name


class Outcome(Message):
    """What all outcomes say beside the outcome itself."""

    request_id: RequestId = Field(description="of the answer, from its header X-Request-ID")
    position: int = Field(0, ge=0, lt=1000, strict=True, description="place of the input in the request")
    at: AwareDatetime | None = Field(None, description="when it came to pass; by default when it is told")


class CreditRiskOutcome(Outcome):
    """Whether a loan defaulted."""

    model: Literal["credit_risk"]
    defaulted: Flag


class AnomalyOutcome(Outcome):
    """Whether a transaction was fraud or a mistake, or otherwise not the user's usual."""

    model: Literal["anomaly"]
    anomalous: Flag


class IntentOutcome(Outcome):
    """What a message asked for."""

    model: Literal["intent"]
    intent: Annotated[str, AfterValidator(_impersonal)] = Field(
        min_length=1, max_length=128, description="the right intent; `oos`: none of them"
    )


class RightEntity(Message):
    """An entity that is in the text."""

    type: Label
    start: int = Field(ge=0, strict=True)
    end: int = Field(ge=1, strict=True)


class EntitiesOutcome(Outcome):
    """Which entities a text holds, or whether all were found."""

    model: Literal["entities"]
    correct: Flag | None = Field(None, description="whether the answer was right as a whole")
    entities: list[RightEntity] | None = Field(None, max_length=MOST_ENTITIES, description="the right ones")

    @model_validator(mode="after")
    def _says_one(self) -> "EntitiesOutcome":
        if (self.correct is None) == (self.entities is None):
            raise ValueError("either correct or entities is needed")
        return self


class Spent(Message):
    """What was spent in one period."""

    category: Annotated[str, AfterValidator(_impersonal)] = Field(min_length=1, max_length=64)
    ds: date = Field(description="first day of the period, as in the forecast")
    amount: float = Field(ge=0, le=MOST_AMOUNT)


class SpendingOutcome(Outcome):
    """What was spent in periods that were forecast."""

    model: Literal["spending"]
    spent: list[Spent] = Field(min_length=1, max_length=MOST_AMOUNTS)


FeedbackInput = Annotated[
    CreditRiskOutcome | AnomalyOutcome | IntentOutcome | EntitiesOutcome | SpendingOutcome,
    Field(discriminator="model"),
]
"""One outcome; `model` says of which model."""


class FeedbackRequest(Message):
    """The body of `POST /feedback`."""

    items: list[FeedbackInput] = Field(min_length=1, max_length=MOST_ITEMS)


def outcome_json(item: Outcome) -> str:
    """What an outcome says, as JSON: all fields but those that say of which prediction."""
    return item.model_dump_json(exclude={"request_id", "position", "model", "at"}, exclude_none=True)
