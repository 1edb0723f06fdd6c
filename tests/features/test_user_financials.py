"""What the view `user_financials` says of hand-made and of random ledgers."""

import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finml.features.declarations import USER_FINANCIALS
from finml.features.user_financials import DISCRETIONARY, ESSENTIALS
from finml.ledger.contracts import CATEGORIES, INCOME_CATEGORIES
from tests.features.books import Book, Lab

T = datetime(2024, 6, 30, 23, 59, 59)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def book() -> Book:
    book = Book()
    book.user()
    book.account()
    return book


def test_every_declared_feature_is_a_float_and_nothing_else_is_there(lab: Lab, book: Book) -> None:
    frame = lab.compute("user_financials", book, [("u", T)])
    assert tuple(frame.columns) == USER_FINANCIALS.feature_names
    assert set(map(str, frame.dtypes)) == {"float64"}


def test_windows_include_their_end_and_leave_out_their_start(lab: Lab, book: Book) -> None:
    for days in (0, 30, 90, 180):
        book.money(T - days * DAY, 100 * (days + 1))
    row = lab.row("user_financials", book, T)
    assert (row["income_30d"], row["income_90d"], row["income_180d"]) == (1.0, 32.0, 123.0)


def test_money_is_sorted_into_what_it_was_for(lab: Lab, book: Book) -> None:
    for number, category in enumerate(CATEGORIES):
        book.money(T - DAY, -(100 + number), category)
    book.money(T - DAY, 7_000, "transfer")
    row = lab.row("user_financials", book, T)
    cost = {category: (100 + number) / 100 for number, category in enumerate(CATEGORIES)}
    assert row["essentials_90d"] == pytest.approx(sum(cost[name] for name in ESSENTIALS))
    assert row["discretionary_90d"] == pytest.approx(sum(cost[name] for name in DISCRETIONARY))
    assert row["debt_service_90d"] == cost["emi"]
    assert row["transfers_out_90d"] == cost["transfer"]
    assert row["transfers_in_90d"] == 70.0
    assert row["investments_90d"] == cost["investment"]
    everything = sum(cost.values())
    assert row["spending_90d"] == pytest.approx(everything - cost["transfer"] - cost["investment"])
    assert row["net_flow_90d"] == pytest.approx(70.0 - everything)
    assert row["income_90d"] == 0.0


def test_a_user_without_transactions_has_zero_sums_and_missing_ratios(lab: Lab, book: Book) -> None:
    row = lab.row("user_financials", book, T)
    assert row["income_180d"] == row["spending_30d"] == row["transaction_count_180d"] == 0.0
    missing = ("savings_rate_90d", "income_volatility", "balance", "days_since_income", "monthly_income")
    assert all(math.isnan(row[name]) for name in missing)
    assert row["accounts"] == 1.0
    assert row["tenure_months"] == pytest.approx(53.98, abs=0.1)


def test_a_late_row_is_seen_from_when_it_was_known(lab: Lab, book: Book) -> None:
    book.money(T - 10 * DAY, 5_000, known_at=T + SECOND)
    assert lab.row("user_financials", book, T)["income_30d"] == 0.0
    assert lab.row("user_financials", book, T + SECOND)["income_30d"] == 50.0


def test_the_balance_is_the_last_of_each_deposit_account(lab: Lab, book: Book) -> None:
    book.account("b")
    book.account("card", kind="credit_card")
    book.money(T - 3 * DAY, -1, "other", balance_after_minor=100)
    book.money(T - 2 * DAY, -1, "other", balance_after_minor=-250)
    book.money(T - 2 * DAY, -1, "other", balance_after_minor=None)
    book.money(T - 9 * DAY, -1, "other", account_id="b", balance_after_minor=1_000)
    book.money(T - DAY, -1, "other", account_id="card", balance_after_minor=99_999)
    row = lab.row("user_financials", book, T)
    assert row["balance"] == 7.5
    assert row["balance_min_90d"] == -2.5
    assert row["overdrawn_count_90d"] == 1.0


def test_of_one_moment_the_lowest_balance_counts(lab: Lab, book: Book) -> None:
    at = T - DAY
    for balance in (900, -50, 1_000):
        book.money(at, -1, "other", balance_after_minor=balance)
    book.money(at, -1, "other", balance_after_minor=-700, known_at=at + SECOND)
    assert lab.row("user_financials", book, at)["balance"] == -0.5
    assert lab.row("user_financials", book, T)["balance"] == -7.0


