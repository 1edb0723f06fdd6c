"""Credit cards month by month: purchases, payments, interest and the statement."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from finml.ledger.contracts import PAYMENT_STATUSES
from finml.ledger.synthetic.calendar import HOUR
from finml.ledger.synthetic.cashflow import Fortune, Month
from finml.ledger.synthetic.config import CARD_MECHANISM
from finml.ledger.synthetic.draws import Floats, Ints, Purpose, pick
from finml.ledger.synthetic.journal import Slot, arrival
from finml.ledger.synthetic.lending import ESSENTIALS, miss_chance, thinness
from finml.ledger.synthetic.population import Population, rupees

PURCHASES = (("shopping", 0.6, 0.5), ("dining", 0.5, 0.2), ("transport", 0.4, 0.3))
"""Category, chance a month and share of what goes through the card."""
PAYMENT_DAY = 18
MONTHLY_INTEREST = 0.03
MINIMUM_SHARE = 0.05
DAYS_A_MONTH_LATE = 30
BLOCKED_MONTHS_LATE = 3
"""Missed statements after which nothing can be bought with the card."""
PAYS_IN_FULL_BELOW = 0.4
"""Overspending below which a holder pays the whole statement when the money is there."""
_STATUS = {name: position for position, name in enumerate(PAYMENT_STATUSES)}


@dataclass(frozen=True)
class Statements:
    """One month's card statements, one element a card holder.

    Attributes:
        user: position of the holder in the block.
        month: the month.
        closed: date of the statement.
        known: when the bank's systems have it.
        balance: what is owed.
        paid: what was paid this month, 0 for nothing.
        paid_at: when.
        days_past_due: how far behind the holder is.
        status: position in the contract's payment statuses.
    """

    user: Ints
    month: Ints
    closed: Ints
    known: Ints
    balance: Ints
    paid: Ints
    paid_at: Ints
    days_past_due: Ints
    status: Ints


class Cards:
    """The credit cards of a block.

    Attributes:
        statements: those of the months so far.
    """

    def __init__(self, people: Population) -> None:
        self._people = people
        self._owed = np.zeros(len(people), np.int64)
        self._months_late = np.zeros(len(people), np.int64)
        self.statements: list[Statements] = []

    def run(self, month: Month, fortune: Fortune, wanted: Floats, cash: Ints) -> Ints:
        """Run the cards through a month.

        Args:
            month: the month.
            fortune: the users' state.
            wanted: what each user means to buy with the card.
            cash: money at hand.

        Returns:
            The money left.
        """
        u = month.draws.uniform(Purpose.CARD, month.number, 4)
        billed = self._owed
        moment = month.calendar.at(month.number, PAYMENT_DAY, (10 + pick(u[:, 2], 8)) * HOUR)
        paid = self._payment(month, fortune, cash, u)
        self._book_payment(month, paid, moment)
        self._months_late = np.where((billed > 0) & (paid == 0), self._months_late + 1, 0)

        closed = int(month.calendar.at(month.number, month.calendar.days(month.number), 22 * HOUR))
        interest = rupees(MONTHLY_INTEREST * (billed - paid), 1)
        charged = np.full(len(interest), closed - HOUR)
        month.journal.add(
            interest > 0, Slot.CARD_INTEREST, "fees", interest, channel="other", on_card=True, time=charged
        )
        bought = self._purchases(month, wanted)
        self._owed = billed - paid + interest + bought

        status = np.select(
            [self._months_late > 0, (billed == 0) & (bought == 0), paid >= billed],
            [_STATUS["late"], _STATUS["unused"], _STATUS["paid_in_full"]],
            _STATUS["revolving"],
        )
        user = np.flatnonzero(self._people.has_card)
        self.statements.append(
            Statements(
                user=user,
                month=np.full(len(user), month.number),
                closed=np.full(len(user), closed),
                known=closed + arrival(u[user, 3]),
                balance=self._owed[user],
                paid=paid[user],
                paid_at=moment[user],
                days_past_due=self._months_late[user] * DAYS_A_MONTH_LATE,
                status=status[user],
            )
        )
        return cash - paid

    def _payment(self, month: Month, fortune: Fortune, cash: Ints, u: Floats) -> Ints:
        """What is paid of the last statement: all of it, a part, or nothing."""
        people, owed = self._people, self._owed
        normal = people.income * fortune.pay_scale
        nothing = np.zeros(len(people))
        forgotten = u[:, 0] < miss_chance(
            CARD_MECHANISM,
            burden=nothing,
            shock=fortune.shock,
            thin=thinness(fortune, normal),
            late=self._months_late > 0,
            temper=people.temper,
        )
        at_hand = rupees(np.maximum(cash - ESSENTIALS * normal, 0), 1)
        in_full = (people.thirst < PAYS_IN_FULL_BELOW) & (owed <= at_hand)
        part = np.minimum(rupees(owed * (MINIMUM_SHARE + 0.4 * u[:, 1]), 1), owed)
        paid = np.where(in_full, owed, np.minimum(part, at_hand))
        return np.where(forgotten | (paid < MINIMUM_SHARE * owed), 0, paid)

    def _book_payment(self, month: Month, paid: Ints, moment: Ints) -> None:
        add = partial(
            month.journal.add, paid > 0, category="transfer", amount=paid, channel="transfer", time=moment
        )
        add(slot=Slot.CARD_PAYMENT)
        add(slot=Slot.CARD_CREDITED, credit=True, on_card=True)

    def _purchases(self, month: Month, wanted: Floats) -> Ints:
        """Book what is bought with the card, within its limit, and return the sum."""
        people = self._people
        u = month.draws.uniform(Purpose.CARD_PURCHASE, month.number, len(PURCHASES), 3)
        room = np.where(
            self._months_late < BLOCKED_MONTHS_LATE, np.maximum(people.card_limit - self._owed, 0), 0
        )
        total = np.zeros(len(people), np.int64)
        for place, (category, chance, share) in enumerate(PURCHASES):
            amount = np.minimum(rupees(wanted * share / chance * (0.5 + u[:, place, 0]), 1), room - total)
            buys = (amount > 0) & (u[:, place, 1] < chance)
            day = 1 + pick(u[:, place, 2], 26)
            month.journal.add(
                buys, Slot.CARD_PURCHASE + place, category, amount, day=day, channel="card", on_card=True
            )
            total = total + np.where(buys, amount, 0)
        return total
