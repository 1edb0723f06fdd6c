import json

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError
from finml.models.anomaly.behaviour import OWN_FEATURES, behaviour
from finml.models.anomaly.example import busy_habits
from finml.models.anomaly.frames import features_of
from finml.models.anomaly.habits import Habits, Transaction

ROW = {
    "user_id": "u1",
    "event_timestamp": pd.Timestamp("2025-06-15 09:29:59", tz="UTC"),
    "transaction_id": "t1",
    "occurred_at": pd.Timestamp("2025-06-15 09:30:00.5", tz="UTC"),
    "amount": 125.5,
    "category": "dining",
    "merchant": "merchant 003",
    "channel": "upi",
    "anomalous": False,
    "anomaly_kind": None,
    "weight": 2.5,
    "habits": busy_habits(),
}


def rows(*changes: dict) -> pd.DataFrame:
    return pd.DataFrame([ROW | change for change in changes])


def test_the_ledger_s_rows_get_the_features_of_a_request(model):
    changes = [{}, {"merchant": None}, {"habits": None}, {"amount": 90_000.0, "merchant": "new"}]
    frame = model.training_frame(rows(*changes))
    assert features_of(frame) == "behaviour"
    for change, found in zip(changes, frame.to_dict("records"), strict=True):
        row = ROW | change
        asked = Transaction(row["occurred_at"].timestamp(), row["amount"], "dining", row["merchant"])
        expected = behaviour(asked, Habits.read(row["habits"]))
        assert {name: found[name] for name in OWN_FEATURES} == expected.values
        assert found["history"] == expected.history
    assert "habits" not in frame
    assert frame["weight"].tolist() == [2.5] * 4


def test_a_checked_frame_is_taken_again_as_it_is(model, frame, tmp_path):
    pd.testing.assert_frame_equal(model.training_frame(frame), frame)
    frame.to_parquet(tmp_path / "kept.parquet")
    pd.testing.assert_frame_equal(
        model.training_frame(pd.read_parquet(tmp_path / "kept.parquet")), frame, check_dtype=False
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": 0.0}, "amount: in_range"),
        ({"amount": -5.0}, "amount: in_range"),
        ({"amount": float("nan")}, "amount: not_nullable"),
        ({"amount": float("inf")}, "amount: in_range"),
        ({"user_id": ""}, "user_id: str_length"),
        ({"category": None}, "category"),
        ({"weight": 0.0}, "weight: greater_than"),
        ({"anomalous": None}, "anomalous is empty in 1 rows"),
    ],
)
def test_what_cannot_be_meant_is_named(model, change, words):
    with pytest.raises(DataError, match=words):
        model.training_frame(rows({}, change))


def test_missing_columns_are_named(model):
    with pytest.raises(DataError, match="category, merchant"):
        model.training_frame(rows({}).drop(columns=["category", "merchant"]))
    with pytest.raises(DataError, match="the column anomalous is missing"):
        model.training_frame(rows({}).drop(columns="anomalous"))
    with pytest.raises(DataError, match="no row"):
        model.training_frame(rows({}).head(0))


def test_a_table_may_miss_values_and_not_hold_infinities(model):
    table = pd.DataFrame({"a": [1.0, np.nan], "b": [1, 2], "anomalous": [True, False]})
    frame = model.training_frame(table)
    assert features_of(frame) == "table"
    assert frame["a"].isna().tolist() == [False, True]
    with pytest.raises(DataError, match="a: must be finite"):
        model.training_frame(table.assign(a=[np.inf, 1]))
    with pytest.raises(DataError, match="no column of numbers"):
        model.training_frame(table[["anomalous"]])


def test_habits_that_are_no_json_are_an_error_and_not_a_score(model):
    with pytest.raises(json.JSONDecodeError):
        model.training_frame(rows({"habits": "{"}))
