"""What the view `spending_history` says of hand-made and of random ledgers."""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finml.ledger.contracts import CATEGORIES
from tests.features.books import Book, Lab

T = datetime(2024, 3, 15, 12)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
VIEW = "spending_history"
MONTHS = ["2023-09", "2023-10", "2023-11", "2023-12", "2024-01", "2024-02"]


@pytest.fixture
def book() -> Book:
    book = Book()
    book.user(at=datetime(2023, 5, 2))
    book.account()
    book.money(datetime(2023, 5, 1), 1, "salary")
    return book


def test_six_complete_months_and_the_month_so_far(lab: Lab, book: Book) -> None:
    book.money(datetime(2023, 8, 31, 23, 59, 59), -1, "rent")
    book.money(datetime(2023, 9, 1), -10_050, "rent")
    book.money(datetime(2024, 2, 29, 23, 59, 59), -20_000, "rent")
    book.money(datetime(2024, 2, 2), -30_000, "rent")
    book.money(datetime(2024, 3, 1), -777, "rent")
    book.money(T, -123, "dining")
    book.money(T + SECOND, -1, "dining")
    assert lab.text(VIEW, book, T) == {
        "months": MONTHS,
        "spent": {"rent": [100.5, 0.0, 0.0, 0.0, 0.0, 500.0]},
        "month_to_date": {"dining": 1.23, "rent": 7.77},
        "first_month": "2023-06",
    }


def test_a_month_is_so_far_until_its_last_moment(lab: Lab, book: Book) -> None:
    book.money(datetime(2024, 2, 10), -100, "fees")
    before = lab.text(VIEW, book, datetime(2024, 2, 29, 23, 59, 59))
    assert (before["month_to_date"], before["spent"]) == ({"fees": 1.0}, {})
    after = lab.text(VIEW, book, datetime(2024, 3, 1))
    assert (after["month_to_date"], after["spent"]) == ({}, {"fees": [0.0] * 5 + [1.0]})


def test_only_what_was_spent_counts(lab: Lab, book: Book) -> None:
    for category in CATEGORIES:
        book.money(datetime(2024, 1, 5), -100, category)
        book.money(datetime(2024, 1, 6), 100, category)
    spent = lab.text(VIEW, book, T)["spent"]
    assert list(spent) == sorted(set(CATEGORIES) - {"transfer", "investment"})


def test_a_late_row_is_seen_from_when_it_was_known(lab: Lab, book: Book) -> None:
    book.money(datetime(2024, 1, 5), -100, "rent", known_at=T)
    assert lab.text(VIEW, book, T - SECOND)["spent"] == {}
    assert lab.text(VIEW, book, T)["spent"] == {"rent": [0.0] * 4 + [1.0, 0.0]}


@pytest.mark.parametrize(
    ("since", "month"),
    [
        (datetime(2023, 5, 1), "2023-05"),
        (datetime(2023, 5, 1, 0, 0, 1), "2023-06"),
        (datetime(2023, 12, 31), "2024-01"),
        (datetime(2024, 3, 2), "2024-04"),
    ],
)
def test_the_first_month_is_one_with_the_user_from_its_first_moment_on(
    lab: Lab, since: datetime, month: str
) -> None:
    book = Book()
    book.user(at=since)
    assert lab.text(VIEW, book, T)["first_month"] == month


@pytest.mark.parametrize(
    ("first", "month"),
    [
        (datetime(2023, 4, 30), "2023-06"),
        (datetime(2023, 12, 1, 18), "2023-12"),
        (datetime(2023, 12, 2), "2024-01"),
        (T, "2024-04"),
    ],
)
def test_months_before_the_ledger_begins_are_not_told_as_months_without_spending(
    lab: Lab, first: datetime, month: str
) -> None:
    book = Book()
    book.user(at=datetime(2023, 5, 2))
    book.account()
    book.money(first, -100, "rent")
    book.money(T - SECOND, -100, "rent", known_at=T + SECOND)
    assert lab.text(VIEW, book, T)["first_month"] == month


def test_the_ledger_begins_where_it_was_known_to_begin(lab: Lab, book: Book) -> None:
    book.rows["transactions"].clear()
    book.money(datetime(2023, 11, 20), -100, "rent")
    book.money(datetime(2023, 9, 20), -100, "rent", known_at=T)
    assert lab.text(VIEW, book, T - SECOND)["first_month"] == "2023-12"
    assert lab.text(VIEW, book, T)["first_month"] == "2023-10"


def test_nothing_is_known_of_a_stranger(lab: Lab, book: Book) -> None:
    expected = {"months": MONTHS, "spent": {}, "month_to_date": {}, "first_month": None}
    assert lab.text(VIEW, book, T, "stranger") == expected
    book.user("later", known_at=T + SECOND)
    assert lab.text(VIEW, book, T, "later") == expected


AGES = st.integers(0, 260 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
LAGS = st.one_of(st.just(timedelta()), st.integers(0, 60).map(lambda days: days * DAY))
TRANSACTIONS = st.lists(
    st.tuples(AGES, LAGS, st.sampled_from(CATEGORIES), st.integers(-(10**7), 10**7).filter(bool)), max_size=25
)
MOMENTS = st.lists(AGES.map(lambda age: T - age), min_size=1, max_size=4, unique=True)


@given(transactions=TRANSACTIONS, moments=MOMENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_ledgers_agree_with_a_plain_reading_of_the_rules(
    lab: Lab, transactions: list[Any], moments: list[datetime]
) -> None:
    book = Book()
    book.user(at=datetime(2023, 5, 2))
    book.account()
    for age, lag, category, amount in transactions:
        book.money(T - age, amount, category, known_at=T - age + lag)
    frame = lab.compute(VIEW, book, [("u", moment) for moment in moments])
    for moment in moments:
        assert json.loads(frame.loc[("u", moment), "spending"]) == _by_hand(book, moment)


def _by_hand(book: Book, t: datetime) -> dict[str, Any]:
    months = [f"{t:%Y-%m}"]
    while len(months) < 7:
        year, month = map(int, months[0].split("-"))
        months.insert(0, f"{year - 1}-12" if month == 1 else f"{year}-{month - 1:02}")
    minor: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(months, 0))
    for row in book.rows["transactions"]:
        month = f"{row['occurred_at']:%Y-%m}"
        is_spent = row["direction"] == "debit" and row["category"] not in ("transfer", "investment")
        if is_spent and max(row["occurred_at"], row["known_at"]) <= t and month in months:
            minor[row["category"]][month] += row["amount_minor"]
    complete = {name: [sums[month] / 100 for month in months[:-1]] for name, sums in minor.items()}
    return {
        "months": months[:-1],
        "spent": {name: sums for name, sums in complete.items() if any(sums)},
        "month_to_date": {n: sums[months[-1]] / 100 for n, sums in minor.items() if sums[months[-1]]},
        "first_month": _first_month(book, t) if t >= datetime(2023, 5, 2) else None,
    }


def _first_month(book: Book, t: datetime) -> str:
    known = [row for row in book.rows["transactions"] if max(row["occurred_at"], row["known_at"]) <= t]
    begun = min((row["occurred_at"] for row in known), default=datetime(2023, 5, 2))
    following = begun if begun.day == 1 else begun.replace(day=28) + 4 * DAY
    return max("2023-06", f"{following:%Y-%m}")
