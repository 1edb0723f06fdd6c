"""From a transaction and its user's habits to numbers that say how unusual it is for that user.

One function does it, for the rows of a training and for a request alike. `habits` is the JSON of
`finml.features.transaction_habits`, as of a moment before the transaction; what happened since then comes
from the caller as `recent`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finml.models.anomaly.habits import (
    DAY_S,
    HOUR_S,
    HOURS,
    WEEKDAYS,
    Habits,
    History,
    Transaction,
    hour,
    weekday,
)

SIGMA = 1.4826
"""Standard deviations in a median absolute deviation of normal values."""
# Spread of logarithms below which a difference is no difference (a tenth of the amount), and how much more
# spread one earlier payment alone leaves open.
LEAST_SPREAD, OPEN_SPREAD = 0.1, 0.7
# A payment recurs where there were three or more, days to months apart, always about equally far.
LEAST_PAYMENTS, LEAST_GAP, MOST_GAP, STEADY = 3, 5.0, 100.0, 0.2
# How many payments anyone may make out of the usual in a window.
LEAST_EXPECTED = 0.1
MOST_REPEATS = 3
# usual spread of the amount and of the day of what recurs
LEAST_AMOUNT_SPREAD, LEAST_DAY_SPREAD = 0.03, 1.5

TOPICS: Mapping[str, tuple[str, ...]] = {
    "amount": ("amount_vs_own", "amount_vs_category", "amount_vs_merchant", "amount_vs_everyone"),
    "time": ("hour_rarity", "weekday_rarity"),
    "novelty": ("new_merchant", "new_category", "novel_amount"),
    "pace": ("count_1h", "count_24h", "count_7d", "spent_24h"),
    "repetition": ("same_merchant_1h", "same_payment_1h"),
    "recurring": ("recurring_amount", "recurring_day"),
}
"""Features by what they are about; those of one topic say nearly the same thing."""

EVERYONE = "amount_vs_everyone"
"""The one feature that needs the model: the amount against all users' amounts of its category."""
FEATURES: tuple[str, ...] = tuple(name for names in TOPICS.values() for name in names)
OWN_FEATURES: tuple[str, ...] = tuple(name for name in FEATURES if name != EVERYONE)
"""The features that follow from the transaction and the habits alone."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a transaction relates to its user's habits.

    Attributes:
        values: each of `OWN_FEATURES`.
        facts: what the words of a reason are made of: ratios to what is usual, counts, days.
        history: how much is known of the user.
    """

    values: dict[str, float]
    facts: dict[str, float]
    history: History


def behaviour(asked: Transaction, habits: Habits, recent: Iterable[Transaction] = ()) -> Behaviour:
    """Features of a debit.

    Args:
        asked: the debit.
        habits: of its user, as of a moment before it; `Habits.before` makes them so.
        recent: further debits of the user, such as those that came after the habits were stored. Those that
            the habits know already are counted once; later ones than `asked` are not looked at.

    Returns:
        Finite values from 0 on: 0 is usual, or nothing is known to compare with; the more, the less usual.
    """
    before = _before(asked, habits, recent)
    values = dict.fromkeys(OWN_FEATURES, 0.0)
    facts: dict[str, float] = {}
    if habits.amount is not None:
        size = math.log(asked.amount)
        _amounts(values, facts, size, asked, habits)
        values["hour_rarity"] = _rarity(
            _around(habits.hours, hour(asked.occurred_at)), sum(habits.hours), HOURS / 3
        )
        values["weekday_rarity"] = _rarity(
            float(habits.weekdays[weekday(asked.occurred_at)]), sum(habits.weekdays), WEEKDAYS
        )
        _novelty(values, asked, habits, before)
        _recurring(values, facts, size, asked, habits)
    _pace(values, facts, asked, habits, before)
    return Behaviour(values=values, facts=facts, history=habits.history)


def _before(asked: Transaction, habits: Habits, recent: Iterable[Transaction]) -> list[Transaction]:
    """Debits of the last seven days up to this one; one that both know is one debit."""
    stored = Counter((float(at), int(minor), kind, name) for at, minor, kind, name in habits.recent)
    given = Counter((float(int(r.occurred_at)), r.minor, r.category, r.merchant) for r in recent)
    since = asked.occurred_at - 7 * DAY_S
    return [
        Transaction(at, minor / 100, kind, name)
        for (at, minor, kind, name), count in (stored | given).items()
        if since < at <= asked.occurred_at
        for _ in range(count)
    ]


def _amounts(
    values: dict[str, float], facts: dict[str, float], size: float, asked: Transaction, habits: Habits
) -> None:
    known = {
        "own": (habits.n, *(habits.amount or (0.0, 0.0))),
        "category": habits.categories.get(asked.category),
        "merchant": None,
    }
    merchant = habits.merchants.get(asked.merchant) if asked.merchant else None
    if merchant:
        known["merchant"] = (merchant[0], merchant[2], merchant[3])
    for name, usual in known.items():
        if usual:
            n, median, spread = usual
            spread_left = LEAST_SPREAD + SIGMA * spread + OPEN_SPREAD / math.sqrt(n)
            values[f"amount_vs_{name}"] = max(0.0, (size - median) / spread_left)
            facts[f"times_{name}"] = math.exp(min(size - median, 50.0))


