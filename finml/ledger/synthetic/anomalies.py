"""What breaks a user's habits: five kinds of anomalies, and large purchases that are meant.

All of it is paid from the money at hand, so balances follow and users feel it.
"""

from dataclasses import dataclass

import numpy as np

from finml.ledger.synthetic.calendar import HOUR, SECOND
from finml.ledger.synthetic.cashflow import Fortune, Month
from finml.ledger.synthetic.catalog import CATEGORY, CHANNEL, HABITS
from finml.ledger.synthetic.config import (
    BURST_COUNT,
    BURST_RATE,
    DUPLICATE_RATE,
    HONEST_LARGE_RATE,
    HONEST_LARGE_TIMES,
    MONTHS_OF_HABIT,
    NEW_LARGE_INCOMES,
    NEW_LARGE_RATE,
    SPIKE_RATE,
    SPIKE_TIMES,
)
from finml.ledger.synthetic.draws import Bools, Floats, Ints, Purpose, pick
from finml.ledger.synthetic.journal import Slot
from finml.ledger.synthetic.oddity import Oddity
from finml.ledger.synthetic.population import RUPEE, rupees

_USUAL = np.array([habit.share / habit.chance for habit in HABITS])
"""Usual size of each habit's purchase, as a share of a month's free spending."""
_SPIKED = np.array([place for place, usual in enumerate(_USUAL) if usual <= 0.13])
_SPIKED_CATEGORY = np.array([CATEGORY[HABITS[place].category] for place in _SPIKED])
_NEW = np.array(
    [
        CATEGORY[name]
        for name in ("other", "insurance", "investment", "education", "health", "entertainment", "shopping")
    ]
)
_MEANT = (("shopping", 0.26), ("health", 0.2), ("education", 0.28), ("entertainment", 0.1), ("other", 0.2))
_MEANT_CATEGORY = np.array([CATEGORY[name] for name, _ in _MEANT])
_MEANT_USUAL = np.array([usual for _, usual in _MEANT])
_RUN_OF = np.array([CATEGORY[name] for name in ("shopping", "dining", "entertainment", "transport")])
_DOUBLED = tuple(
    next(place for place, habit in enumerate(HABITS) if habit.category == name)
    for name in ("groceries", "dining", "transport", "shopping")
)

_SPARE = 0.6
"""Share of the money at hand that a large purchase may take."""
_AT_NIGHT = 0.4
_NIGHT, _DAY, _EVENING = 5 * HOUR, 8 * HOUR, 22 * HOUR


@dataclass(frozen=True)
class _Means:
    """What users can spend, one element a user, paise.

    Attributes:
        income: normal income of the month.
        wanted: what they meant to spend this month as they like.
        cash: money at hand.
    """

    income: Floats
    wanted: Floats
    cash: Ints


def go_astray(month: Month, fortune: Fortune, wanted: Floats, cash: Ints) -> Ints:
    """Book the month's anomalies and large purchases that were meant; returns the money left.

    Args:
        month: the month.
        fortune: the users' state.
        wanted: what each user meant to spend.
        cash: money at hand.
    """
    if month.number < MONTHS_OF_HABIT:
        return cash
    income = month.people.income * fortune.pay_scale
    u = month.draws.uniform(Purpose.ODD_PURCHASES, month.number, 5, 8)
    each = month.draws.uniform(Purpose.ODD_BURST, month.number, BURST_COUNT[1], 3)
    for place, book in enumerate((_new_large, _spike, _honest_large, _duplicate)):
        cash = cash - book(month, _Means(income, wanted, cash), u[:, place])
    return cash - _burst(month, _Means(income, wanted, cash), u[:, 4], each)


def _new_large(month: Month, means: _Means, u: Floats) -> Ints:
    """A large purchase in a category that the user has never used."""
    category = _NEW[pick(u[:, 1], len(_NEW))]
    low, high = NEW_LARGE_INCOMES
    limit = _SPARE * means.cash
    amount = rupees(np.minimum(means.income * low * (high / low) ** u[:, 2], limit), 1)
    never = ~month.journal.used[np.arange(len(category)), category]
    buys = (u[:, 0] < NEW_LARGE_RATE) & never & (limit >= low * means.income)
    month.journal.add(
        buys,
        Slot.NEW_LARGE,
        category,
        amount,
        time=_moment(month, u[:, 3], u[:, 4], u[:, 5] < _AT_NIGHT),
        channel=_channel(u[:, 6]),
        oddity=Oddity.NEW_MERCHANT_LARGE,
    )
    return np.where(buys, amount, 0)


