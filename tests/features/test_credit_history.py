"""What the view `credit_history` says of hand-made and of random ledgers."""

import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finml.features.credit_history import STATEMENT_DAYS
from finml.features.declarations import CREDIT_HISTORY
from tests.features.books import Book, Lab

T = datetime(2024, 6, 30, 23, 59, 59)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def book() -> Book:
    book = Book()
    book.user(monthly_income_minor=1_000_000)
    book.account()
    return book


def test_every_declared_feature_is_a_float_and_nothing_else_is_there(lab: Lab, book: Book) -> None:
    frame = lab.compute("credit_history", book, [("u", T)])
    assert tuple(frame.columns) == CREDIT_HISTORY.feature_names
    assert set(map(str, frame.dtypes)) == {"float64"}


def test_without_a_loan_counts_are_zero_and_the_rest_is_missing(lab: Lab, book: Book) -> None:
    row = lab.row("credit_history", book, T)
    zero = ("loans", "loans_open", "principal", "outstanding", "overdue", "payments_due", "defaults")
    assert [row[name] for name in zero] == [0.0] * len(zero)
    assert row["debt_to_income"] == 0.0
    missing = ("on_time_share", "worst_delay", "utilisation", "status_1", "bill_1", "credit_history_months")
    assert all(math.isnan(row[name]) for name in missing)


def test_the_loan_applied_for_is_no_part_of_its_own_history(lab: Lab, book: Book) -> None:
    book.loan(at=T)
    assert lab.row("credit_history", book, T)["loans"] == 0.0
    assert lab.row("credit_history", book, T + SECOND)["loans"] == 1.0


def test_a_loan_known_late_is_seen_from_then(lab: Lab, book: Book) -> None:
    book.loan(at=T - 50 * DAY, known_at=T + DAY)
    assert lab.row("credit_history", book, T)["loans"] == 0.0
    assert lab.row("credit_history", book, T + DAY)["loans_180d"] == 1.0


def test_a_payment_counts_from_when_it_was_made(lab: Lab, book: Book) -> None:
    book.loan()
    book.payment(T - 40 * DAY, paid_at=T, known_at=T - 40 * DAY, updated_at=T)
    before = lab.row("credit_history", book, T - SECOND)
    assert before["worst_delay"] == 39.0
    assert before["overdue"] == 100.0
    assert before["paid_1"] == 0.0
    after = lab.row("credit_history", book, T)
    assert after["worst_delay"] == 40.0
    assert after["overdue"] == 0.0
    assert after["paid_1"] == 100.0
    assert after["on_time_share"] == 0.0
    assert lab.row("credit_history", book, T + 400 * DAY)["worst_delay"] == 40.0


def test_a_payment_made_in_time_but_booked_later_counts_from_when_it_was_booked(lab: Lab, book: Book) -> None:
    book.loan()
    due = T - 40 * DAY
    book.payment(due, paid_at=due, known_at=due, updated_at=T)
    assert lab.row("credit_history", book, T - SECOND)["worst_delay"] == 39.0
    assert lab.row("credit_history", book, T)["worst_delay"] == 0.0


def test_the_banks_own_words_count_from_the_rows_last_change(lab: Lab, book: Book) -> None:
    book.loan()
    book.payment(
        T - 90 * DAY, paid_at=None, amount_paid_minor=None, days_past_due=60, status="late", updated_at=T
    )
    by_dates = lab.row("credit_history", book, T - SECOND)
    assert (by_dates["delay_days_1"], by_dates["status_1"]) == (89.0, 2.0)
    told = lab.row("credit_history", book, T)
    assert (told["delay_days_1"], told["status_1"]) == (60.0, 2.0)


def test_worst_delay_looks_back_as_far_as_its_name_says(lab: Lab, book: Book) -> None:
    book.loan()
    for days, late in ((20, 1), (80, 5), (170, 9), (400, 30)):
        due = T - days * DAY
        book.payment(due, paid_at=due + late * DAY)
    row = lab.row("credit_history", book, T)
    names = ("worst_delay_30d", "worst_delay_90d", "worst_delay_180d", "worst_delay")
    assert [row[name] for name in names] == [1.0, 5.0, 9.0, 30.0]
    assert row["months_since_late"] == pytest.approx(20 / 30.4375)
    assert (row["on_time_share"], row["payments_due"]) == (0.0, 4.0)


