"""Ratios of the loan asked for to what the user has."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.features.declarations import LOAN_REQUEST
from finml.features.request_time import INPUTS, loan_request, monthly_installment

VALUES = st.one_of(st.none(), st.floats(allow_infinity=False, width=32))


def ratios(**given_values: float | None) -> dict[str, float]:
    columns = loan_request({name: [given_values.get(name)] for name in INPUTS})
    return {name: column[0] for name, column in columns.items()}


def test_each_ratio_by_hand() -> None:
    found = ratios(
        loan_amount=120_000,
        term_months=12,
        installment=11_000,
        collateral_value=200_000,
        monthly_income=50_000,
        income_90d=150_000,
        spending_90d=90_000,
        balance=60_000,
        outstanding=180_000,
        debt_service=9_000,
    )
    assert found == pytest.approx(
        {
            "amount_to_income": 0.2,
            "installment_to_income": 0.22,
            "total_installment_to_income": 0.4,
            "installment_to_surplus": 0.55,
            "amount_to_balance": 2.0,
            "balance_to_installment": 60 / 11,
            "request_loan_to_value": 0.6,
            "total_debt_to_income": 0.5,
        }
    )


def test_an_instalment_that_is_not_told_follows_from_the_terms() -> None:
    nan = math.nan
    assert monthly_installment(1200.0, 12.0, nan, nan) == 100.0
    assert monthly_installment(1200.0, 12.0, 0.0, nan) == 100.0
    for rate in (5e-324, 1e-267, 2e-15, 1e-12):
        assert monthly_installment(1200.0, 12.0, rate, nan) == pytest.approx(100.0)
    assert monthly_installment(100_000.0, 12.0, 0.12, nan) == pytest.approx(8884.88, abs=0.01)
    assert monthly_installment(100_000.0, 12.0, 0.12, 7.0) == 7.0
    assert math.isnan(monthly_installment(nan, 12.0, 0.12, nan))
    assert math.isnan(monthly_installment(1200.0, nan, 0.12, nan))


@given(rows=st.lists(st.tuples(*[VALUES] * len(INPUTS)), max_size=5))
def test_whatever_is_missing_or_zero_no_ratio_fails(rows: list[tuple[float | None, ...]]) -> None:
    columns = {name: [row[place] for row in rows] for place, name in enumerate(INPUTS)}
    found = loan_request(columns)
    assert tuple(found) == LOAN_REQUEST.feature_names
    assert all(len(column) == len(rows) for column in found.values())
    assert all(isinstance(value, float) for column in found.values() for value in column)
