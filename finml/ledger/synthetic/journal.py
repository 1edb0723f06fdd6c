"""The transactions of a block, gathered month by month and turned into a table at the end."""

from enum import IntEnum

import numpy as np

from finml.ledger.synthetic.calendar import DAY, HOUR, SECOND, Calendar
from finml.ledger.synthetic.catalog import CATEGORY, CHANNEL, NO_MERCHANT, merchants
from finml.ledger.synthetic.config import (
    HONEST_REVIEWED_SHARE,
    LATE_DAYS,
    LATE_SHARE,
    PROMPT_SECONDS,
    REVIEW_DAYS,
    REVIEWED_SHARE,
)
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
"""Places of ordinary transactions; those behind them are rare, and share a user's random numbers."""
NUMBERS_A_MONTH = 100
REGULAR_SLOTS = Slot.SWEEP
"""Slots below this one have the same other party every month."""

_FURTHER_DIGITS = 2**20
_REVIEWED = np.array(
    [
        {Oddity.NONE: REVIEWED_SHARE, Oddity.HONEST_LARGE: HONEST_REVIEWED_SHARE}.get(oddity, 1.0)
        for oddity in Oddity
    ]
)
"""Share of the transactions that are reviewed, by oddity."""
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
        self._of_month: dict[int, dict[str, Ints]] = {}
        self._size = 0
        self._oddities: list[tuple[int, Ints]] = []
        self._chances: list[Floats] = []
        self.used: Bools = np.zeros((draws.size, len(CATEGORY)), dtype=np.bool_)
        """By user and category, whether there was a transaction so far."""

    def open_month(self, month: int) -> None:
        """Begin a month; what is added from now on lies in it."""
        self._month = month
        self._u = self._draws.uniform(Purpose.JOURNAL, month, SLOTS, 3)
        self._odd = self._draws.uniform(Purpose.ODD_JOURNAL, month, 2)
        self._of_month = {}

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
        oddity: Ints | None = None,
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
            oddity: what is unusual about each; nothing if left out.
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
        self._keep(slot, part, u[:, 2], None if oddity is None else oddity[user])

    def add_odd(
        self,
        user: Ints,
        slot: int,
        category: Ints,
        amount: Ints,
        *,
        time: Ints,
        channel: Ints,
        oddity: Oddity,
    ) -> None:
        """Add a purchase that few users have; arrays hold one element a purchase.

        Args:
            user: positions of the users in the block, each at most once.
            slot: its place in the month.
            category: positions of the ledger categories.
            amount: paise, above zero.
            time: moments.
            channel: positions of the ledger channels.
            oddity: what is unusual about them.
        """
        u, moment, size = self._odd[user], time + slot, len(user)
        part = {
            "user": user,
            "on_card": np.zeros(size, bool),
            "time": moment,
            "credit": np.zeros(size, bool),
            "amount": amount,
            "category": category,
            "merchant": merchants(category, u[:, 0]),
            "channel": channel,
            "number": np.full(size, self._month * NUMBERS_A_MONTH + slot),
            "known": moment + arrival(u[:, 1]),
        }
        self._keep(slot, part, u[:, 1], np.full(size, int(oddity)))

    def repeat(self, who: Ints, original: int, slot: int, delay: Ints, oddity: Oddity) -> tuple[Ints, Ints]:
        """Book this month's transactions of a place once more, a little later.

        Args:
            who: positions of the users, ascending; those without a transaction at that place are left out.
            original: its place.
            slot: place of the second one.
            delay: time between the two, whole seconds in microseconds, one element a user of `who`.
            oddity: what is unusual about the second one.

        Returns:
            Positions of the users who have one now, and its amount.
        """
        first = self._of_month[original]
        user, at, chosen = np.intersect1d(first["user"], who, assume_unique=True, return_indices=True)
        part = {field: values[at] for field, values in first.items()}
        part["time"] = part["time"] - original + slot + delay[chosen]
        part["number"] = part["number"] - original + slot
        u = self._odd[user, 1]
        part["known"] = part["time"] + arrival(u)
        self._keep(slot, part, u, np.full(len(user), int(oddity)))
        return user, part["amount"]

    def _keep(self, slot: int, part: dict[str, Ints], u: Floats, oddity: Ints | None) -> None:
        """Keep transactions, each with a number that decides on a review, and what is unusual about it."""
        self._of_month[slot] = part
        self.used[part["user"], part["category"]] = True
        for field, values in part.items():
            self._parts.setdefault(field, []).append(values)
        if oddity is not None:
            self._oddities.append((self._size, oddity))
        self._chances.append(u)
        self._size += len(u)

    def arrays(self) -> dict[str, Ints]:
        """All transactions, one array a field.

        Fields: `user`, `on_card`, `time`, `credit`, `amount`, `category`, `merchant`, `channel`; `number`,
        which tells a user's transactions apart; and `known`, when the bank's systems had the row.
        """
        return {field: np.concatenate(parts) for field, parts in self._parts.items()}

    def reviewed(self, booked: dict[str, Ints]) -> dict[str, Ints]:
        """The transactions that somebody looks at: `user`, `number`, `oddity`, and when: `reviewed`.

        Args:
            booked: what `arrays` returned.
        """
        oddity = np.zeros(self._size, np.int8)
        for start, values in self._oddities:
            oddity[start : start + len(values)] = values
        # digits of a number that decide nothing else
        chance = np.concatenate(self._chances) * _FURTHER_DIGITS
        chance -= np.floor(chance)
        share = _REVIEWED[oddity]
        chosen = np.flatnonzero(chance < share)
        first, last = REVIEW_DAYS
        days = first + chance[chosen] / share[chosen] * (last - first)
        return {
            "user": booked["user"][chosen],
            "number": booked["number"][chosen],
            "oddity": oddity[chosen].astype(np.int64),
            "reviewed": booked["known"][chosen] + _whole_seconds(days * DAY),
        }


def arrival(u: Floats) -> Ints:
    """How long after the event the bank's systems know a row, from uniform numbers; microseconds.

    Most rows take seconds. A share of `LATE_SHARE` takes from one day to `LATE_DAYS` days.
    """
    prompt = _whole_seconds((u - LATE_SHARE) / (1 - LATE_SHARE) * PROMPT_SECONDS * SECOND)
    late = _whole_seconds((1 + u / LATE_SHARE * (LATE_DAYS - 1)) * DAY)
    return np.where(u < LATE_SHARE, late, prompt)


def _whole_seconds(moment: Floats) -> Ints:
    return (moment // SECOND).astype(np.int64) * SECOND
