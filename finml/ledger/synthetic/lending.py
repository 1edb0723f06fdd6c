"""Instalment loans month by month: applications, instalments paid, late or missed, and why."""

import numpy as np

from finml.ledger.synthetic.calendar import DAY, HOUR, SECOND
from finml.ledger.synthetic.cashflow import Fortune, Month
from finml.ledger.synthetic.config import (
    APPLICATION_RATE,
    DESERTION_RATE,
    MAX_BURDEN,
    MAX_OPEN_LOANS,
    MECHANISM,
    PRODUCTS,
    Mechanism,
)
from finml.ledger.synthetic.draws import Bools, Floats, Ints, Purpose, pick
from finml.ledger.synthetic.journal import Slot
from finml.ledger.synthetic.loanbook import DUE_TIME, LoanBook, Loans
from finml.ledger.synthetic.population import RUPEE, rupees

ESSENTIALS = 0.15
"""Share of normal income that nobody gives up for an instalment."""
BOUNCE_FEE = 354 * RUPEE
_AUTO_DEBIT = 9 * HOUR


def miss_chance(
    mechanism: Mechanism, *, burden: Floats, shock: Floats, thin: Floats, late: Bools, temper: Floats
) -> Floats:
    """Chance that what is due is not paid although the money is there. The terms are those of `Mechanism`."""
    score = mechanism.base + mechanism.burden * burden + mechanism.shock * shock + mechanism.thin * thin
    score = score + mechanism.arrears * late + mechanism.temper * temper
    chance: Floats = 1 / (1 + np.exp(-score))
    return chance


def thinness(fortune: Fortune, normal: Floats) -> Floats:
    """How thin the cushion is: 1 with nothing on the account, toward 0 with several incomes."""
    thin: Floats = np.exp(-np.maximum(fortune.balance, 0) / normal)
    return thin


