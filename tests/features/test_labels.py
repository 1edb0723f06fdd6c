"""The spines: who asked for what, when, and what came of it; what was paid, and what was spent."""

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from finml.errors import FeatureError
from finml.features import questions
from finml.features.engine import duckdb_engine
from finml.features.labels import (
    ANOMALY_COLUMNS,
    COLUMNS,
    anomaly_spine,
    credit_risk_spine,
    spending_spine,
)
from finml.features.questions import transaction_questions
from finml.features.tables import LedgerTables
from tests.features.books import Book

ASKED = datetime(2024, 6, 30, 12)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


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


PAID = datetime(2024, 6, 1, 9, 30, 0, 500)


@pytest.fixture
def spender(book: Book) -> Book:
    """Two users who pay; one of them since long enough."""
    book.account("a-old", user_id="old")
    book.account("a-young", user_id="young")
    book.money(PAID - 60 * DAY, -100, "rent", account_id="a-old")
    book.money(PAID - 60 * DAY + SECOND, -100, "rent", account_id="a-young")
    for account in ("a-old", "a-young"):
        book.money(
            PAID,
            -12_345,
            "dining",
            account_id=account,
            merchant="Café",
            channel="card",
            transaction_id=account,
        )
    return book


def label(book: Book, transaction: str, **values: object) -> None:
    known = {"known_at": PAID + 3 * DAY, "transaction_id": transaction} | values
    book.add("transaction_labels", PAID + 3 * DAY, known)


def test_a_transaction_is_asked_about_in_the_last_second_before_it(spender: Book, tmp_path: Path) -> None:
    label(spender, "a-old", anomalous=True, kind="burst")
    frame = anomaly_spine(spender.write(tmp_path))
    assert tuple(frame.columns) == ANOMALY_COLUMNS
    (row,) = frame.to_dict("records")
    assert row == {
        "user_id": "old",
        "event_timestamp": pd.Timestamp("2024-06-01 09:30:00", tz="UTC"),
        "transaction_id": "a-old",
        "occurred_at": pd.Timestamp("2024-06-01 09:30:00.0005", tz="UTC"),
        "amount": 123.45,
        "category": "dining",
        "merchant": "Café",
        "channel": "card",
        "anomalous": True,
        "anomaly_kind": "burst",
        "weight": 1.0,
    }


def test_a_transaction_on_a_whole_second_is_no_part_of_its_own_history(spender: Book, tmp_path: Path) -> None:
    whole = PAID.replace(microsecond=0) + DAY
    spender.money(whole, -1, "rent", account_id="a-old", transaction_id="whole")
    frame = anomaly_spine(spender.write(tmp_path)).set_index("transaction_id")
    assert frame.loc["whole", "event_timestamp"] == pd.Timestamp(whole - SECOND, tz="UTC")


def test_what_nobody_reviewed_is_taken_for_normal(spender: Book, tmp_path: Path) -> None:
    frame = anomaly_spine(spender.write(tmp_path))
    assert frame["anomalous"].tolist() == [False]
    assert frame["anomaly_kind"].tolist() == [None]
    assert frame["anomalous"].dtype == bool


def test_a_sample_stands_for_the_ledger_and_does_not_depend_on_the_order_of_rows(
    spender: Book, tmp_path: Path
) -> None:
    for number in range(40):
        spender.money(
            PAID + number * DAY, -100 - number, "dining", account_id="a-old", transaction_id=f"x{number}"
        )
    for number in (3, 11, 17, 24, 31, 38):
        label(spender, f"x{number}", anomalous=number != 38)
    everything = set(anomaly_spine(spender.write(tmp_path))["transaction_id"])
    assert everything == {"a-old", *(f"x{number}" for number in range(40))}

    def sample(most: int) -> pd.DataFrame:
        with duckdb_engine() as backend:
            tables = LedgerTables.read(backend, spender.write(tmp_path))
            return transaction_questions(tables, most).order_by("transaction_id").to_pandas()

    ten, twenty = sample(10), sample(20)
    assert set(ten["transaction_id"]) < set(twenty["transaction_id"]) < everything
    # a fifth may be anomalies, of which there are five among 41 debits
    for rows, anomalies in ((ten, 2), (twenty, 4)):
        is_anomaly = rows["anomalous"].eq(True)
        assert is_anomaly.sum() == anomalies
        assert len(rows) == 5 * anomalies
        assert rows.loc[is_anomaly, "weight"].sum() == pytest.approx(5)
        assert rows.loc[~is_anomaly, "weight"].sum() == pytest.approx(36)
    spender.rows["transactions"].reverse()
    pd.testing.assert_frame_equal(sample(10), ten)


