import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import DataError
from finml.features.declarations import REQUEST_FIELDS, SERVICES, VIEWS
from finml.models.credit_risk.contract import FEATURE_SERVICE, FEATURES, PROTECTED
from finml.models.credit_risk.features import Feature, RecordReader, feature_matrix

NAMED = {feature.name: feature for feature in FEATURES}


def test_every_feature_comes_from_the_feature_service_or_the_request():
    given = {name for view in SERVICES[FEATURE_SERVICE] for name in VIEWS[view].feature_names}
    assert {feature.column for feature in FEATURES} <= given | set(REQUEST_FIELDS) | {"loan_kind"}


def test_names_are_unique_and_safe_for_xgboost():
    assert len(NAMED) == len(FEATURES)
    assert all(name.isidentifier() for name in NAMED)


@pytest.mark.parametrize(
    "word", ["sex", "gender", "age", "marital", "marriage", "education", "birth", "protected"]
)
def test_no_protected_attribute_is_a_feature(word):
    assert not [f.name for f in FEATURES if word in f.column.split("_")]
    assert not set(PROTECTED.values()) & {feature.column for feature in FEATURES}


@pytest.mark.parametrize(
    ("names", "sign"),
    [
        (["worst_delay", "worst_delay_90d", "delay_days_1", "late_statements", "overdue", "defaults"], 1),
        (["utilisation", "debt_to_income", "loan_to_value", "request_loan_to_value"], 1),
        (["amount_to_income", "installment_to_income", "total_debt_to_income"], 1),
        (["on_time_share", "paid_share", "monthly_income", "balance_min_90d", "buffer_months"], -1),
        (["loan_amount", "status_1", "tenure_months"], 0),
    ],
)
def test_directions_are_those_that_the_field_is_sure_of(names, sign):
    assert {NAMED[name].sign for name in names} == {sign}


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_words_for_any_value(feature):
    for value in (-1.5, 0.0, 0.5, 1.0, 3.0, 250.0, float("nan")):
        words = feature.words_for(value)
        assert words
        assert "{" not in words
        assert "nan" not in words
        assert words[0].islower() or words[0].isdigit() or words[0] == "-"
    assert Feature.from_dict(feature.to_dict()) == feature


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("late_statements", 3, "3 of the last 6 statements were late"),
        ("late_statements", 0, "none of the last 6 statements was late"),
        ("delay_days_1", 60, "the latest statement was 60 days late"),
        ("worst_delay", 1, "the worst payment was 1 day late"),
        ("status_2", 1, "the statement before the latest was 1 month late"),
        ("status_1", -2, "the latest statement was not used"),
        ("utilisation", 0.834, "83 % of the credit limit is used"),
        ("amount_to_income", 0.5, "the amount is 0.50 times a year's income"),
        ("loan_amount", 250000, "the amount is 250,000"),
        ("monthly_income", np.nan, "income is not fully known"),
        ("loan_kind_home", 1, "the kind of loan is home"),
        ("loan_kind_credit_line", 0, "the kind of loan is not credit line"),
    ],
)
def test_words_say_the_value(name, value, words):
    assert NAMED[name].words_for(float(value)) == words


SOME = (NAMED["loan_amount"], NAMED["utilisation"], NAMED["loan_kind_home"])


def test_frames_and_records_make_the_same_matrix():
    frame = pd.DataFrame(
        {"loan_kind": ["home", None, "auto"], "utilisation": [0.5, np.nan, 1], "loan_amount": [10, 20, 30]}
    )
    expected = np.array([[10, 0.5, 1], [20, np.nan, np.nan], [30, 1, 0]], dtype=np.float32)
    made = feature_matrix(frame, SOME)
    np.testing.assert_array_equal(made, expected)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(RecordReader(SOME).matrix(frame.to_dict("records")), expected)
    np.testing.assert_array_equal(RecordReader(SOME).matrix([{"loan_amount": 10}, {}])[:, 0], [10, np.nan])
    assert RecordReader(SOME).matrix([]).shape == (0, 3)


def test_nullable_and_all_empty_columns_are_missing_values():
    frame = pd.DataFrame(
        {
            "loan_amount": pd.array([1, None], dtype="Int64"),
            "utilisation": [None, None],
            "loan_kind": [None, "home"],
        }
    )
    np.testing.assert_array_equal(
        feature_matrix(frame, SOME), np.array([[1, np.nan, np.nan], [np.nan, np.nan, 1]], dtype=np.float32)
    )


def test_columns_that_are_missing_or_no_numbers_are_named():
    with pytest.raises(DataError, match="loan_kind, utilisation"):
        feature_matrix(pd.DataFrame({"loan_amount": [1]}), SOME)
    frame = pd.DataFrame({"loan_amount": ["much"], "utilisation": [1], "loan_kind": ["home"]})
    with pytest.raises(DataError, match="other than numbers: loan_amount"):
        feature_matrix(frame, SOME)
    with pytest.raises(DataError, match="is not a number"):
        RecordReader(SOME).matrix([{"loan_amount": "much"}])


@given(
    st.sampled_from([feature.name for feature in FEATURES if not feature.category]),
    st.sampled_from([1e30, -1e30, 1e-300, -3.0, 1e300, -1e300, math.inf]),
)
def test_no_number_makes_a_value_that_trees_or_words_cannot_take(name, value):
    matrix = RecordReader(FEATURES).matrix([{name: value}])
    assert not np.isinf(matrix).any()
    place = next(place for place, feature in enumerate(FEATURES) if feature.name == name)
    assert FEATURES[place].words_for(float(matrix[0, place]))