def repay(month: Month, fortune: Fortune, book: LoanBook, cash: Ints) -> Ints:
    """Let the month's instalments fall due and pay those that are paid. Returns the money left."""
    people, journal = month.people, month.journal
    u = month.draws.uniform(Purpose.REPAYMENT, month.number, MAX_OPEN_LOANS, 5)
    normal = people.income * fortune.pay_scale
    burden = (book.emi_total() + people.other_emi) / normal
    thin, shock = thinness(fortune, normal), fortune.shock
    book.bill(month.number)
    for slot in range(MAX_OPEN_LOANS):
        loans = book.in_slot(slot)
        user, emi = book.loans.user[loans], book.loans.emi[loans]
        owed = book.arrears()[loans]
        chance = miss_chance(
            MECHANISM,
            burden=burden[user],
            shock=shock[user],
            thin=thin[user],
            late=owed > 1,
            temper=people.temper[user],
        )
        at_hand = np.maximum(cash[user] - ESSENTIALS * normal[user] * (1 - shock[user]), 0)
        affordable = np.minimum((at_hand // emi).astype(np.int64), owed)
        book.loans.deserted[loans] |= u[user, slot, 4] < DESERTION_RATE
        unwilling = (u[user, slot, 0] < chance) | book.loans.deserted[loans]
        count = np.where(unwilling, 0, affordable)

        moment = _moments(month, user, owed, thin[user], u[user, slot])
        pays = count > 0
        book.pay(loans[pays], count[pays], moment[pays])
        spent = _spread(len(cash), user, count * emi)
        when = _spread(len(cash), user, moment)
        journal.add(
            spent > 0, Slot.EMI + slot, "emi", spent, channel="direct_debit", time=when, to_others=False
        )
        bounced = np.zeros(len(cash), bool)
        bounced[user[~pays]] = True
        fee = np.full(len(cash), BOUNCE_FEE)
        journal.add(bounced, Slot.BOUNCE + slot, "penalty", fee, day=people.due_day, channel="other")
        cash = cash - spent - np.where(bounced, fee, 0)
    book.close()
    return cash


def lend(month: Month, fortune: Fortune, book: LoanBook, cash: Ints) -> Ints:
    """Let users apply for loans and grant those that they can bear. Returns the money left."""
    people, journal = month.people, month.journal
    u = month.draws.uniform(Purpose.APPLICATION, month.number, 12)
    normal = people.income * fortune.pay_scale
    slot = book.free_slot()
    festive = any(festival.weight > 0.5 for festival in month.calendar.festivals(month.number))
    wish = (
        APPLICATION_RATE
        * (1 + 0.4 * festive)
        * (1 + 0.7 * thinness(fortune, normal))
        * (1 + 0.5 * fortune.shock)
    )
    wish = wish * np.clip(1 + 0.3 * people.thirst, 0.3, 2.0)

    product = _products(people.occupation, u[:, 1])
    low, high = _MULTIPLES[product].T
    principal = rupees(normal * low * (high / low) ** u[:, 2], 1000)
    term = _TERMS[product, pick(u[:, 3], _TERM_COUNT[product])]
    low, high = _RATES[product].T
    rate = np.rint((low + (high - low) * u[:, 4]) * 400) / 400
    emi = instalment(principal, rate, term)
    bearable = emi + book.emi_total() + people.other_emi <= MAX_BURDEN * normal
    granted = (u[:, 0] < wish) & bearable & (slot < MAX_OPEN_LOANS) & (principal > 0)

    day = 1 + pick(u[:, 5], 20)
    applied = month.calendar.at(month.number, day, 9 * HOUR + pick(u[:, 6], 8 * 3600) * SECOND)
    low, high = _LOAN_TO_VALUE[product].T
    secured = high > 0
    value = rupees(principal / np.where(secured, low + (high - low) * u[:, 7], 1.0), 1000)
    new = Loans(
        user=np.flatnonzero(granted),
        slot=slot[granted],
        month=np.full(int(granted.sum()), month.number),
        product=product[granted],
        applied=applied[granted],
        granted=(applied + (4 * HOUR + pick(u[:, 8], 20) * HOUR))[granted],
        principal=principal[granted],
        term=term[granted],
        rate=rate[granted],
        emi=emi[granted],
        collateral=np.where(secured, value, 0)[granted],
        billed=np.zeros(int(granted.sum()), np.int64),
        paid=np.zeros(int(granted.sum()), np.int64),
        is_open=np.ones(int(granted.sum()), bool),
        deserted=np.zeros(int(granted.sum()), bool),
    )
    book.grant(new)

    # What is paid out to the borrower is passed on within days, but for a part.
    received = granted & _PAID_OUT[product]
    passed = rupees(principal * (0.8 + 0.2 * u[:, 9]), 1)
    journal.add(received, Slot.PAID_OUT, "transfer", principal, day=day + 2, channel="transfer", credit=True)
    journal.add(received, Slot.PASSED_ON, "transfer", passed, day=day + 4, channel="transfer")
    return cash + np.where(received, principal - passed, 0)


def instalment(principal: Ints, rate: Floats, term: Ints) -> Ints:
    """The constant monthly instalment, in whole rupees, that repays a loan in `term` months."""
    monthly = rate / 12
    emi: Ints = np.maximum(
        rupees(principal * monthly / (1 - (1 + monthly) ** -term.astype(np.float64)), 1), RUPEE
    )
    return emi


def _moments(month: Month, user: Ints, owed: Ints, thin: Floats, u: Floats) -> Ints:
    """When each user pays, if at all: by debit on the due day, or by hand some days later."""
    people = month.people
    tardy = 1 / (1 + np.exp(-(-2.6 + 1.0 * people.temper[user] + 1.2 * thin)))
    by_hand = (u[:, 1] < tardy) | (owed > 1)
    delay = np.where(by_hand, 1 + pick(u[:, 2] ** 1.5, 14), 0)
    hour = np.where(by_hand, DUE_TIME, _AUTO_DEBIT) + pick(u[:, 3], 3 * 3600) * SECOND
    return month.calendar.at(month.number, people.due_day[user], delay * DAY + hour)


def _spread(size: int, user: Ints, values: Ints) -> Ints:
    """Values of some users as an array over all users, 0 elsewhere."""
    spread = np.zeros(size, np.int64)
    spread[user] = values
    return spread


def _products(occupation: Ints, u: Floats) -> Ints:
    edges = np.cumsum(_WEIGHTS, axis=1)
    edges /= edges[:, -1:]
    position: Ints = np.minimum((u[:, None] >= edges[occupation]).sum(axis=1), len(PRODUCTS) - 1)
    return position


_WEIGHTS = np.array([product.weights for product in PRODUCTS]).T
_MULTIPLES = np.array([product.multiple for product in PRODUCTS])
_RATES = np.array([product.rates for product in PRODUCTS])
_TERM_COUNT = np.array([len(product.terms) for product in PRODUCTS])
_TERMS = np.array([product.terms + (0,) * (_TERM_COUNT.max() - len(product.terms)) for product in PRODUCTS])
_LOAN_TO_VALUE = np.array([product.loan_to_value or (0.0, 0.0) for product in PRODUCTS])
_PAID_OUT = np.array([product.paid_out for product in PRODUCTS])
