"""The spine of credit risk: who asked for what, when, and what came of it."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from finml.errors import FeatureError
from finml.features.labels import COLUMNS, credit_risk_spine
from tests.features.books import Book

ASKED = datetime(2024, 6, 30, 12)


@pytest.fixture
def book() -> Book:
    book = Book()
    book.user("old", birth_date=datetime(1990, 6, 30), sex="female", education="university")
    book.user("young", birth_date=datetime(1990, 7, 1), marital_status="single")
    book.user("ageless")
    for number, user in enumerate(("old", "young", "ageless")):
        book.loan(f"l{number}", ASKED, user_id=user, principal_minor=123_456, term_months=12)
        book.outcome(ASKED, loan_id=f"l{number}", defaulted=number == 1)
    return book


def test_one_row_an_outcome_with_times_in_utc_and_amounts_in_major_units(book: Book, tmp_path: Path) -> None:
    frame = credit_risk_spine(book.write(tmp_path))
    assert tuple(frame.columns) == COLUMNS
    assert frame["defaulted"].tolist() == [False, True, False]
    assert frame["event_timestamp"].tolist() == [pd.Timestamp(ASKED, tz="UTC")] * 3
    assert (frame["label_known_at"] - frame["event_timestamp"]).dt.days.tolist() == [90] * 3
    assert frame["loan_amount"].tolist() == [1234.56] * 3
    assert frame["term_months"].tolist() == [12.0] * 3
    assert frame["installment"].isna().all()
    assert str(frame["annual_rate"].dtype) == "float64"


def test_age_is_in_completed_years_at_the_moment_of_the_question(book: Book, tmp_path: Path) -> None:
    frame = credit_risk_spine(book.write(tmp_path)).set_index("user_id")
    assert frame.loc["old", "protected_age"] == 34.0
    assert frame.loc["young", "protected_age"] == 33.0
    assert pd.isna(frame.loc["ageless", "protected_age"])
    assert frame.loc["old", "protected_sex"] == "female"


def test_labels_that_became_known_later_can_be_left_out(book: Book, tmp_path: Path) -> None:
    book.outcome(ASKED, loan_id="l0", known_at=datetime(2024, 7, 1))
    frame = credit_risk_spine(book.write(tmp_path), known_by=datetime(2024, 7, 1))
    assert frame["outcome_id"].tolist() == ["o3"]


def test_a_ledger_without_outcomes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="no loan outcome"):
        credit_risk_spine(Book().write(tmp_path))