def test_a_sample_that_holds_every_debit_stands_for_itself(spender: Book, tmp_path: Path) -> None:
    for number in range(4):
        spender.money(PAID + number * DAY, -100, "dining", account_id="a-old", transaction_id=f"x{number}")
        label(spender, f"x{number}", anomalous=False)
    frame = anomaly_spine(spender.write(tmp_path))
    assert frame["weight"].tolist() == [1.0] * 5


def test_a_ledger_without_debits_to_ask_about_is_refused(book: Book, tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="no transaction to ask about"):
        anomaly_spine(book.write(tmp_path))


@pytest.fixture
def shop() -> Book:
    """Three users over five months, the last of which is not over."""
    book = Book()
    for user, since in (
        ("a", datetime(2023, 1, 1)),
        ("b", datetime(2024, 2, 10)),
        ("c", datetime(2024, 5, 2)),
    ):
        book.user(user, since)
        book.account(f"{user}-1", since, user_id=user)
    for month, minor in ((1, 100), (2, 200), (4, 400), (5, 9_999)):
        book.money(datetime(2024, month, 1), -minor, "rent", account_id="a-1")
    book.money(datetime(2024, 2, 11), -1_000, "rent", account_id="b-1")
    book.money(datetime(2024, 4, 30, 23, 59, 59), -50, "dining", account_id="b-1")
    book.money(datetime(2024, 3, 3), -50, "transfer", account_id="b-1")
    book.money(datetime(2024, 3, 3), 500, "salary", account_id="b-1")
    return book


def _series(frame: pd.DataFrame, series: str, user_id: str | None = None) -> dict[str, float]:
    of = frame["user_id"].isna() if user_id is None else frame["user_id"] == user_id
    rows = frame[of & (frame["series"] == series)]
    return dict(zip(rows["ds"].dt.strftime("%Y-%m-%d"), rows["y"], strict=True))


def test_spending_is_told_by_complete_month_for_the_bank_and_for_users(shop: Book, tmp_path: Path) -> None:
    frame = spending_spine(shop.write(tmp_path))
    assert list(frame.columns) == ["series", "user_id", "ds", "y"]
    rent = {"2024-01-01": 1.0, "2024-02-01": 12.0, "2024-03-01": 0.0, "2024-04-01": 4.0}
    assert _series(frame, "rent") == rent
    assert _series(frame, "rent", "a") == rent | {"2024-02-01": 2.0}
    assert _series(frame, "rent", "b") == {}  # a customer since the middle of that month
    assert _series(frame, "dining", "b") == _series(frame, "dining") == {"2024-04-01": 0.5}
    assert set(frame["series"]) == {"rent", "dining"}
    assert frame["user_id"].iloc[0] is None


def test_the_ledgers_first_month_counts_if_it_is_there_from_its_first_day_on(
    shop: Book, tmp_path: Path
) -> None:
    shop.rows["transactions"][0]["occurred_at"] = datetime(2024, 1, 2)
    assert min(_series(spending_spine(shop.write(tmp_path)), "rent")) == "2024-02-01"


def test_only_some_users_are_told_of_by_name(
    shop: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_USERS", 1)
    frame = spending_spine(shop.write(tmp_path))
    assert frame["user_id"].nunique() == 1
    assert _series(frame, "rent")["2024-02-01"] == 12.0


def test_a_ledger_without_a_complete_month_is_refused(spender: Book, tmp_path: Path) -> None:
    spender.rows["transactions"] = spender.rows["transactions"][-1:]
    with pytest.raises(FeatureError, match="no complete month"):
        spending_spine(spender.write(tmp_path))


def test_users_are_asked_at_the_beginning_of_the_last_months_and_are_those_of_the_spine(
    shop: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_USERS", 1)
    folder = shop.write(tmp_path)
    with duckdb_engine() as backend:
        tables = LedgerTables.read(backend, folder)
        asked = questions.spending_questions(tables, datetime(2024, 5, 20)).to_pandas()
    (user,) = set(spending_spine(folder)["user_id"].dropna())
    assert set(asked["user_id"]) == {user}
    assert sorted(asked["event_timestamp"]) == [pd.Timestamp(2024, month, 1) for month in (2, 3, 4)]
