"""What goes into `anomaly` and what comes out: columns, requests and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from finml.ledger.contracts import CATEGORIES, CHANNELS, MAX_TRANSACTION_MINOR
from finml.ledger.declaration import MAX_TEXT_LENGTH
from finml.models.anomaly.behaviour import OWN_FEATURES
from finml.models.anomaly.habits import History, Transaction
from finml.models.requests import NO_CONTROL, Message, UserId, without_control

NAME = "anomaly"
LABEL, KIND, WEIGHT, ORDER = "anomalous", "anomaly_kind", "weight", "row_time"
"""Columns of a labelled frame: what a row is, of which kind, how many rows it stands for, and when it was."""
FEATURE_SERVICE = "anomaly_v1"
HABITS = "habits"
"""The feature of `anomaly_v1`, a JSON text."""
BEHAVIOUR_COLUMNS = ("user_id", "occurred_at", "amount", "category", "merchant", "history", *OWN_FEATURES)
RESERVED = (LABEL, KIND, WEIGHT, ORDER)

ALERT_BUDGET = 0.005
"""Share of the transactions that may be flagged, unless a training says otherwise."""

LEAST_AMOUNT = 0.01
MAX_AMOUNT = MAX_TRANSACTION_MINOR / 100
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
# a clock may be ahead, and a booking may be dated to tomorrow
LATEST = timedelta(days=1)
MOST_RECENT = 50
MOST_VALUES, MAX_VALUE = 1_000, 1e30

NEEDED = ("occurred_at", "amount", "category")
"""Fields that a transaction cannot do without."""

Features = Literal["behaviour", "table"]


@dataclass(frozen=True)
class Served:
    """What the model that is served takes.

    Attributes:
        features: transactions (`behaviour`) or the columns of a table.
        columns: of the table; empty for transactions.
        categories: of the transactions; empty for a table.
    """

    features: Features = "behaviour"
    columns: Sequence[str] = ()
    categories: Sequence[str] = CATEGORIES


def _possible(moment: datetime) -> datetime:
    if moment < EARLIEST:
        raise ValueError(f"must not be before {EARLIEST.year}")
    if moment > datetime.now(UTC) + LATEST:
        raise ValueError("must not be more than a day in the future")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_possible)]
Amount = Annotated[float, Field(ge=LEAST_AMOUNT, le=MAX_AMOUNT, strict=True)]
Merchant = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TEXT_LENGTH, strict=True),
    AfterValidator(without_control),
    NO_CONTROL,
]
Category = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TEXT_LENGTH, strict=True),
    AfterValidator(without_control),
    NO_CONTROL,
]
Value = Annotated[float, Field(ge=-MAX_VALUE, le=MAX_VALUE, strict=True)]


def needed(optional: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a field that may be null, as of one that may not."""
    kept = {keyword: value for keyword, value in optional.items() if keyword not in {"anyOf", "default"}}
    return {**kept, **optional["anyOf"][0]}


class RecentTransaction(Message):
    """A debit that the stored habits do not know yet."""

    occurred_at: Moment = Field(description="when, ISO 8601 with its offset")
    amount: Amount = Field(description="in major units")
    category: Category = Field(description="what it was for")
    merchant: Merchant | None = Field(None, description="other party")

    def transaction(self) -> Transaction:
        """As the features take it."""
        return Transaction(self.occurred_at.timestamp(), self.amount, self.category, self.merchant)


