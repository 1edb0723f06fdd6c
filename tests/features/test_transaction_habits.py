"""What the view `transaction_habits` says of hand-made and of random ledgers."""

import json
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finml.features.transaction_habits import MOST_MERCHANTS, MOST_RECENT
from finml.ledger.contracts import CATEGORIES
from tests.features.books import Book, Lab

T = datetime(2024, 6, 30, 23, 59, 59)  # a Sunday
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
VIEW = "transaction_habits"
NOTHING = {
    "n": 0,
    "days": None,
    "amount": [None, None],
    "hours": [0] * 24,
    "weekdays": [0] * 7,
    "categories": {},
    "merchants": {},
    "recent": [],
}


@pytest.fixture
def book() -> Book:
    book = Book()
    book.user()
    book.account()
    return book


def epoch(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def ln(amount: float) -> float:
    return round(math.log(amount), 6)


def test_a_user_without_debits_has_habits_of_nothing(lab: Lab, book: Book) -> None:
    book.money(T - DAY, 100_000)
    assert lab.text(VIEW, book, T) == NOTHING
    assert lab.text(VIEW, book, T, "stranger") == NOTHING


def test_habits_are_told_by_amount_time_category_and_merchant(lab: Lab, book: Book) -> None:
    book.money(datetime(2024, 6, 3, 9, 30), -10_000, "utilities", merchant="City Gas")
    book.money(datetime(2024, 5, 4, 9, 30), -40_000, "utilities", merchant="City Gas")
    book.money(datetime(2024, 6, 30, 23, 59, 59), -250, "dining", merchant=None)
    book.money(datetime(2024, 6, 29, 8), -5_000, "dining", merchant="Café")
    found = lab.text(VIEW, book, T)
    assert found["n"] == 4
    assert found["days"] == pytest.approx((T - datetime(2024, 5, 4, 9, 30)) / DAY, abs=1e-6)
    middle = (math.log(50) + math.log(100)) / 2
    deviations = sorted(abs(math.log(amount) - middle) for amount in (2.5, 50, 100, 400))
    assert found["amount"] == pytest.approx([middle, median(deviations)], abs=1e-6)
    assert {hour: n for hour, n in enumerate(found["hours"]) if n} == {8: 1, 9: 2, 23: 1}
    assert found["weekdays"] == [1, 0, 0, 0, 0, 2, 1]
    assert list(found["categories"]) == ["dining", "utilities"]
    assert found["categories"]["utilities"] == pytest.approx([2, math.log(200), math.log(2)], abs=1e-6)
    gas, cafe = found["merchants"].values()
    assert list(found["merchants"]) == ["City Gas", "Café"]
    assert gas == pytest.approx(
        [2, epoch(datetime(2024, 6, 3, 9, 30)), math.log(200), math.log(2), 30.0, 0.0], abs=1e-6
    )
    assert cafe == [1, epoch(datetime(2024, 6, 29, 8)), ln(50), 0.0, None, None]
    assert found["recent"] == [
        [epoch(T), 250, "dining", None],
        [epoch(datetime(2024, 6, 29, 8)), 5_000, "dining", "Café"],
    ]


def test_the_window_includes_its_end_and_leaves_out_its_start(lab: Lab, book: Book) -> None:
    for days in (0, 7, 180):
        book.money(T - days * DAY, -100, "other")
    found = lab.text(VIEW, book, T)
    assert found["n"] == 2
    assert [at for at, *_ in found["recent"]] == [epoch(T)]


def test_a_late_row_is_seen_from_when_it_was_known(lab: Lab, book: Book) -> None:
    book.money(T - 10 * DAY, -5_000, "rent", known_at=T + SECOND)
    assert lab.text(VIEW, book, T)["n"] == 0
    assert lab.text(VIEW, book, T + SECOND)["n"] == 1


def test_any_merchants_name_can_be_read_back(lab: Lab, book: Book) -> None:
    names = ['A "quoted" \\ name', "टाटा पावर", "☕\U0001f600", "two\nlines\tand\x01more", "{}", " "]
    for number, name in enumerate(names):
        book.money(T - number * DAY / 2, -100, "dining", merchant=name)
    found = lab.text(VIEW, book, T)
    assert list(found["merchants"]) == names
    assert [merchant for *_, merchant in found["recent"]] == names


def test_of_many_merchants_and_payments_the_most_telling_are_kept(lab: Lab, book: Book) -> None:
    for number in range(MOST_MERCHANTS + 20):
        for back in range(1 if number < 60 else 2):
            at = T - (number + 1) * timedelta(minutes=30) - back * 30 * DAY
            book.money(at, -100 - number, "shopping", merchant=f"m{number:03}")
    found = lab.text(VIEW, book, T)
    twice, once = [range(60, MOST_MERCHANTS + 20), range(40)]
    assert list(found["merchants"]) == [f"m{number:03}" for number in (*twice, *once)]
    assert len(found["recent"]) == MOST_RECENT
    assert [amount for _, amount, *_ in found["recent"]] == [100 + number for number in range(MOST_RECENT)]


def test_of_equal_counts_the_latest_merchant_counts_and_then_the_first_by_name(lab: Lab, book: Book) -> None:
    for at, merchant in ((T - DAY, "b"), (T - DAY, "a"), (T - 2 * DAY, "z"), (T, "c")):
        book.money(at, -100, "dining", merchant=merchant)
    assert list(lab.text(VIEW, book, T)["merchants"]) == ["c", "a", "b", "z"]


AGES = st.one_of(
    st.integers(0, 190 * 86_400).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(0, 3 * 86_400 * 10**6).map(lambda microseconds: timedelta(microseconds=microseconds)),
)
LAGS = st.one_of(st.just(timedelta()), st.integers(0, 60).map(lambda days: days * DAY))
TRANSACTIONS = st.lists(
    st.tuples(
        AGES,
        LAGS,
        st.sampled_from(CATEGORIES),
        st.one_of(st.integers(-(10**7), 10**7), st.sampled_from((-100, -5_000))).filter(bool),
        st.sampled_from(("a", "b")),
        st.sampled_from((None, "x", "y", "é")),
    ),
    max_size=25,
)
MOMENTS = st.lists(AGES.map(lambda age: T - age), min_size=1, max_size=3, unique=True)


@given(transactions=TRANSACTIONS, moments=MOMENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_ledgers_agree_with_a_plain_reading_of_the_rules(
    lab: Lab, transactions: list[Any], moments: list[datetime]
) -> None:
    book = Book()
    book.user()
    book.account("a")
    book.account("b", kind="credit_card")
    for age, lag, category, amount, account, merchant in transactions:
        at = T - age
        book.money(at, amount, category, known_at=at + lag, account_id=account, merchant=merchant)
    frame = lab.compute(VIEW, book, [("u", moment) for moment in moments])
    for moment in moments:
        found = json.loads(frame.loc[("u", moment), "habits"])
        assert _flat(found) == pytest.approx(_flat(_by_hand(book, moment)), abs=2e-6)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf by its path; what is `None` by a text, so that only numbers are compared as such."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        leaves = {f"{path}/": "|".join(map(str, value)) if isinstance(value, dict) else len(value)}
        for key, item in items:
            leaves |= _flat(item, f"{path}/{key}")
        return leaves
    return {path: "null" if value is None else value}


def _by_hand(book: Book, t: datetime) -> dict[str, Any]:
    seen = [
        row
        for row in book.rows["transactions"]
        if row["direction"] == "debit" and t - 180 * DAY < row["occurred_at"] <= t and row["known_at"] <= t
    ]
    if not seen:
        return NOTHING
    by_category, by_merchant = defaultdict(list), defaultdict(list)
    for row in sorted(seen, key=lambda row: row["occurred_at"]):
        by_category[row["category"]].append(row)
        if row["merchant"] is not None:
            by_merchant[row["merchant"]].append(row)
    most = sorted(by_merchant, key=lambda name: (-len(by_merchant[name]), _back(by_merchant[name]), name))
    recent = sorted(
        (row for row in seen if row["occurred_at"] > t - 7 * DAY),
        key=lambda r: (t - r["occurred_at"], -r["amount_minor"], r["category"], r["merchant"] or ""),
    )
    hours, weekdays = (
        Counter(count(row["occurred_at"]) for row in seen) for count in (lambda at: at.hour, datetime.weekday)
    )
    return {
        "n": len(seen),
        "days": (epoch(t) - epoch(min(row["occurred_at"] for row in seen))) / 86_400,
        "amount": _middle([_size(row) for row in seen]),
        "hours": [hours[hour] for hour in range(24)],
        "weekdays": [weekdays[day] for day in range(7)],
        "categories": {
            name: [len(rows), *_middle([_size(row) for row in rows])]
            for name, rows in sorted(by_category.items())
        },
        "merchants": {name: _merchant(by_merchant[name]) for name in most},
        "recent": [
            [epoch(row["occurred_at"]), row["amount_minor"], row["category"], row["merchant"]]
            for row in recent
        ],
    }


def _merchant(rows: list[dict[str, Any]]) -> list[Any]:
    times = [epoch(row["occurred_at"]) for row in rows]
    gaps = [(later - earlier) / 86_400 for earlier, later in pairwise(times)]
    return [len(rows), times[-1], *_middle([_size(row) for row in rows]), *_middle(gaps)]


def _size(row: dict[str, Any]) -> float:
    return math.log(row["amount_minor"] / 100)


def _back(rows: list[dict[str, Any]]) -> timedelta:
    return T - rows[-1]["occurred_at"]


def _middle(values: list[float]) -> list[float | None]:
    if not values:
        return [None, None]
    middle = median(values)
    return [middle, median(abs(value - middle) for value in values)]
