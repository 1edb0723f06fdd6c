"""What becomes of habits that were stored after the debit that is asked about."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finml.features.engine import duckdb_engine
from finml.features.transaction_habits import transaction_habits
from finml.models.anomaly.behaviour import DAY_S, HOUR_S, OWN_FEATURES, behaviour
from finml.models.anomaly.example import busy_habits
from finml.models.anomaly.habits import NO_HABITS, Habits, Transaction

# Monday 2024-06-03, noon
NOON = 1_717_416_000.0
EXACTLY = ("new_merchant", "new_category", "count_1h", "count_24h", "same_payment_1h")


def past() -> list[Transaction]:
    """Dinners every other day, a rent every thirty, and a morning with three coffees."""
    dinners = [
        Transaction(NOON - day * DAY_S + 100 * day, 200 + day, "dining", "Bistro") for day in range(2, 90, 2)
    ]
    rents = [Transaction(NOON - day * DAY_S, 9_000.0, "rent", "Landlord") for day in (30, 60, 90)]
    coffees = [Transaction(NOON - minute * 60, 3.5, "dining", "Café") for minute in (20, 31, 45)]
    return dinners + rents + coffees


@pytest.fixture(scope="module")
def stored():
    """Habits as the feature view computes them from debits, as of a moment."""
    with duckdb_engine() as backend:

        def of(debits: list[Transaction], moment: float) -> Habits:
            times = pd.to_datetime([debit.occurred_at for debit in debits], unit="s").astype("datetime64[us]")
            table = pd.DataFrame(
                {
                    "user_id": "u",
                    "occurred_at": times,
                    "known_at": times,
                    "amount_minor": [debit.minor for debit in debits],
                    "direction": "debit",
                    "category": [debit.category for debit in debits],
                    "merchant": [debit.merchant for debit in debits],
                }
            )
            at = pd.to_datetime([moment], unit="s").astype("datetime64[us]")
            spine = pd.DataFrame({"user_id": "u", "event_timestamp": at})
            movements = backend.create_table("movements", table, overwrite=True)
            asked = backend.create_table("asked", spine, overwrite=True)
            return Habits.read(transaction_habits(movements, asked).to_pandas()["habits"][0])

        yield of


@pytest.mark.parametrize(
    "asked",
    [
        Transaction(NOON, 3.5, "dining", "Café"),
        Transaction(NOON + 0.4, 3.5, "dining", "Café"),
        Transaction(NOON, 70.0, "dining", "Bar"),
        Transaction(NOON, 400.0, "health", "Dentist"),
        Transaction(NOON, 9_000.0, "rent", "Landlord"),
        Transaction(NOON, 12.0, "dining", None),
    ],
)
@pytest.mark.parametrize("after_s", [0.5, 300.0, 2 * DAY_S])
def test_a_debit_that_the_habits_hold_is_not_compared_with_itself(stored, asked, after_s):
    without = behaviour(asked, stored(past(), asked.occurred_at - 1))
    moment = asked.occurred_at + after_s
    later = [replace(asked, occurred_at=NOON + 200), replace(asked, occurred_at=NOON + DAY_S)]
    holding = stored([*past(), asked, *later], moment)
    found = behaviour(asked, holding.before(asked, moment))
    for name in EXACTLY:
        assert found.values[name] == pytest.approx(without.values[name], abs=2e-3), name
    counts = ("count_1h", "count_24h", "same_payment", "same_merchant")
    assert {name: found.facts[name] for name in counts} == {name: without.facts[name] for name in counts}
    # a median that holds one or three debits more moves the rest a little
    for name in ("hour_rarity", "weekday_rarity", "recurring_day", "same_merchant_1h"):
        assert found.values[name] == pytest.approx(without.values[name], abs=0.02), name
    itself = behaviour(asked, holding)
    assert itself.facts["same_payment"] > found.facts["same_payment"] or asked.merchant is None


def test_one_of_two_equal_debits_stays(stored):
    asked = Transaction(NOON, 70.0, "dining", "Bar")
    twice = stored([*past(), asked, asked], NOON)
    found = behaviour(asked, twice.before(asked, NOON))
    assert found.facts["same_payment"] == 1
    assert found.values["new_merchant"] == 0


def test_an_unequal_debit_of_the_same_second_stays(stored):
    asked = Transaction(NOON, 70.0, "dining", "Bar")
    for change in ({"amount": 70.01}, {"category": "rent"}, {"merchant": "Pub"}, {"occurred_at": NOON - 2}):
        habits = stored([*past(), replace(asked, **change)], NOON)
        assert habits.before(asked, NOON) == habits


def test_habits_of_a_moment_before_stay_as_they_are(stored):
    asked = Transaction(NOON, 3.5, "dining", "Café")
    habits = stored(past(), NOON - 1)
    assert habits.before(asked, NOON - 1) is habits


def test_of_habits_that_hold_the_debit_alone_nothing_is_left(stored):
    asked = Transaction(NOON, 3.5, "dining", "Café")
    assert stored([asked], NOON).before(asked, NOON) == NO_HABITS
    assert NO_HABITS.before(asked, NOON) == NO_HABITS


@given(st.floats(-8, 8), st.sampled_from([*range(0, 110, 10)]), st.floats(0, 10))
@settings(deadline=None)
def test_features_stay_finite_and_not_below_zero(days, place, after):
    habits = Habits.read(busy_habits())
    asked = Transaction(1_750_000_000 + days * DAY_S, 450.0, "dining", f"merchant {place:03}")
    found = behaviour(asked, habits.before(asked, asked.occurred_at + after * HOUR_S))
    assert tuple(found.values) == OWN_FEATURES
    assert all(math.isfinite(value) and value >= 0 for value in found.values.values())
