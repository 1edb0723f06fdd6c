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

_GOLDEN_TURN = 0.6180339887
"""Turns one uniform number into as many different ones as a run has purchases."""
_SPARE = 0.6
"""Share of the money at hand that a large purchase may take."""
_AT_NIGHT = 0.4
_NIGHT, _DAY, _EVENING = 5 * HOUR, 8 * HOUR, 22 * HOUR


_Paid = tuple[Ints, Ints]
"""Users and what each paid, paise; a user can be there more than once."""


@dataclass(frozen=True)
class _Struck:
    """The users that something happens to in a month, one element a user.

    Attributes:
        month: the month.
        user: position in the block, ascending.
        income: normal income of the month, paise.
        wanted: what they meant to spend this month as they like, paise.
        limit: what a large purchase may cost, paise.
        u: uniform numbers that say how it happens, shape (users, 6).
    """

    month: Month
    user: Ints
    income: Floats
    wanted: Floats
    limit: Floats
    u: Floats

    def only(self, chosen: Bools) -> "_Struck":
        """Some of them."""
        return _Struck(
            self.month,
            self.user[chosen],
            self.income[chosen],
            self.wanted[chosen],
            self.limit[chosen],
            self.u[chosen],
        )

    def moment(self, at_night: Bools | None = None) -> Ints:
        """A moment for each: at night or by day as told, or else as drawn."""
        night = self.u[:, 4] < _AT_NIGHT if at_night is None else at_night
        hour = self.u[:, 3]
        second = np.where(night, hour * _NIGHT, _DAY + hour * (_EVENING - _DAY)) // SECOND
        day = 1 + pick(self.u[:, 2], 28)
        return self.month.calendar.at(self.month.number, day, second.astype(np.int64) * SECOND)

    def channel(self) -> Ints:
        """How each pays."""
        return np.where(self.u[:, 5] < 0.6, CHANNEL["upi"], CHANNEL["card"])

    def between(self, low: float, high: float) -> Floats:
        """A number for each between two, each order of size as likely as the next."""
        drawn: Floats = low * (high / low) ** self.u[:, 1]
        return drawn


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
    cash = cash.copy()
    income = month.people.income * fortune.pay_scale
    u = month.draws.uniform(Purpose.ODD_PURCHASES, month.number, len(_KINDS) + 6)
    for place, (rate, book) in enumerate(_KINDS):
        user = np.flatnonzero(u[:, place] < rate)
        how = u[user, len(_KINDS) :]
        payers, amount = book(_Struck(month, user, income[user], wanted[user], _SPARE * cash[user], how))
        np.subtract.at(cash, payers, amount)
    return cash


def _new_large(struck: _Struck) -> _Paid:
    """A large purchase in a category that the user has never used."""
    category = _NEW[pick(struck.u[:, 0], len(_NEW))]
    low, high = NEW_LARGE_INCOMES
    never = ~struck.month.journal.used[struck.user, category]
    affordable = struck.limit >= low * struck.income
    amount = np.minimum(struck.income * struck.between(low, high), struck.limit)
    return _bought(
        struck, never & affordable, category, amount, slot=Slot.NEW_LARGE, oddity=Oddity.NEW_MERCHANT_LARGE
    )


def _spike(struck: _Struck) -> _Paid:
    """A purchase of many times the usual in a category that the user knows."""
    place = pick(struck.u[:, 0], len(_SPIKED))
    category, usual = _SPIKED_CATEGORY[place], struck.wanted * _USUAL[_SPIKED[place]]
    low, high = SPIKE_TIMES
    known = struck.month.journal.used[struck.user, category]
    affordable = struck.limit >= low * usual
    amount = np.minimum(usual * struck.between(low, high), struck.limit)
    return _bought(struck, known & affordable, category, amount, slot=Slot.SPIKE, oddity=Oddity.AMOUNT_SPIKE)


def _honest_large(struck: _Struck) -> _Paid:
    """A purchase that is large and meant, by day."""
    kind = pick(struck.u[:, 0], len(_MEANT))
    usual = struck.wanted * _MEANT_USUAL[kind]
    low, high = HONEST_LARGE_TIMES
    affordable = struck.limit >= low * usual
    amount = np.minimum(usual * struck.between(low, high), struck.limit)
    return _bought(
        struck, affordable, _MEANT_CATEGORY[kind], amount, slot=Slot.HONEST_LARGE, oddity=Oddity.HONEST_LARGE
    )


def _duplicate(struck: _Struck) -> _Paid:
    """A purchase charged twice within minutes."""
    struck = struck.only(struck.limit > 0.3 * struck.wanted)
    choice = pick(struck.u[:, 0], len(_DOUBLED))
    delay = (30 + pick(struck.u[:, 1], 570)) * SECOND
    parts = []
    for place, habit in enumerate(_DOUBLED):
        mine = choice == place
        parts.append(
            struck.month.journal.repeat(
                struck.user[mine], Slot.HABITS + habit, Slot.DUPLICATE, delay[mine], Oddity.DUPLICATE
            )
        )
    return _joined(parts)


def _burst(struck: _Struck) -> _Paid:
    """A run of purchases within an hour."""
    low, high = BURST_COUNT
    struck = struck.only(struck.limit > high * 100 * RUPEE)
    count = low + pick(struck.u[:, 0], high - low + 1)
    start, apart = struck.moment(), HOUR // high // SECOND
    parts = []
    for place in range(high):
        turned = (struck.u + place * _GOLDEN_TURN) % 1
        price = np.minimum(struck.wanted * 0.12 * (0.2 + 1.3 * turned[:, 1]), struck.limit / high)
        amount = rupees(np.maximum(price, 20 * RUPEE), 1)
        on = place < count
        struck.month.journal.add_odd(
            struck.user[on],
            Slot.BURST + place,
            _RUN_OF[pick(turned[on, 2], len(_RUN_OF))],
            amount[on],
            time=(start + (place * apart + pick(turned[:, 3], apart)) * SECOND)[on],
            channel=struck.channel()[on],
            oddity=Oddity.BURST,
        )
        parts.append((struck.user[on], amount[on]))
    return _joined(parts)


_KINDS = (
    (NEW_LARGE_RATE, _new_large),
    (SPIKE_RATE, _spike),
    (HONEST_LARGE_RATE, _honest_large),
    (DUPLICATE_RATE, _duplicate),
    (BURST_RATE, _burst),
)


def _bought(
    struck: _Struck, chosen: Bools, category: Ints, amount: Floats, *, slot: Slot, oddity: Oddity
) -> _Paid:
    """Book one purchase of those chosen."""
    chosen = chosen & (amount >= 10 * RUPEE)
    buyers, price = struck.only(chosen), rupees(amount[chosen], 1)
    by_day = np.zeros(len(price), bool) if oddity is Oddity.HONEST_LARGE else None
    struck.month.journal.add_odd(
        buyers.user,
        slot,
        category[chosen],
        price,
        time=buyers.moment(at_night=by_day),
        channel=buyers.channel(),
        oddity=oddity,
    )
    return buyers.user, price


def _joined(parts: list[_Paid]) -> _Paid:
    return np.concatenate([user for user, _ in parts]), np.concatenate([paid for _, paid in parts])
