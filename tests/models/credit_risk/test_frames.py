import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError
from tests.models.credit_risk.loans import loans


@pytest.fixture
def frame() -> pd.DataFrame:
    return loans(40)


def test_a_good_frame_passes_with_its_own_rows(model, frame):
    checked = model.training_frame(frame)
    assert checked["user_id"].tolist() == frame["user_id"].tolist()
    assert checked["defaulted"].dtype == bool


def test_types_are_coerced(model, frame):
    frame["defaulted"] = frame["defaulted"].astype(int)
    frame["loan_amount"] = frame["loan_amount"].astype(str)
    frame["utilisation"] = None
    frame["event_timestamp"] = frame["event_timestamp"].dt.tz_convert("Asia/Kolkata")
    checked = model.training_frame(frame)
    assert checked["defaulted"].dtype == bool
    assert checked["loan_amount"].dtype == checked["utilisation"].dtype == np.float64
    assert str(checked["event_timestamp"].dt.tz) == "UTC"


def test_protected_columns_may_be_absent(model, frame):
    kept = frame.drop(columns=[column for column in frame if column.startswith("protected_")])
    assert len(model.training_frame(kept)) == len(frame)


def test_missing_columns_are_named(model, frame):
    with pytest.raises(DataError, match=r"(balance_min_90d|utilisation), (balance_min_90d|utilisation)"):
        model.training_frame(frame.drop(columns=["utilisation", "balance_min_90d"]))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("utilisation", np.inf, "utilisation: must be finite"),
        ("loan_amount", -5.0, "loan_amount: "),
        ("loan_amount", np.nan, "loan_amount: "),
        ("loan_kind", "yacht", "loan_kind: .*yacht"),
        ("user_id", "", "user_id: "),
        ("event_timestamp", pd.NaT, "event_timestamp: "),
        ("protected_age", 999.0, "protected_age: .*999"),
        ("defaulted", None, "defaulted is empty in 1 rows"),
        ("balance", "rich", "balance: .*rich"),
    ],
)
def test_values_that_cannot_be_meant_are_named(model, frame, column, value, words):
    frame[column] = frame[column].astype(object)
    frame.loc[3, column] = value
    with pytest.raises(DataError, match=words):
        model.training_frame(frame)


def test_every_failing_column_is_named_at_once(model, frame):
    frame.loc[0, ["utilisation", "balance"]] = np.inf
    frame.loc[1, "balance"] = -np.inf
    with pytest.raises(
        DataError, match=r"balance: must be finite \(2 rows.*utilisation: must be finite \(1 rows"
    ):
        model.training_frame(frame)


def test_no_row_is_no_training_frame(model, frame):
    with pytest.raises(DataError, match="no labelled row"):
        model.training_frame(frame.head(0))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_labelled_files_are_read(model, frame, tmp_path, suffix):
    file = tmp_path / f"loans.{suffix}"
    frame["user_id"] = [f"{place:04d}" for place in range(len(frame))]
    getattr(frame, f"to_{suffix}")(file, index=False)
    read = model.read(file)
    assert read["user_id"].tolist() == frame["user_id"].tolist()
    np.testing.assert_allclose(read["utilisation"], frame["utilisation"])
    assert read["protected_marital_status"].isna().all()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("loans.xlsx", b"", "a .xlsx file"),
        ("loans", b"", "a nameless file"),
        ("loans.parquet", b"no parquet", "cannot be read"),
        ("loans.csv", b"", "cannot be read"),
        ("loans.csv", b"\xff\xfe\x00", "cannot be read"),
        ("loans.csv", b"user_id\nu1\n", "columns are missing"),
        ("absent.csv", None, "cannot be read"),
    ],
)
def test_files_that_hold_no_labelled_rows_are_refused(model, tmp_path, name, content, words):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=words):
        model.read(file)
