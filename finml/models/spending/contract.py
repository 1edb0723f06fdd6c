"""What goes into `spending` and what comes out: requests and answers."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from finml.models.requests import NO_CONTROL, Message, UserId, Written, without_control

NAME = "spending"
FEATURE_SERVICE = "spending_v1"
FEATURE = "spending"
"""The feature that holds a user's history, as JSON."""
DEFAULT_HORIZON = 3
MOST_HORIZON = 365
MOST_MONTHS = 24
MOST_AMOUNT = 1e13
MOST_CATEGORIES = 64

MONTH = re.compile(r"(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])")


def _month(text: str) -> str:
    if not MONTH.fullmatch(text):
        raise ValueError("must be a month, as in 2026-05")
    return text


Category = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(without_control), NO_CONTROL]
Month = Annotated[str, Field(max_length=7), AfterValidator(_month), Written(f"^{MONTH.pattern}$")]
Amount = Annotated[float, Field(ge=0, le=MOST_AMOUNT)]


class SpendingHistory(Message):
    """What a user spent, by category and month. Amounts are in major units."""

    months: list[Month] = Field(
        min_length=1, max_length=MOST_MONTHS, description="complete months, the oldest first, without gaps"
    )
    spent: dict[Category, list[Amount]] = Field(
        max_length=MOST_CATEGORIES,
        description="an amount a month for each category; categories left out were not spent on",
    )

    @model_validator(mode="after")
    def _fits(self) -> "SpendingHistory":
        numbers = [int(month[:4]) * 12 + int(month[5:]) for month in self.months]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError("months must follow each other without gaps, the oldest first")
        for category, amounts in self.spent.items():
            if len(amounts) != len(self.months):
                raise ValueError(
                    f"spent.{category[:64]} has {len(amounts)} amounts for {len(self.months)} months"
                )
        return self


class SpendingInput(Message):
    """Whose spending on what, from when, and how far ahead."""

    user_id: UserId | None = Field(
        None, description="whose history is read; without it, and without history, the total of all users"
    )
    category: Category | None = Field(None, description="a series of the model; all of them without it")
    horizon: int = Field(
        DEFAULT_HORIZON,
        ge=1,
        le=MOST_HORIZON,
        strict=True,
        description="periods ahead: at most 24 months, 52 weeks or 365 days",
    )
    start: date | None = Field(
        None,
        description="a day in the first period asked for; without it the first period after the history",
    )
    history: SpendingHistory | None = Field(None, description="in place of the stored one")


class SpendingPoint(Message):
    """The forecast of one period. `decomposition` adds up to `yhat`."""

    ds: date = Field(description="first day of the period")
    yhat: float
    low: float = Field(description="lower end of the 80 % interval")
    high: float = Field(description="upper end of the 80 % interval")
    decomposition: dict[str, float] = Field(
        description="trend, yearly, weekly, holidays, regressors, recent (level of the last periods and last "
        "season) and, for a user, personal (what the user's own history moves)"
    )


class Pooling(Message):
    """How a user's own history and everyone's were weighed."""

    weight: float = Field(ge=0, le=1, description="share of the user's own history in the level")
    months: int = Field(ge=0, description="months of own history")
    scale: float = Field(description="factor on the category's shape")
    shift: float = Field(description="amount a month added whatever the season")
    typical: float = Field(description="amount a month that the mean user spends")


class SpendingForecast(Message):
    """The forecast of one series."""

    category: str
    frequency: Literal["monthly", "weekly", "daily"]
    subject: Literal["population", "user"] = Field(description="whose spending it is")
    forecast: list[SpendingPoint]
    method: Literal["prophet", "seasonal_naive", "mean", "recent_level"]
    pooling: Pooling | None = Field(description="null for the population")
    trained_until: date = Field(description="first day of the last period that the model was trained on")
    notes: list[str] = Field(description="what has to be known of the history and the method")


class SpendingOutput(Message):
    """The answer to one question. Amounts are in the major units that the model was trained on."""

    user_id: str | None
    forecasts: list[SpendingForecast]
    model_version: str = Field(description="name and number, as in spending@7")
    feature_status: Literal["fresh", "stale", "missing", "provided", "not_needed"] = Field(
        description="of the stored history: in the online store and in time, there but too old, not there, "
        "given in the request, or not asked for"
    )
    feature_timestamps: dict[str, datetime | None] = Field(
        description="moment that each view's features describe; empty where none was read"
    )
    degraded: bool = Field(
        False, description="whether the store could not be asked, so that features read before were used"
    )


class Changepoint(Message):
    """A moment at which a trend turned."""

    ds: date
    before: float = Field(description="slope before it, an amount a period")
    after: float = Field(description="slope after it")
    text: str


class SeriesExplanation(Message):
    """Why one series is forecast as it is."""

    category: str
    text: list[str] = Field(description="the decomposition in words, the largest part first")
    changepoints: list[Changepoint] = Field(description="the strongest, newest first")
    how: str = Field(description="the method in words")


class SpendingExplanation(SpendingOutput):
    """The answer with its decomposition and changepoints in words."""

    explanations: list[SeriesExplanation]