def test_a_declared_income_counts_from_its_last_change_on(lab: Lab) -> None:
    book = Book()
    book.user(monthly_income_minor=500_000, updated_at=T)
    book.account()
    book.money(T - 5 * DAY, 600_000)
    assert lab.row("user_financials", book, T)["monthly_income"] == 5_000.0
    assert lab.row("user_financials", book, T - SECOND)["monthly_income"] == 1_000.0


def test_accounts_are_counted_while_they_are_open(lab: Lab, book: Book) -> None:
    book.account("b", T - DAY, closed_at=T)
    assert lab.row("user_financials", book, T - SECOND)["accounts"] == 2.0
    assert lab.row("user_financials", book, T)["accounts"] == 1.0


def test_a_user_that_nobody_knows_gets_a_row_of_nothing(lab: Lab, book: Book) -> None:
    row = lab.row("user_financials", book, T, user_id="stranger")
    assert row["transaction_count_180d"] == 0.0
    assert math.isnan(row["tenure_months"])


AGES = st.integers(0, 220 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
LAGS = st.one_of(st.just(timedelta()), st.integers(0, 60).map(lambda days: days * DAY))
TRANSACTIONS = st.lists(
    st.tuples(
        AGES,
        LAGS,
        st.sampled_from(CATEGORIES),
        st.integers(-(10**7), 10**7).filter(bool),
        st.sampled_from(("a", "b")),
        st.one_of(st.none(), st.integers(-(10**6), 10**6)),
    ),
    max_size=25,
)
MOMENTS = st.lists(AGES.map(lambda age: T - age), min_size=1, max_size=4, unique=True)


@given(transactions=TRANSACTIONS, moments=MOMENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_ledgers_agree_with_a_plain_reading_of_the_rules(
    lab: Lab, transactions: list[Any], moments: list[datetime]
) -> None:
    book = Book()
    book.user()
    book.account("a")
    book.account("b", kind="current")
    for age, lag, category, amount, account, balance in transactions:
        book.money(
            T - age,
            amount,
            category,
            known_at=T - age + lag,
            account_id=account,
            balance_after_minor=balance,
        )
    frame = lab.compute("user_financials", book, [("u", moment) for moment in moments])
    for moment in moments:
        row = frame.loc[("u", moment)]
        for name, value in _by_hand(book, moment).items():
            assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True), (name, moment)


def _by_hand(book: Book, t: datetime) -> dict[str, float]:
    nan = math.nan
    seen = [
        row
        for row in book.rows["transactions"]
        if t - 180 * DAY < row["occurred_at"] <= t and row["known_at"] <= t
    ]
    income = [r for r in seen if r["direction"] == "credit" and r["category"] in INCOME_CATEGORIES]
    spent = [r for r in seen if r["direction"] == "debit" and r["category"] not in ("transfer", "investment")]

    def within(rows: list[dict[str, Any]], newest: int, oldest: int) -> list[int]:
        edges = t - oldest * DAY, t - newest * DAY
        return [r["amount_minor"] for r in rows if edges[0] < r["occurred_at"] <= edges[1]]

    def volatility(rows: list[dict[str, Any]]) -> float:
        months = [sum(within(rows, 30 * k, 30 * k + 30)) / 100 for k in range(6)]
        mean = sum(months) / 6
        return math.sqrt(sum((m - mean) ** 2 for m in months) / 6) / mean if mean > 0 else nan

    balances = []
    for account in ("a", "b"):
        told = [r for r in seen if r["account_id"] == account and r["balance_after_minor"] is not None]
        told.sort(key=lambda r: (r["occurred_at"], -r["balance_after_minor"]))
        balances += [told[-1]["balance_after_minor"]] if told else []
    earned, paid = sum(within(income, 0, 90)) / 100, sum(within(spent, 0, 90)) / 100
    last = max((r["occurred_at"] for r in income), default=None)
    return {
        **{f"income_{d}d": sum(within(income, 0, d)) / 100 for d in (30, 90, 180)},
        **{f"spending_{d}d": sum(within(spent, 0, d)) / 100 for d in (30, 90, 180)},
        **{f"transaction_count_{d}d": len(within(seen, 0, d)) for d in (30, 90, 180)},
        "savings_rate_90d": (earned - paid) / earned if earned > 0 else nan,
        "income_volatility": volatility(income),
        "spending_volatility": volatility(spent),
        "largest_spending_90d": max(within(spent, 0, 90), default=nan) / 100,
        "balance": sum(balances) / 100 if balances else nan,
        "days_since_income": (t - last) / DAY if last else nan,
    }
