"""What goes into `entities` and what comes out: types, requests and answers."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, Field

from finml.models.entities.texts import CONTROL, has_control
from finml.models.requests import NO_CONTROL_BUT_BREAKS, Message

NAME = "entities"
LABELS = (
    "MONEY",
    "DATE",
    "MERCHANT",
    "PERSON",
    "ACCOUNT",
    "CARD",
    "CATEGORY",
    "PERCENT",
    "UPI",
    "IFSC",
    "PAN",
)
"""The types of entities."""
Label = Literal[
    "MONEY", "DATE", "MERCHANT", "PERSON", "ACCOUNT", "CARD", "CATEGORY", "PERCENT", "UPI", "IFSC", "PAN"
]
MOST_CHARACTERS = 512
DEFAULT_TIME_ZONE = "Asia/Kolkata"
DEFAULT_CURRENCY = "INR"
# far enough from both ends of the calendar that a century more or less stays on it
YEARS = (1900, 2200)


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must hold more than blanks")
    if has_control(text):
        raise ValueError(CONTROL)
    return text


def _time_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("is no time zone of the IANA database, as Asia/Kolkata is")
    return name


def _moment(when: datetime) -> datetime:
    if not YEARS[0] <= when.year < YEARS[1]:
        raise ValueError(f"must lie in the years {YEARS[0]} to {YEARS[1] - 1}")
    return when


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class EntitiesInput(Message):
    """A message, and what its dates and bare amounts are read against."""

    text: Annotated[
        str,
        Field(min_length=1, max_length=MOST_CHARACTERS, strict=True),
        AfterValidator(_text),
        NO_CONTROL_BUT_BREAKS,
    ] = Field(
        description="what the user typed, in any script; no control characters but tabs and line breaks"
    )
    now: Annotated[AwareDatetime, AfterValidator(_moment)] | None = Field(
        None,
        description="moment that `yesterday` is read against, with its offset; by default the present",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        DEFAULT_TIME_ZONE, description="time zone of the user, by its IANA name: where days begin and end"
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        DEFAULT_CURRENCY, description="ISO 4217 code of amounts that name no currency"
    )

    @classmethod
    def of(cls, text: str, now: datetime | None = None) -> "EntitiesInput":
        """A text with the defaults, unchecked: labelled files have a contract of their own."""
        return cls.model_construct(text=text, now=now, time_zone=DEFAULT_TIME_ZONE, currency=DEFAULT_CURRENCY)

    def moment(self) -> datetime:
        """`now` at the user's place."""
        return (self.now or datetime.now(UTC)).astimezone(ZoneInfo(self.time_zone))


class Interval(Message):
    """From `start` to before `end`, with the offset of the user's time zone; null is no bound."""

    start: datetime | None
    end: datetime | None


class MoneyValue(Message):
    """An amount in major units."""

    kind: Literal["money"] = "money"
    amount: str = Field(description="decimal string, without exponent and without separators of thousands")
    currency: str = Field(description="ISO 4217 code; that of the request where the text names none")
    assumed: bool = Field(description="whether the currency is the request's")


class DateValue(Message):
    """A day or period as an interval whose end is exclusive."""

    kind: Literal["date"] = "date"
    start: datetime | None = Field(
        description="first moment; null where the text sets none, as in `until Friday`"
    )
    end: datetime | None = Field(description="first moment after it; null where the text sets none")
    grain: str = Field(description="day, week, month, quarter, year, financial_year, weekend or span")
    relation: str = Field(description="since, until or before, where a word beside it opens the interval")
    alternatives: list[Interval] = Field(description="other readings of an ambiguous word, such as kal")


class PercentValue(Message):
    """A share: 0.085 for 8.5 %."""

    kind: Literal["percent"] = "percent"
    fraction: str = Field(description="decimal string")


class MerchantValue(Message):
    """A merchant of the catalogue, or none that is near enough."""

    kind: Literal["merchant"] = "merchant"
    merchant: str | None = Field(description="its name in the catalogue; null where none is near enough")
    score: float = Field(ge=0, le=1, description="how near the nearest name is; 1 is the same")


class IdentifierValue(Message):
    """An identifier as it is written in full."""

    kind: Literal["identifier"] = "identifier"
    id: str | None = Field(
        description="upper case, digits without blanks; null where the text does not number it"
    )
    last4: str | None = Field(description="last four digits of a card or an account")
    checked: bool = Field(description="whether it passed a check of its own, such as Luhn's")


class NameValue(Message):
    """A name in lower case with single blanks."""

    kind: Literal["name"] = "name"
    name: str


Value = Annotated[
    MoneyValue | DateValue | PercentValue | MerchantValue | IdentifierValue | NameValue,
    Field(discriminator="kind"),
]


class Entity(Message):
    """One entity of a text."""

    type: Label
    text: str = Field(description="as typed: the text from `start` to before `end`")
    start: int = Field(ge=0, description="offset in characters (code points) of the text")
    end: int = Field(ge=1, description="offset of the first character after it")
    value: Value | None = Field(
        description="what it means; null where that cannot be told, as of `every month`"
    )
    source: Literal["model", "rule"] = Field(description="what found it")


class EntitiesOutput(Message):
    """The entities of one text, from left to right; none overlaps another."""

    entities: list[Entity]
    model_version: str = Field(description="name and number, as in entities@7")


class Found(Message):
    """One thing that the model or a rule found, and what became of it."""

    type: Label
    text: str
    start: int
    end: int
    source: Literal["model", "rule"]
    rule: str | None = Field(description="name of the rule; null for the model")
    kept: bool = Field(description="whether it is in the answer")
    because: str = Field(description="why it was kept, or what it gave way to")
    value: Value | None
    reading: str = Field(description="how the value was read; empty where it was dropped")


class EntitiesExplanation(EntitiesOutput):
    """The entities of one text with everything that was found on the way."""

    found: list[Found] = Field(description="from left to right, those that were dropped among them")
