import math

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from finml.features.request_time import loan_request
from finml.ledger.contracts import LOAN_KINDS
from finml.models.credit_risk.contract import (
    BAND_NAMES,
    FEATURES,
    CreditRiskInput,
    band_edges,
    known_features,
    loan_records,
    threshold,
)

ASKED = {"user_id": "u1", "loan_amount": 1000.0}


@given(st.floats(0.005, 0.9))
def test_bands_rise_and_begin_to_flag_at_twice_the_portfolio_s_odds(base_rate):
    edges = band_edges(base_rate)
    assert edges == sorted(edges)
    assert len(edges) == len(BAND_NAMES) - 1
    assert all(0 < edge < 1 for edge in edges)
    flagged = threshold(base_rate)
    assert flagged / (1 - flagged) == pytest.approx(2 * base_rate / (1 - base_rate), rel=0.02)


def test_a_full_request_is_taken():
    asked = CreditRiskInput.model_validate_json(
        '{"user_id": "u1", "loan_amount": 250000, "loan_kind": "auto", "term_months": 24,'
        ' "annual_rate": 0.14, "installment": 12003, "collateral_value": 300000,'
        ' "features": {"income_90d": 90000, "balance": null}}'
    )
    assert asked.request_row() == {
        "loan_amount": 250000,
        "term_months": 24,
        "annual_rate": 0.14,
        "installment": 12003,
        "collateral_value": 300000,
    }


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"user_id": ""}, "user_id"),
        ({"user_id": "x" * 65}, "user_id"),
        ({"user_id": "a\nb"}, "user_id"),
        ({"user_id": "a\x00"}, "user_id"),
        ({"user_id": 7}, "user_id"),
        ({"user_id": None}, "either user_id or features"),
        ({"loan_amount": 0}, "loan_amount"),
        ({"loan_amount": -1}, "loan_amount"),
        ({"loan_amount": math.inf}, "loan_amount"),
        ({"loan_amount": math.nan}, "loan_amount"),
        ({"loan_amount": 1e300}, "loan_amount"),
        ({"loan_amount": None}, "loan_amount"),
        ({"loan_kind": "yacht"}, "loan_kind"),
        ({"term_months": 0}, "term_months"),
        ({"term_months": 601}, "term_months"),
        ({"term_months": 1.5}, "term_months"),
        ({"annual_rate": -0.1}, "annual_rate"),
        ({"annual_rate": 2.1}, "annual_rate"),
        ({"installment": -1}, "installment"),
        ({"collateral_value": math.nan}, "collateral_value"),
        ({"features": {"luck": 1.0}}, "unknown features: luck"),
        ({"features": {"protected_sex": 1.0}}, "unknown features: protected_sex"),
        ({"features": {"amount_to_income": 1.0}}, "unknown features: amount_to_income"),
        ({"features": {"balance": math.inf}}, "features.balance"),
        ({"features": {"balance": "rich"}}, "features.balance"),
        ({"sex": "female"}, "sex"),
    ],
)
def test_requests_that_cannot_be_meant_are_refused_with_the_field(change, where):
    with pytest.raises(ValidationError) as caught:
        CreditRiskInput.model_validate({**ASKED, **change})
    found = [f"{'.'.join(map(str, error['loc']))} {error['msg']}" for error in caught.value.errors()]
    assert any(where in words for words in found)


def test_many_unknown_features_make_a_short_message():
    with pytest.raises(ValidationError, match="and 995 more") as caught:
        CreditRiskInput(loan_amount=1, features={f"{'x' * 500}{k}": 1.0 for k in range(1000)})
    assert len(caught.value.errors()[0]["msg"]) < 600


def test_features_alone_are_enough():
    assert CreditRiskInput(loan_amount=1, features={}).user_id is None


def test_kinds_of_loans_are_the_ledger_s():
    for kind in LOAN_KINDS:
        assert CreditRiskInput(**ASKED, loan_kind=kind).loan_kind == kind


def test_known_features_are_the_stored_ones():
    assert {"balance", "worst_delay", "income_90d"} <= known_features()
    assert not {"loan_amount", "amount_to_income"} & known_features()


def test_a_record_holds_everything_that_the_model_reads():
    asked = CreditRiskInput(
        loan_amount=12000, term_months=12, loan_kind="home", features={"monthly_income": 2000.0}
    )
    (record,) = loan_records([asked], [dict.fromkeys(known_features()) | asked.features])
    assert {feature.column for feature in FEATURES} <= set(record)
    assert (record["amount_to_income"], record["installment_to_income"]) == (0.5, 0.5)
    assert record["loan_kind"] == "home"
    assert math.isnan(record["request_loan_to_value"])


@given(st.floats(1, 1e9), st.none() | st.floats(1, 1e7), st.none() | st.floats(-1e7, 1e7))
def test_ratios_of_a_record_are_those_of_training(amount, income, balance):
    asked = CreditRiskInput(user_id="u", loan_amount=amount)
    stored = {"monthly_income": income, "balance": balance, "income_90d": 0.0, "spending_90d": 1.0}
    columns = {name: [value] for name, value in {**stored, **asked.request_row()}.items()}
    expected = loan_request(columns | {"outstanding": [None], "debt_service": [None]})
    (record,) = loan_records([asked], [stored])
    for name, (value,) in expected.items():
        assert record[name] == value or (math.isnan(value) and math.isnan(record[name]))


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"loan_amount": 1.0}, False),
        ({"loan_amount": 1.0, "user_id": "u1"}, True),
        ({"loan_amount": 1.0, "user_id": "u\n1"}, False),
        ({"loan_amount": 1.0, "features": {"balance": 1.0}}, True),
        ({"loan_amount": 1.0, "features": {"luck": 1.0}}, False),
    ],
)
def test_the_schema_says_whom_it_is_about_and_which_features_there_are(asked, fits):
    assert jsonschema_rs.Draft202012Validator(CreditRiskInput.model_json_schema()).is_valid(asked) is fits