def statements(book: Book, *rows: tuple[str, int, int, int]) -> None:
    """Monthly statements of a credit line of 1,000, oldest first: status, months late, balance, paid."""
    book.loan(kind="credit_line", principal_minor=100_000)
    for back, (status, late, balance, paid) in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
        due = T - timedelta(days=30 * back, hours=12)
        book.payment(
            due,
            status=status,
            days_past_due=30 * late,
            amount_due_minor=max(balance, 0),
            statement_balance_minor=balance,
            paid_at=due if paid else None,
            amount_paid_minor=paid or None,
        )


def test_the_latest_six_statements_are_features_one_by_one(lab: Lab, book: Book) -> None:
    statements(
        book,
        ("unused", 0, -500, 0),
        ("paid_in_full", 0, 20_000, 1_000),
        ("revolving", 0, 30_000, 2_000),
        ("revolving", 0, 40_000, 3_000),
        ("late", 1, 50_000, 0),
        ("late", 2, 60_000, 0),
        ("revolving", 0, 70_000, 35_000),
    )
    row = lab.row("credit_history", book, T)
    assert [row[f"status_{k}"] for k in range(1, 7)] == [0, 2, 1, 0, 0, -1]
    assert [row[f"delay_days_{k}"] for k in range(1, 7)] == [0, 60, 30, 0, 0, 0]
    assert [row[f"bill_{k}"] for k in range(1, 7)] == [700, 600, 500, 400, 300, 200]
    assert [row[f"paid_{k}"] for k in range(1, 7)] == [350, 0, 0, 30, 20, 10]
    assert row["utilisation"] == 0.7
    assert row["utilisation_mean"] == pytest.approx(0.45)
    assert row["utilisation_trend"] == pytest.approx(0.3)
    assert row["paid_share_latest"] == pytest.approx(350 / 600)
    assert row["paid_share"] == pytest.approx(400 / 2000)
    assert row["late_statements"] == 2.0
    assert row["credit_limit"] == row["principal"] == 1000.0
    assert row["outstanding"] == 700.0
    assert row["loans_open"] == 1.0
    assert row["overdue"] == 0.0


def test_a_statement_in_the_users_favour_owes_nothing(lab: Lab, book: Book) -> None:
    statements(book, ("unused", 0, -500, 0))
    row = lab.row("credit_history", book, T)
    assert (row["bill_1"], row["outstanding"], row["status_1"]) == (-5.0, 0.0, -2.0)


def test_of_a_credit_line_only_the_latest_late_statement_is_overdue(lab: Lab, book: Book) -> None:
    statements(book, ("late", 1, 50_000, 0), ("late", 2, 60_000, 0))
    assert lab.row("credit_history", book, T)["overdue"] == 600.0


def test_several_loans_add_up_and_the_worst_one_shows(lab: Lab, book: Book) -> None:
    book.loan("l", installment_minor=30_000, term_months=40, collateral_value_minor=2_000_000)
    book.loan("m", at=T - 100 * DAY, principal_minor=500_000, installment_minor=20_000)
    for back in (3, 2, 1):
        due = T - timedelta(days=30 * back)
        book.payment(due, "l", amount_paid_minor=30_000)
        book.payment(due, "m", paid_at=due + 10 * DAY, amount_paid_minor=20_000)
    row = lab.row("credit_history", book, T)
    assert (row["loans"], row["loans_180d"], row["loans_open"]) == (2.0, 1.0, 2.0)
    # 3 of 40 instalments paid of the one; of the other 600 of 5,000, for it has no schedule
    assert row["outstanding"] == pytest.approx(10_000 * (1 - 3 / 40) + 5_000 - 600)
    assert row["debt_service"] == 500.0
    assert row["delay_days_1"] == 10.0
    assert row["on_time_share"] == 0.5
    assert row["loan_to_value"] == pytest.approx(9_250 / 20_000)
    assert row["debt_service_to_income"] == pytest.approx(500 / 10_000)
    assert row["debt_to_income"] == pytest.approx(row["outstanding"] / 120_000)


def test_a_default_counts_from_when_it_was_known(lab: Lab, book: Book) -> None:
    book.loan()
    book.outcome(T - 100 * DAY, defaulted=True, known_at=T)
    assert lab.row("credit_history", book, T - SECOND)["defaults"] == 0.0
    assert lab.row("credit_history", book, T)["defaults"] == 1.0


