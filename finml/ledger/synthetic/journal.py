"""The transactions of a block, gathered month by month and turned into a table at the end."""

from enum import IntEnum
from typing import Any

import numpy as np

from finml.ledger.synthetic.calendar import DAY, HOUR, SECOND, Calendar
from finml.ledger.synthetic.catalog import CATEGORY, CHANNEL, NO_MERCHANT, merchants
from finml.ledger.synthetic.config import LATE_DAYS, LATE_SHARE, PROMPT_SECONDS
from finml.ledger.synthetic.draws import Bools, Draws, Floats, Ints, Purpose
from finml.ledger.synthetic.oddity import Oddity


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
    SPIKE = 48
    NEW_LARGE = 49
    HONEST_LARGE = 50
    DUPLICATE = 51
    BURST = 52


SLOTS = 48
"""Places of ordinary transactions."""
ODD_SLOTS = 12
"""Places of the others, which have random numbers of their own."""
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
        self._parts: dict[str, list[Any]] = {}
        self._steady = draws.uniform(Purpose.PARTNERS, 0, REGULAR_SLOTS)
        self._month = -1
        self._of_month: dict[int, dict[str, Any]] = {}
        self.used: Bools = np.zeros((draws.size, len(CATEGORY)), dtype=np.bool_)
        """By user and category, whether there was a transaction so far."""

    def open_month(self, month: int) -> None:
        """Begin a month; what is added from now on lies in it."""
        self._month = month
        ordinary = self._draws.uniform(Purpose.JOURNAL, month, SLOTS, 3)
        odd = self._draws.uniform(Purpose.ODD_JOURNAL, month, ODD_SLOTS, 3)
        self._u = np.concatenate([ordinary, odd], axis=1)
        self._review = self._draws.uniform(Purpose.REVIEW, month, SLOTS + ODD_SLOTS)
        self._of_month = {}

    def add(
        self,
        where: Bools,
        slot: int,
        category: str | Ints,
        amount: Ints,
        *,
        day: Ints | int = 1,
        channel: str | Ints,
        credit: bool = False,
        on_card: bool = False,
        time: Ints | None = None,
        to_others: bool = True,
        oddity: Oddity | Ints = Oddity.NONE,
    ) -> None:
        """Add at most one transaction a user; arrays hold one element a user of the block.

        Args:
            where: users that have it.
            slot: its place in the month.
            category: ledger category, or its position for each user.
            amount: paise, above zero where `where` holds.
            day: day of the month, from 1.
            channel: ledger channel, or its position for each user.
            credit: whether the money comes in.
            on_card: whether it moves the credit card, or else the main account.
            time: moment, in place of a day with a moment that is drawn.
            to_others: whether the other party is someone other than the bank.
            oddity: what is unusual about it, for all or for each user.
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
        kind = np.full(len(user), CATEGORY[category]) if isinstance(category, str) else category[user]
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
            "oddity": np.full(len(user), oddity) if isinstance(oddity, Oddity) else oddity[user],
            "review": self._review[user, slot],
        }
        self._keep(slot, part)

    def repeat(self, where: Bools, original: int, slot: int, delay: Ints, oddity: Oddity) -> Ints:
        """Book this month's transactions of a place once more, a little later.

        Args:
            where: users whose transaction comes twice; those who have none at that place have nothing twice.
            original: its place.
            slot: place of the second one.
            delay: time between the two, by user, whole seconds in microseconds.
            oddity: what is unusual about the second one.

        Returns:
            What was booked, by user, paise.
        """
        part = self._of_month[original]
        again = where[part["user"]]
        part = {field: values[again] for field, values in part.items()}
        user = part["user"]
        part["time"] = part["time"] - original + slot + delay[user]
        part["number"] = part["number"] - original + slot
        part["known"] = part["time"] + arrival(self._u[user, slot, 2])
        part["oddity"] = np.full(len(user), oddity)
        part["review"] = self._review[user, slot]
        self._keep(slot, part)
        booked = np.zeros(len(where), np.int64)
        booked[user] = part["amount"]
        return booked

    def _keep(self, slot: int, part: dict[str, Any]) -> None:
        self._of_month[slot] = part
        self.used[part["user"], part["category"]] = True
        for field, values in part.items():
            self._parts.setdefault(field, []).append(values)

    def arrays(self) -> dict[str, Any]:
        """All transactions, one array a field.

        Fields: `user`, `on_card`, `time`, `credit`, `amount`, `category`, `merchant`, `channel`; `number`,
        which tells a user's transactions apart; `known`, when the bank's systems had the row; `oddity`; and
        `review`, a uniform number that decides on a review.
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