def _spike(month: Month, means: _Means, u: Floats) -> Ints:
    """A purchase of many times the usual in a category that the user knows."""
    place = pick(u[:, 1], len(_SPIKED))
    category, usual = _SPIKED_CATEGORY[place], means.wanted * _USUAL[_SPIKED[place]]
    low, high = SPIKE_TIMES
    limit = _SPARE * means.cash
    amount = rupees(np.minimum(usual * low * (high / low) ** u[:, 2], limit), 1)
    known = month.journal.used[np.arange(len(category)), category]
    buys = (u[:, 0] < SPIKE_RATE) & known & (limit >= low * usual)
    month.journal.add(
        buys,
        Slot.SPIKE,
        category,
        amount,
        time=_moment(month, u[:, 3], u[:, 4], u[:, 5] < _AT_NIGHT),
        channel=_channel(u[:, 6]),
        oddity=Oddity.AMOUNT_SPIKE,
    )
    return np.where(buys, amount, 0)


def _honest_large(month: Month, means: _Means, u: Floats) -> Ints:
    """A purchase that is large and meant, by day."""
    kind = pick(u[:, 1], len(_MEANT))
    usual = means.wanted * _MEANT_USUAL[kind]
    low, high = HONEST_LARGE_TIMES
    limit = _SPARE * means.cash
    amount = rupees(np.minimum(usual * low * (high / low) ** u[:, 2], limit), 10)
    buys = (u[:, 0] < HONEST_LARGE_RATE) & (limit >= low * usual) & (amount > 0)
    month.journal.add(
        buys,
        Slot.HONEST_LARGE,
        _MEANT_CATEGORY[kind],
        amount,
        day=1 + pick(u[:, 3], 28),
        channel=_channel(u[:, 4]),
        oddity=Oddity.HONEST_LARGE,
    )
    return np.where(buys, amount, 0)


def _duplicate(month: Month, means: _Means, u: Floats) -> Ints:
    """A purchase charged twice within minutes."""
    struck = (u[:, 0] < DUPLICATE_RATE) & (means.cash > 0.5 * means.wanted)
    choice = pick(u[:, 1], len(_DOUBLED))
    delay = (30 + pick(u[:, 2], 570)) * SECOND
    booked = np.zeros(len(choice), np.int64)
    for place, habit in enumerate(_DOUBLED):
        again = struck & (choice == place)
        booked += month.journal.repeat(again, Slot.HABITS + habit, Slot.DUPLICATE, delay, Oddity.DUPLICATE)
    return booked


def _burst(month: Month, means: _Means, u: Floats, each: Floats) -> Ints:
    """A run of purchases within an hour."""
    low, high = BURST_COUNT
    count = low + pick(u[:, 1], high - low + 1)
    share = _SPARE / high
    struck = (u[:, 0] < BURST_RATE) & (share * means.cash > 100 * RUPEE)
    start = _moment(month, u[:, 2], u[:, 3], u[:, 5] < _AT_NIGHT)
    apart = HOUR // high // SECOND
    booked = np.zeros(len(count), np.int64)
    for place in range(high):
        price = means.wanted * 0.12 * (0.2 + 1.3 * each[:, place, 0])
        amount = rupees(np.clip(price, 20 * RUPEE, np.maximum(share * means.cash, 20 * RUPEE)), 1)
        buys = struck & (place < count)
        month.journal.add(
            buys,
            Slot.BURST + place,
            _RUN_OF[pick(each[:, place, 1], len(_RUN_OF))],
            amount,
            time=start + (place * apart + pick(each[:, place, 2], apart)) * SECOND,
            channel=_channel(u[:, 6]),
            oddity=Oddity.BURST,
        )
        booked += np.where(buys, amount, 0)
    return booked


def _moment(month: Month, day: Floats, hour: Floats, at_night: Bools) -> Ints:
    """A moment by night or by day."""
    second = np.where(at_night, hour * _NIGHT, _DAY + hour * (_EVENING - _DAY)) // SECOND
    return month.calendar.at(month.number, 1 + pick(day, 28), second.astype(np.int64) * SECOND)


def _channel(u: Floats) -> Ints:
    return np.where(u < 0.6, CHANNEL["upi"], CHANNEL["card"])
