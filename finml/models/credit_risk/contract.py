"""What goes into `credit_risk` and what comes out: columns, bands, requests and answers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from finml.features.declarations import REQUEST_FIELDS, SERVICES, VIEWS
from finml.features.request_time import INPUTS, loan_request
from finml.ledger.contracts import MAX_MONEY_MINOR
from finml.models.credit_risk.declared import FEATURES
from finml.models.requests import Message, UserId

NAME = "credit_risk"
LABEL = "defaulted"
FEATURE_SERVICE = "credit_risk_v1"
KEYS = ("user_id", "event_timestamp")
PROTECTED = {
    "sex": "protected_sex",
    "age": "protected_age",
    "marital_status": "protected_marital_status",
    "education": "protected_education",
}
"""Protected attributes and the columns that hold them. They measure fairness and are never features."""

BAND_NAMES = ("very_low", "low", "medium", "high", "very_high")
# odds at which the next band begins, in odds of the whole portfolio
BAND_ODDS = (0.25, 0.75, 2.0, 4.0)
FLAGGED_FROM = "high"
Band = Literal["very_low", "low", "medium", "high", "very_high"]

LEAST_AMOUNT = 0.01
# a statement that was not used; see `finml.features.credit_history`
LEAST_STATUS = -2
MAX_AMOUNT = MAX_MONEY_MINOR / 100
"""Most that an amount in a request can be, major units."""


def band_edges(base_rate: float) -> list[float]:
    """The probabilities at which the bands from the second on begin.

    The bands follow the portfolio: a risk is high where its odds are twice those of all loans or more.
    Banks whose loans default at 2 % and at 20 % both get five bands that tell their borrowers apart.

    Args:
        base_rate: share of defaults among the rows of the training.
    """
    odds = base_rate / (1 - base_rate)
    return [round(multiple * odds / (1 + multiple * odds), 4) for multiple in BAND_ODDS]


def threshold(base_rate: float) -> float:
    """The probability from which a loan is flagged: where the band `high` begins."""
    return band_edges(base_rate)[BAND_NAMES.index(FLAGGED_FROM) - 1]


@lru_cache(maxsize=1)
def known_features() -> frozenset[str]:
    """Names that `CreditRiskInput.features` may give: the stored features of the model's feature service."""
    views = [VIEWS[view] for view in SERVICES[FEATURE_SERVICE]]
    return frozenset(name for view in views if view.computed == "stored" for name in view.feature_names)


@lru_cache(maxsize=1)
def _units() -> Mapping[str, str]:
    views = [VIEWS[view] for view in SERVICES[FEATURE_SERVICE]]
    return {feature.name: feature.unit for view in views for feature in view.features}


Possible = Callable[[float], bool]


@lru_cache(maxsize=1)
def _possible() -> Mapping[str, tuple[Possible, str]]:
    """Of features that cannot have any value: which they can, and that in words."""
    rules: dict[str, tuple[Possible, str]] = {}
    for name, unit in _units().items():
        if unit == "code":
            words = f"is a whole number from {LEAST_STATUS} on"
            rules[name] = (lambda value: value >= LEAST_STATUS and value == int(value)), words
        elif unit == "count":
            rules[name] = (lambda value: value >= 0), "is a number of things, which cannot be negative"
        elif name.startswith("on_time_share"):
            rules[name] = (lambda value: 0 <= value <= 1), "is a share between 0 and 1"
    return rules


def _check(features: Mapping[str, float | None]) -> None:
    """Raise `ValueError` where a feature is unknown or cannot have its value."""
    rules = _possible()
    for name, value in features.items():
        rule = rules.get(name)
        if rule is not None and value is not None and not rule[0](value):
            raise ValueError(f"features.{name} {rule[1]}")
    if unknown := sorted(features.keys() - known_features()):
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise ValueError(f"unknown features: {', '.join(name[:64] for name in unknown[:5])}{more}")


Amount = Annotated[float, Field(ge=0, le=MAX_AMOUNT)]
# as large as float32 can tell apart from infinity with room for arithmetic
FeatureValue = Annotated[float, Field(ge=-1e30, le=1e30)]


