"""Ratios of the loan asked for to what the user has: one function, used for training rows and for requests.

It is the body of Feast's on-demand view `loan_request`. It imports the standard library alone, so that it
runs wherever a model is served.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from finml.features.declarations import LOAN_REQUEST, REQUEST_FIELDS

MONTHS_A_YEAR = 12
STORED_INPUTS = ("monthly_income", "income_90d", "spending_90d", "balance", "outstanding", "debt_service")
"""Features of the stored views that the ratios are made of."""
INPUTS = (*REQUEST_FIELDS, *STORED_INPUTS)
MISSING = math.nan


def loan_request(inputs: Mapping[str, Sequence[float | None]]) -> dict[str, list[float]]:
    """The features of the view `loan_request`.

    Args:
        inputs: a column of equal length for each of `INPUTS`; `None` and NaN are missing. More are ignored.

    Returns:
        A column for each feature of `declarations.LOAN_REQUEST`, NaN where it cannot be said.
    """
    rows = [_ratios(*row) for row in zip(*(inputs[name] for name in INPUTS), strict=True)]
    return {name: [row[name] for row in rows] for name in LOAN_REQUEST.feature_names}


COMPUTED: Mapping[str, Callable[[Mapping[str, Sequence[float | None]]], dict[str, list[float]]]] = (
    MappingProxyType({LOAN_REQUEST.name: loan_request})
)
"""The function of each on-demand view."""


def monthly_installment(
    loan_amount: float, term_months: float, annual_rate: float, installment: float
) -> float:
    """The instalment given, else that of an annuity, else of equal parts; NaN where neither can be said."""
    if not math.isnan(installment):
        return installment
    if math.isnan(loan_amount) or not term_months > 0:
        return MISSING
    if math.isnan(annual_rate) or annual_rate <= 0:
        return loan_amount / term_months
    monthly = annual_rate / MONTHS_A_YEAR
    # by logarithms: of a small rate, 1 + rate keeps nothing
    repaid = -math.expm1(-term_months * math.log1p(monthly))
    # a rate too small to be told from none
    return float(loan_amount * monthly / repaid) if repaid else loan_amount / term_months


def _ratios(*row: float | None) -> dict[str, float]:
    values = (MISSING if value is None else float(value) for value in row)
    asked, term, rate, offered, collateral, income, earned, spent, balance, owed, service = values
    installment = monthly_installment(asked, term, rate, offered)
    return {
        "amount_to_income": _ratio(asked, income * MONTHS_A_YEAR),
        "installment_to_income": _ratio(installment, income),
        "total_installment_to_income": _ratio(installment + service, income),
        "installment_to_surplus": _ratio(installment, (earned - spent) / 3),
        "amount_to_balance": _ratio(asked, balance),
        "balance_to_installment": _ratio(balance, installment),
        "request_loan_to_value": _ratio(asked, collateral),
        "total_debt_to_income": _ratio(asked + owed, income * MONTHS_A_YEAR),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else MISSING
