"""The transactions of a block, gathered month by month and turned into a table at the end."""

from enum import IntEnum

import numpy as np

from finml.ledger.synthetic.calendar import DAY, HOUR, SECOND, Calendar
from finml.ledger.synthetic.catalog import CATEGORY, CHANNEL, NO_MERCHANT, merchants
from finml.ledger.synthetic.config import LATE_DAYS, LATE_SHARE, PROMPT_SECONDS
from finml.ledger.synthetic.draws import Bools, Draws, Floats, Ints, Purpose


class Slot(IntEnum):
    """First place of each kind of transaction within a user's month. No two transactions share a place."""

    INCOME = 0
    BONUS = 3
    RENT = 4
    OTHER_EMI = 5
    INSURANCE = 6
    UTILITIES = 7
    INVESTMENT = 9
    SWEEP = 10
    EMI = 11
    BOUNCE = 15
    PAID_OUT = 19
    PASSED_ON = 20
    ILLNESS = 21
    CARD_PAYMENT = 22
    CARD_CREDITED = 23
    CARD_INTEREST = 24
    CARD_PURCHASE = 25
    LOW_BALANCE = 28
    INTEREST = 29
    FESTIVAL = 30
    HABITS = 32


SLOTS = 48
NUMBERS_A_MONTH = 100
REGULAR_SLOTS = Slot.SWEEP
"""Slots below this one have the same other party every month."""

_OPENS, _CLOSES = 8 * HOUR, 22 * HOUR


class Journal:
    """Transactions of one block, one array a field, in the order in which they were added.

    Args:
        draws: the block's random numbers.
        calendar: the months.
    """

    def __init__(self, draws: Draws, calendar: Calendar) -> None:
        self._draws = draws
        self._calendar = calendar
        self._parts: dict[str, list[Ints]] = {}
        self._steady = draws.uniform(Purpose.PARTNERS, 0, REGULAR_SLOTS)
        self._month = -1

    def open_month(self, month: int) -> None:
        """Begin a month; what is added from now on lies in it."""
        self._month = month
        self._u = self._draws.uniform(Purpose.JOURNAL, month, SLOTS, 3)

    def add(
        self,
        where: Bools,
        slot: int,
        category: str,
        amount: Ints,
        *,
        day: Ints | int = 1,
        channel: str | Ints,
        credit: bool = False,
        on_card: bool = False,
        time: Ints | None = None,
        to_others: bool = True,
    ) -> None:
        """Add at most one transaction a user; arrays hold one element a user of the block.

        Args:
            where: users that have it.
            slot: its place in the month.
            category: ledger category.
            amount: paise, above zero where `where` holds.
            day: day of the month, from 1.
            channel: ledger channel, or its position for each user.
            credit: whether the money comes in.
            on_card: whether it moves the credit card, or else the main account.
            time: moment, in place of a day with a moment that is drawn.
            to_others: whether the other party is someone other than the bank.
        """
        user = np.flatnonzero(where)
        u = self._u[user, slot]
        if time is None:
            days = np.broadcast_to(np.asarray(day), where.shape)[user]
            moment = self._calendar.at(
                self._month, days, _whole_seconds(_OPENS + u[:, 0] * (_CLOSES - _OPENS))
            )
        else:
            moment = time[user]
        # Below the second, the slot tells transactions of the same second apart.
        moment = moment + slot
        kind = np.full(len(user), CATEGORY[category])
        partner = self._steady[user, slot] if slot < REGULAR_SLOTS else u[:, 1]
        part = {
            "user": user,
            "on_card": np.full(len(user), on_card),
            "time": moment,
            "credit": np.full(len(user), credit),
            "amount": amount[user],
            "category": kind,
            "merchant": merchants(kind, partner) if to_others else np.full(len(user), NO_MERCHANT),
            "channel": np.full(len(user), CHANNEL[channel]) if isinstance(channel, str) else channel[user],
            "number": np.full(len(user), self._month * NUMBERS_A_MONTH + slot),
            "known": moment + arrival(u[:, 2]),
        }
        for field, values in part.items():
            self._parts.setdefault(field, []).append(values)

    def arrays(self) -> dict[str, Ints]:
        """All transactions, one array a field.

        Fields: `user`, `on_card`, `time`, `credit`, `amount`, `category`, `merchant`, `channel`; `number`,
        which tells a user's transactions apart; and `known`, when the bank's systems had the row.
        """
        return {field: np.concatenate(parts) for field, parts in self._parts.items()}


def arrival(u: Floats) -> Ints:
    """How long after the event the bank's systems know a row, from uniform numbers; microseconds.

    Most rows take seconds. A share of `LATE_SHARE` takes from one day to `LATE_DAYS` days.
    """
    prompt = _whole_seconds((u - LATE_SHARE) / (1 - LATE_SHARE) * PROMPT_SECONDS * SECOND)
    late = _whole_seconds((1 + u / LATE_SHARE * (LATE_DAYS - 1)) * DAY)
    return np.where(u < LATE_SHARE, late, prompt)


def _whole_seconds(moment: Floats) -> Ints:
    return (moment // SECOND).astype(np.int64) * SECOND