def _novelty(
    values: dict[str, float], asked: Transaction, habits: Habits, before: Sequence[Transaction]
) -> None:
    """Surprise at a first merchant and a first category: how rarely this user tries something new."""
    # what the caller told and the habits do not know yet is not new either
    if asked.category not in habits.categories and all(r.category != asked.category for r in before):
        values["new_category"] = _first(habits.categories.values(), habits.n)
    unknown = asked.merchant and asked.merchant not in habits.merchants
    if unknown and all(earlier.merchant != asked.merchant for earlier in before):
        values["new_merchant"] = _first(habits.merchants.values(), habits.n)
    novelty = values["new_merchant"] + values["new_category"]
    values["novel_amount"] = math.sqrt(novelty * values["amount_vs_own"])


def _first(seen: Iterable[Sequence[Any]], n: int) -> float:
    """Surprise at something never seen, in nats, by Good and Turing: its chance is the share seen once."""
    once = sum(counted[0] == 1 for counted in seen)
    return -math.log((once + 0.5) / (n + 1))


def _recurring(
    values: dict[str, float], facts: dict[str, float], size: float, asked: Transaction, habits: Habits
) -> None:
    """How far the amount and the day are from those of a payment that recurs; 0 for one that does not."""
    merchant = habits.merchants.get(asked.merchant) if asked.merchant else None
    if not merchant or merchant[0] < LEAST_PAYMENTS or merchant[4] is None:
        return
    _, last, median, spread, gap, gap_spread = merchant
    gap_spread = gap_spread or 0.0
    if not LEAST_GAP <= gap <= MOST_GAP or gap_spread > STEADY * gap:
        return
    days = (asked.occurred_at - last) / DAY_S
    off = abs(days - gap) / (LEAST_DAY_SPREAD + SIGMA * gap_spread)
    values["recurring_amount"] = math.log1p(abs(size - median) / (LEAST_AMOUNT_SPREAD + SIGMA * spread))
    values["recurring_day"] = math.log1p(off)
    facts |= {"days_since": days, "usual_days": gap}


def _pace(
    values: dict[str, float],
    facts: dict[str, float],
    asked: Transaction,
    habits: Habits,
    before: Sequence[Transaction],
) -> None:
    """Counts and sums over an hour, a day and a week, against the user's own pace."""
    within = [earlier for earlier in before if earlier.occurred_at > asked.occurred_at - HOUR_S]
    day = [earlier for earlier in before if earlier.occurred_at > asked.occurred_at - DAY_S]
    name, of = ("merchant", asked.merchant) if asked.merchant else ("category", asked.category)
    same = [earlier for earlier in within if getattr(earlier, name) == of]
    again = sum(earlier.minor == asked.minor for earlier in same)
    daily, hours = habits.daily, habits.hours_a_day
    values["count_1h"] = _surprise(len(within), daily / hours)
    values["count_24h"] = _surprise(len(day), daily)
    values["count_7d"] = _surprise(len(before), 7 * daily)
    if habits.amount is not None:
        spent = asked.amount + sum(earlier.amount for earlier in day)
        values["spent_24h"] = max(0.0, math.log(spent / (1 + daily)) - habits.amount[0])
    values["same_merchant_1h"] = _surprise(len(same), _merchant_pace(asked, habits) / hours)
    values["same_payment_1h"] = min(again, MOST_REPEATS) * values["same_merchant_1h"]
    facts |= {
        "count_1h": len(within),
        "count_24h": len(day),
        "same_payment": again,
        "same_merchant": len(same),
    }


def _merchant_pace(asked: Transaction, habits: Habits) -> float:
    """Payments a day to the merchant: by the usual gap where that says more, as where they come in twos."""
    merchant = habits.merchants.get(asked.merchant) if asked.merchant else None
    if not merchant:
        return 0.0
    pace: float = habits.daily * merchant[0] / habits.n
    return pace if merchant[4] is None else max(pace, 1 / max(merchant[4], 1 / HOURS))


def _surprise(count: int, expected: float) -> float:
    """Surprise at a count above the expected one, in nats: Chernoff's bound for Poisson's distribution."""
    rate = expected + LEAST_EXPECTED
    return 0.0 if count <= rate else count * math.log(count / rate) - count + rate


def _rarity(count: float, total: float, kinds: float) -> float:
    """Surprise at one of several kinds that was seen `count` of `total` times, beyond that of an even spread.

    One earlier view of each kind is assumed, so that nothing is impossible.
    """
    return max(0.0, -math.log(kinds * (count + 1) / (total + kinds)))


def _around(hours: Sequence[int], middle: int) -> float:
    """Debits in an hour and the two beside it: a habit is not of the minute."""
    return float(sum(hours[(middle + step) % HOURS] for step in (-1, 0, 1)))