def test_a_cards_limit_is_the_credit_limit_of_who_has_no_line(lab: Lab, book: Book) -> None:
    book.account("card", kind="credit_card", credit_limit_minor=300_000)
    assert lab.row("credit_history", book, T)["credit_limit"] == 3000.0


AGES = st.integers(0, 500).map(lambda days: days * DAY)
PAYMENTS = st.lists(
    st.tuples(
        AGES,
        st.integers(0, 40),  # known so many days after it was due
        st.one_of(st.none(), st.integers(-5, 120)),  # paid so many days after it was due
        st.integers(0, 50_000),
        st.sampled_from(("l", "m")),
    ),
    max_size=20,
)

MOMENTS = st.lists(AGES.map(lambda age: T - age), min_size=1, max_size=4, unique=True)


@given(
    payments=PAYMENTS, moments=st.lists(AGES.map(lambda age: T - age), min_size=1, max_size=4, unique=True)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_ledgers_agree_with_a_plain_reading_of_the_rules(
    lab: Lab, payments: list[Any], moments: list[datetime]
) -> None:
    book = Book()
    book.user()
    book.loan("l", at=T - 450 * DAY)
    book.loan("m", at=T - 300 * DAY, known_at=T - 290 * DAY)
    for age, lag, late, due_minor, loan in payments:
        due = T - age
        paid = None if late is None else due + late * DAY
        known = due + lag * DAY
        book.payment(
            due,
            loan,
            amount_due_minor=due_minor,
            amount_paid_minor=None if paid is None else due_minor,
            paid_at=paid,
            known_at=known,
            updated_at=max(known, paid or known) + lag * DAY,
        )
    frame = lab.compute("credit_history", book, [("u", moment) for moment in moments])
    for moment in moments:
        row = frame.loc[("u", moment)]
        for name, value in _by_hand(book, moment).items():
            assert row[name] == pytest.approx(value, rel=1e-12, nan_ok=True), (name, moment)


def _by_hand(book: Book, t: datetime) -> dict[str, float]:
    nan = math.nan
    loans = [r["loan_id"] for r in book.rows["loans"] if r["applied_at"] < t and r["known_at"] <= t]
    seen = [
        {**row, "delay": _delay(row, t), "paid": _is_paid(row, t)}
        for row in book.rows["loan_payments"]
        if row["loan_id"] in loans and row["due_at"] <= t and row["known_at"] <= t
    ]
    late = [row for row in seen if row["delay"] > 0]

    def worst(days: int) -> float:
        return max((row["delay"] for row in seen if row["due_at"] > t - days * DAY), default=nan)

    values: dict[str, float] = {
        "loans": len(loans),
        "payments_due": len(seen),
        "on_time_share": 1 - len(late) / len(seen) if seen else nan,
        "worst_delay_30d": worst(30),
        "worst_delay_90d": worst(90),
        "worst_delay_180d": worst(180),
        "worst_delay": worst(10_000),
        "overdue": sum(row["amount_due_minor"] for row in late if not row["paid"]) / 100,
        "months_since_late": (t - max(row["due_at"] for row in late)) / DAY / 30.4375 if late else nan,
    }
    for k in range(1, 7):
        at_rank = []
        for loan in loans:
            mine = [row for row in seen if row["loan_id"] == loan]
            mine.sort(key=lambda r: (r["due_at"], len(r["payment_id"]), r["payment_id"]), reverse=True)
            at_rank += [row for row in mine[k - 1 : k] if row["due_at"] > t - STATEMENT_DAYS * DAY]
        values[f"delay_days_{k}"] = max((row["delay"] for row in at_rank), default=nan)
        paid = [row["amount_paid_minor"] if row["paid"] else 0 for row in at_rank]
        values[f"paid_{k}"] = sum(paid) / 100 if at_rank else nan
    return values


def _delay(row: dict[str, Any], t: datetime) -> int:
    if row["amount_due_minor"] == 0:
        return 0
    until = row["paid_at"] if _is_paid(row, t) else t
    return max((until - row["due_at"]).days, 0)


def _is_paid(row: dict[str, Any], t: datetime) -> bool:
    return row["paid_at"] is not None and row["paid_at"] <= t and row["updated_at"] <= t
