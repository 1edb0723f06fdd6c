import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finml.features.transaction_habits import HOURS, WEEKDAYS
from finml.models.anomaly.behaviour import DAY_S, FEATURES, HOUR_S, OWN_FEATURES, behaviour
from finml.models.anomaly.example import busy_habits
from finml.models.anomaly.habits import NO_HABITS, Habits, Transaction

# Monday 2024-06-03, noon
NOON = 1_717_416_000.0


def habits(**changes: object) -> Habits:
    """Somebody who dines about noon on weekdays for 100, and pays a rent of 10,000 every thirty days."""
    hours, weekdays = [0] * HOURS, [0] * WEEKDAYS
    hours[11:15], weekdays[:5] = [25] * 4, [20] * 5
    size, rent = math.log(100), math.log(10_000)
    document = {
        "n": 100,
        "days": 180.0,
        "amount": [size, 0.2],
        "hours": hours,
        "weekdays": weekdays,
        "categories": {"dining": [94, size, 0.2], "rent": [6, rent, 0.0]},
        "merchants": {
            "Café": [94, NOON - DAY_S, size, 0.2, 1.9, 0.9],
            "Landlord": [6, NOON - 30 * DAY_S, rent, 0.0, 30.0, 0.5],
        },
        "recent": [[NOON - DAY_S, 10_000, "dining", "Café"]],
    }
    return Habits.read(json.dumps(document | changes))


def paid(**changes: object) -> Transaction:
    known = {"occurred_at": NOON, "amount": 100.0, "category": "dining", "merchant": "Café"}
    return Transaction(**(known | changes))


def later(seconds: float, **changes: object) -> Transaction:
    return paid(occurred_at=NOON + seconds, **changes)


def test_a_usual_payment_has_nothing_unusual():
    found = behaviour(paid(), habits())
    assert found.history == "ok"
    assert {name: value for name, value in found.values.items() if value > 0.5} == {}


@pytest.mark.parametrize(
    ("feature", "asked", "recent"),
    [
        ("amount_vs_own", paid(amount=2_000.0), []),
        ("amount_vs_category", paid(amount=2_000.0), []),
        ("amount_vs_merchant", paid(amount=2_000.0), []),
        ("hour_rarity", later(12 * HOUR_S), []),
        ("weekday_rarity", later(5 * DAY_S), []),
        ("new_merchant", paid(merchant="Bar"), []),
        ("new_category", paid(category="shopping"), []),
        ("novel_amount", paid(merchant="Bar", amount=1_000.0), []),
        ("count_1h", later(1_800), [later(60 * n) for n in range(4)]),
        ("count_24h", later(20_000), [later(4_000 * n) for n in range(5)]),
        ("count_7d", later(6 * DAY_S), [later(6 * HOUR_S * n) for n in range(20)]),
        ("spent_24h", later(3_600), [later(0, amount=2_000.0)]),
        ("same_merchant_1h", later(600), [later(0, amount=70.0)]),
        ("same_payment_1h", later(600), [later(0)]),
        ("recurring_amount", paid(category="rent", merchant="Landlord", amount=25_000.0), []),
        ("recurring_day", later(-15 * DAY_S, category="rent", merchant="Landlord", amount=10_000.0), []),
    ],
)
def test_what_is_unusual_shows_in_its_feature(feature, asked, recent):
    assert (
        behaviour(asked, habits(), recent).values[feature] > 0.5 + behaviour(paid(), habits()).values[feature]
    )


def test_a_recurring_payment_in_time_is_usual():
    found = behaviour(paid(category="rent", merchant="Landlord", amount=10_000.0), habits())
    assert found.values["recurring_amount"] == 0
    assert found.values["recurring_day"] == 0


def test_without_history_only_the_pace_can_be_unusual():
    found = behaviour(paid(amount=1e6), NO_HABITS, [later(-60), later(-120), later(-180)])
    assert found.history == "none"
    unusual = {name for name, value in found.values.items() if value > 0}
    assert unusual == {"count_1h", "count_24h", "count_7d", "same_merchant_1h"}


@pytest.mark.parametrize("text", [None, "", "{}", '{"n": 0, "amount": [null, null]}'])
def test_habits_without_a_debit_are_no_history(text):
    assert Habits.read(text) == NO_HABITS


def test_a_short_history_says_so():
    assert behaviour(paid(), habits(n=19)).history == "short"


def test_what_the_habits_know_already_is_counted_once():
    known = habits(recent=[[NOON - 60, 10_000, "dining", "Café"]])
    alone = behaviour(paid(), known)
    assert alone.facts["count_1h"] == 1
    assert behaviour(paid(), known, [later(-60)]) == alone
    # two of the same second and amount are two, where one of them is new
    assert behaviour(paid(), known, [later(-60), later(-60)]).facts["count_1h"] == 2


def test_what_comes_later_is_not_looked_at():
    assert behaviour(paid(), habits(), [later(1), later(600)]) == behaviour(paid(), habits())


def test_a_merchant_that_the_caller_tells_of_is_not_new():
    asked = paid(merchant="Bar")
    assert behaviour(asked, habits(), [later(-DAY_S, merchant="Bar")]).values["new_merchant"] == 0


def test_one_who_pays_all_at_one_hour_pays_faster():
    spread_out, at_noon = habits(), habits(hours=[0] * 12 + [100] + [0] * 11)
    assert 4 <= spread_out.hours_a_day < 5
    assert 1 <= at_noon.hours_a_day < 1.5
    recent = [later(-60 * n) for n in range(1, 4)]
    assert (
        behaviour(paid(), at_noon, recent).values["count_1h"]
        < (behaviour(paid(), spread_out, recent).values["count_1h"])
    )


moments = st.floats(NOON - 30 * DAY_S, NOON + 30 * DAY_S)
transactions = st.builds(
    Transaction,
    moments,
    st.floats(0.01, 1e11),
    st.sampled_from(["dining", "rent", "shopping"]),
    st.sampled_from(["Café", "Landlord", "Bar", None]),
)
histories = st.sampled_from([NO_HABITS, habits(), habits(n=3), Habits.read(busy_habits())])


@given(transactions, histories, st.lists(transactions, max_size=10))
@settings(deadline=None)
def test_features_are_finite_and_not_below_zero(asked, known, recent):
    found = behaviour(asked, known, recent)
    assert tuple(found.values) == OWN_FEATURES
    assert all(math.isfinite(value) and value >= 0 for value in found.values.values())
    assert all(math.isfinite(value) for value in found.facts.values())


@given(transactions, histories, st.lists(transactions, max_size=10), st.randoms())
@settings(deadline=None)
def test_the_order_of_recent_debits_does_not_matter(asked, known, recent, random):
    shuffled = random.sample(recent, len(recent))
    one, other = behaviour(asked, known, recent), behaviour(asked, known, shuffled)
    assert one.values == pytest.approx(other.values)
    assert one.facts == other.facts


@given(transactions, histories, st.floats(1, 100))
@settings(deadline=None)
def test_more_money_is_never_less_unusual_for_its_user(asked, known, times):
    more = Transaction(asked.occurred_at, asked.amount * times, asked.category, asked.merchant)
    less_found, more_found = behaviour(asked, known).values, behaviour(more, known).values
    for name in ("amount_vs_own", "amount_vs_category", "amount_vs_merchant", "novel_amount", "spent_24h"):
        assert more_found[name] >= less_found[name] - 1e-9


def test_every_feature_belongs_to_one_topic():
    assert len(FEATURES) == len(set(FEATURES)) == len(OWN_FEATURES) + 1