class CreditRiskInput(Message):
    """A loan asked for, and by whom. Amounts are in major units of the bank's currency."""

    # what it nests are features, whose names are checked against those that there are
    own_words: ClassVar[bool] = True

    user_id: UserId | None = Field(
        None, description="whose features are read; not needed where they are given"
    )
    loan_amount: float = Field(ge=LEAST_AMOUNT, le=MAX_AMOUNT, description=REQUEST_FIELDS["loan_amount"])
    loan_kind: (
        Literal["credit_line", "personal", "home", "auto", "education", "business", "consumer"] | None
    ) = Field(None, description="kind of loan")
    term_months: int | None = Field(None, ge=1, le=600, description=REQUEST_FIELDS["term_months"])
    annual_rate: float | None = Field(None, ge=0, le=2, description=REQUEST_FIELDS["annual_rate"])
    installment: Amount | None = Field(None, description=REQUEST_FIELDS["installment"])
    collateral_value: Amount | None = Field(None, description=REQUEST_FIELDS["collateral_value"])
    features: dict[str, FeatureValue | None] | None = Field(
        None,
        description="stored features of the user, in place of the online store's; those left out are missing",
    )
    reasons: bool = Field(True, description="false: without reasons, which is faster")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """With what the validators check: whom it is about, and which features there are."""
        described = handler.resolve_ref_schema(handler(schema))
        described["anyOf"] = [{"required": ["user_id"]}, {"required": ["features"]}]
        given, _ = described["properties"]["features"]["anyOf"]
        given["propertyNames"] = {"enum": sorted(known_features())}
        return described

    @model_validator(mode="after")
    def _is_about_someone(self) -> "CreditRiskInput":
        if self.user_id is None and self.features is None:
            raise ValueError("either user_id or features is needed")
        if self.features:
            _check(self.features)
        return self

    def request_row(self) -> dict[str, float | None]:
        """The loan as the feature service takes it: `REQUEST_FIELDS`."""
        given = self.__dict__
        return {name: given[name] for name in REQUEST_FIELDS}


def loan_records(
    loans: Sequence[CreditRiskInput], stored: Sequence[Mapping[str, float | None]]
) -> list[dict[str, float | str | None]]:
    """Everything that the model reads of n loans: their users' stored features, the loans, and their ratios.

    The ratios are computed by the function that made them for training.
    """
    rows: list[dict[str, Any]] = [
        {**features, **loan.request_row(), "loan_kind": loan.loan_kind}
        for loan, features in zip(loans, stored, strict=True)
    ]
    ratios = loan_request({name: [row.get(name) for row in rows] for name in INPUTS})
    names, columns = tuple(ratios), tuple(ratios.values())
    for row, values in zip(rows, zip(*columns, strict=True), strict=True):
        row.update(zip(names, values, strict=True))
    return rows


class CreditRiskReason(Message):
    """One reason for an answer."""

    topic: str = Field(description="what it is about")
    text: str = Field(description="the reason in words")
    direction: Literal["raises", "lowers"] = Field(description="which way it moves the risk")
    contribution: float = Field(
        description="how far, in log-odds; all topics and the base add up to the score"
    )
    feature: str = Field(description="the feature that the words are about")
    value: float | None = Field(description="its value; null where it is missing")


class CreditRiskOutput(Message):
    """The answer about one loan."""

    own_words: ClassVar[bool] = True

    user_id: str | None
    probability: float = Field(ge=0, le=1, description="calibrated probability of default")
    band: Band = Field(description="risk band")
    flagged: bool = Field(description="whether the risk is high enough for a person to look at it")
    reasons: list[CreditRiskReason] = Field(description="strongest first; empty where not asked for")
    model_version: str = Field(description="name and number, as in credit_risk@7")
    feature_status: Literal["fresh", "stale", "missing", "provided"] = Field(
        description="of the stored features: in the online store and in time, there but too old, not there, "
        "or given in the request"
    )
    feature_timestamps: dict[str, datetime | None] = Field(
        description="moment that each view's features describe; empty where they were given"
    )
    missing_features: list[str] = Field(description="features of the model that had no value")


class CreditRiskExplanation(CreditRiskOutput):
    """The answer about one loan with the share of every feature in it."""

    contributions: dict[str, float] = Field(description="log-odds that each feature adds")
    base: float = Field(description="log-odds before any feature is looked at")
    margin: float = Field(description="their sum: the log-odds before calibration")


__all__ = [
    "BAND_NAMES",
    "FEATURES",
    "FEATURE_SERVICE",
    "KEYS",
    "LABEL",
    "NAME",
    "PROTECTED",
    "Band",
    "CreditRiskExplanation",
    "CreditRiskInput",
    "CreditRiskOutput",
    "CreditRiskReason",
    "band_edges",
    "known_features",
    "loan_records",
    "threshold",
]