class AnomalyInput(Message):
    """A debit and whose it is; for a model of a table, the table's columns instead."""

    served: ClassVar[Served] = Served()
    """What requests are checked against; a process that serves a model has a class of its own with that."""

    user_id: UserId | None = Field(None, description="whose habits are read; without it none are known")
    occurred_at: Moment | None = Field(None, description="when, ISO 8601 with its offset")
    amount: Amount | None = Field(None, description="in major units of the bank's currency")
    category: Category | None = Field(None, description="what it was for")
    merchant: Merchant | None = Field(None, description="other party")
    channel: Literal[CHANNELS] | None = Field(None, description="how it was made; not a feature")  # type: ignore[valid-type]
    recent: list[RecentTransaction] = Field(
        default=[], max_length=MOST_RECENT, description="the user's debits since the habits were stored"
    )
    values: dict[str, Value | None] | None = Field(
        None, max_length=MOST_VALUES, description="columns of the table that the model was trained on"
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """With what the model that is served takes."""
        described = handler.resolve_ref_schema(handler(schema))
        fields, served = described["properties"], cls.served
        if served.features == "table":
            values = needed(fields["values"])
            described["properties"] = {"values": values}
            values["required"] = columns = list(served.columns)
            values["propertyNames"] = {"enum": columns}
        else:
            described["properties"] = {
                name: needed(field) if name in NEEDED else field
                for name, field in fields.items()
                if name != "values"
            }
            described["properties"]["category"]["enum"] = list(served.categories)
        described["required"] = [name for name in (*NEEDED, "values") if name in described["properties"]]
        return described

    @field_validator("category")
    @classmethod
    def _is_known(cls, category: str | None) -> str | None:
        known = cls.served.categories
        if category is not None and known and category not in known:
            raise ValueError(f"is not one of {', '.join(known[:20])}{' …' if len(known) > 20 else ''}")
        return category

    @field_validator("values")
    @classmethod
    def _has_columns(cls, values: dict[str, float | None] | None) -> dict[str, float | None] | None:
        if values is None or cls.served.features != "table":
            return values
        unknown = [repr(name[:64]) for name in values if name not in cls.served.columns]
        lacking = [name for name in cls.served.columns if name not in values]
        if unknown:
            raise ValueError(f"has columns that the model does not know: {', '.join(unknown[:5])}")
        if lacking:
            raise ValueError(f"lacks columns of the model: {', '.join(lacking[:5])}")
        return values

    @model_validator(mode="after")
    def _is_what_the_model_takes(self) -> "AnomalyInput":
        if self.served.features == "table":
            if self.values is None:
                raise ValueError("values is needed: the model that is served was trained on a table")
            given = [name for name in (*NEEDED, "user_id", "merchant") if getattr(self, name) is not None]
            if given or self.recent:
                raise ValueError("only values is taken: the model that is served was trained on a table")
            return self
        if self.values is not None:
            raise ValueError("values is not taken: the model that is served was trained on transactions")
        lacking = [name for name in NEEDED if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} needed")
        return self

    def transaction(self) -> Transaction:
        """The debit as the features take it.

        Raises:
            ValueError: the input holds a row of a table.
        """
        if self.occurred_at is None or self.amount is None or self.category is None:
            raise ValueError("this input is no transaction")
        return Transaction(self.occurred_at.timestamp(), self.amount, self.category, self.merchant)


class AnomalyReason(Message):
    """One reason for an answer."""

    topic: str = Field(description="what it is about; a column of the table for such a model")
    text: str = Field(description="the reason in words")
    contribution: float = Field(description="how far the raw score falls if the topic were as usual")


class AnomalyOutput(Message):
    """The answer about one transaction, or one row of a table."""

    user_id: str | None
    score: float = Field(ge=0, le=1, description="share of the training rows that are less unusual")
    flagged: bool = Field(description="whether the score is high enough for an alert")
    threshold: float = Field(description="score from which a transaction is flagged: one less the budget")
    reasons: list[AnomalyReason] = Field(description="strongest first; empty where nothing is unusual")
    history: History = Field(description="what is known of the user: `short` below 20 debits in 180 days")
    category_model: str | None = Field(description="category whose own forest had a say, or null")
    model_version: str = Field(description="name and number, as in anomaly@7")
    feature_status: Literal["fresh", "stale", "missing", "not_used"] = Field(
        description="of the stored habits: in the online store and in time, there but too old, not there, "
        "or not read because no user is named or the model takes none"
    )
    feature_timestamps: dict[str, datetime | None] = Field(
        description="moment that the habits describe; empty where they were not read"
    )
    degraded: bool = Field(
        False, description="whether the store could not be asked, so that habits read before were used"
    )


class AnomalyExplanation(AnomalyOutput):
    """The answer with what each feature does to it."""

    raw_score: float = Field(description="what the score is the percentile of")
    contributions: dict[str, float] = Field(
        description="how far the raw score falls if that feature alone were as usual; they do not add up"
    )
    features: dict[str, float] = Field(description="the features that were computed")
