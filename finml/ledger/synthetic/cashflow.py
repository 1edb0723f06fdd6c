"""A user's month apart from loans: income and what cuts it, regular payments, purchases, charges.

Every function books transactions in the journal and returns or changes the money that is left.
"""

from dataclasses import dataclass

import numpy as np

from finml.ledger.synthetic.calendar import Calendar
from finml.ledger.synthetic.catalog import CHANNEL, HABITS
from finml.ledger.synthetic.config import (
    ILLNESS_RATE,
    OCCUPATIONS,
    SHOCK_MONTHS,
    SHOCK_RATE,
    STATES,
)
from finml.ledger.synthetic.draws import Draws, Floats, Ints, Purpose, pick
from finml.ledger.synthetic.irregular import Irregular
from finml.ledger.synthetic.journal import Journal, Slot
from finml.ledger.synthetic.population import RUPEE, Population, rupees

_SHOCK_RATES = np.array([SHOCK_RATE[name] for name in OCCUPATIONS])
_WORST_LOSS = np.array([1.0, 0.8, 0.9])
_LEAST_LOSS = np.array([0.5, 0.35, 0.4])
_INCOME_NOISE = np.array([0.0, 0.22, 0.28])
SALARIED = OCCUPATIONS.index("salaried")

RAISE_MONTH = 4
YEARLY_RAISE = 0.06
BONUS_CHANCE = 0.4
HABIT_NOISE = 0.45


@dataclass
class Fortune:
    """What changes from month to month, one element a user. Money in paise.

    Attributes:
        balance: balance of the main account.
        pay_scale: income over that of the first month, by yearly raises.
        shock_left: months for which income is still cut.
        loss: share of income that is cut off while it is.
    """

    balance: Ints
    pay_scale: Floats
    shock_left: Ints
    loss: Floats

    @property
    def shock(self) -> Floats:
        """Share of normal income lost this month."""
        return np.where(self.shock_left > 0, self.loss, 0.0)


@dataclass(frozen=True)
class Month:
    """One month of one block.

    Attributes:
        number: months since the ledger's first.
        calendar, draws, people, journal: what the block shares.
    """

    number: int
    calendar: Calendar
    draws: Draws
    people: Population
    journal: Journal


def strike(month: Month, fortune: Fortune) -> None:
    """Let income shocks begin and end."""
    u = month.draws.uniform(Purpose.SHOCK, month.number, 3)
    kind = month.people.occupation
    fortune.shock_left = np.maximum(fortune.shock_left - 1, 0)
    struck = (fortune.shock_left == 0) & (u[:, 0] < _SHOCK_RATES[kind])
    low, high = SHOCK_MONTHS
    fortune.shock_left = np.where(struck, low + pick(u[:, 1], high - low + 1), fortune.shock_left)
    loss = _LEAST_LOSS[kind] + u[:, 2] * (_WORST_LOSS - _LEAST_LOSS)[kind]
    fortune.loss = np.where(struck, loss, fortune.loss)
    if month.number and month.calendar.number(month.number) == RAISE_MONTH:
        fortune.pay_scale = fortune.pay_scale * (1 + YEARLY_RAISE)


def earn(month: Month, fortune: Fortune) -> Ints:
    """Book the month's income and return it."""
    people, journal = month.people, month.journal
    u = month.draws.uniform(Purpose.INCOME, month.number, 8)
    z = month.draws.normal(Purpose.INCOME, month.number)
    noise = np.exp(_INCOME_NOISE[people.occupation] * z)
    due = people.income * fortune.pay_scale * noise * (1 - fortune.shock)
    salaried = people.occupation == SALARIED

    salary = rupees(np.where(salaried, due, 0), 1)
    journal.add(
        salary > 0, Slot.INCOME, "salary", salary, day=people.salary_day, channel="transfer", credit=True
    )
    total = salary
    # The others are paid in three parts, at any time of the month.
    shares = 0.2 + u[:, :3]
    shares /= shares.sum(axis=1, keepdims=True)
    for part in range(3):
        amount = rupees(np.where(salaried, 0, due * shares[:, part]), 1)
        day = 1 + 9 * part + pick(u[:, 3 + part], 9)
        journal.add(
            amount > 0, Slot.INCOME + part, "other_income", amount, day=day, channel="upi", credit=True
        )
        total = total + amount
    bonus_days = [
        festival.day for festival in month.calendar.festivals(month.number) if festival.name == "Diwali"
    ]
    if bonus_days:
        paid = salaried & (u[:, 6] < BONUS_CHANCE) & (fortune.shock == 0)
        bonus = np.where(paid, rupees(due * (0.3 + 0.7 * u[:, 7]), 100), 0)
        payday = max(bonus_days[0] - 8, 1)
        journal.add(bonus > 0, Slot.BONUS, "other_income", bonus, day=payday, channel="transfer", credit=True)
        total = total + bonus
    return total


def pay_regulars(month: Month, fortune: Fortune, cash: Ints) -> Ints:
    """Pay rent, other lenders, utilities and insurance, in this order, each if the money is there.

    Args:
        month: the month.
        fortune: the users' state.
        cash: money at hand, by user.

    Returns:
        The money left.
    """
    people, journal = month.people, month.journal
    u = month.draws.uniform(Purpose.BILLS, month.number, 5)
    normal = people.income * fortune.pay_scale
    day = people.salary_day
    electricity = rupees(normal * (0.015 + 0.02 * u[:, 0]), 1)
    phone = np.where(u[:, 2] < 0.85, rupees(normal * (0.006 + 0.008 * u[:, 1]), 1), 0)
    irregular = Irregular.draw(month.draws, month.number)
    for slot, day_due, amount_due, category, channel in (
        (Slot.RENT, day + 1, people.rent, "rent", "transfer"),
        (Slot.OTHER_EMI, day + 2, people.other_emi, "emi", "direct_debit"),
        (Slot.UTILITIES, 12 + pick(u[:, 3], 8), electricity, "utilities", "upi"),
        (Slot.UTILITIES + 1, 15 + pick(u[:, 4], 10), phone, "utilities", "upi"),
        (Slot.INSURANCE, day + 4, people.insurance, "insurance", "direct_debit"),
    ):
        amount = irregular.amount(slot, amount_due)
        pays = (amount > 0) & (amount <= cash)
        when, oddity = irregular.day(slot, day_due), irregular.oddity(slot)
        journal.add(pays, slot, category, amount, day=when, channel=channel, oddity=oddity)
        cash = cash - np.where(pays, amount, 0)
    return cash


def fall_ill(month: Month, fortune: Fortune, cash: Ints) -> Ints:
    """Book the medical bills of those who fall ill, and return the money left."""
    u = month.draws.uniform(Purpose.ILLNESS, month.number, 3)
    bill = rupees(month.people.income * fortune.pay_scale * (1 + 2 * u[:, 1]), 1)
    bill = np.minimum(bill, rupees(0.8 * np.maximum(cash, 0), 1))
    ill = (u[:, 0] < ILLNESS_RATE) & (bill > 1000 * RUPEE)
    day = 5 + pick(u[:, 2], 20)
    month.journal.add(ill, Slot.ILLNESS, "health", bill, day=day, channel="card")
    return cash - np.where(ill, bill, 0)


def free_spending(month: Month, fortune: Fortune, instalments: Ints) -> Floats:
    """What users mean to spend as they like this month, by user, paise.

    The overspenders mean to spend more than they have. A month's instalments and bills make people spend
    less, but not by all that they take.
    """
    people = month.people
    normal = people.income * fortune.pay_scale
    bound = people.rent + people.other_emi + people.insurance + people.investment + instalments
    wanted = normal * np.clip(0.60 + 0.11 * people.thirst, 0.25, 1.1) - 0.6 * bound
    spending: Floats = np.maximum(wanted, 0.15 * normal) * (1 - 0.5 * fortune.shock)
    return spending


def spend(month: Month, wanted: Floats, cash: Ints) -> Ints:
    """Book a month's purchases and return the money left, which can be a little below zero.

    Args:
        month: the month.
        wanted: what each user means to spend.
        cash: money at hand; where it is short, everything is bought smaller.
    """
    u = month.draws.uniform(Purpose.SPENDING, month.number, len(HABITS), 3)
    z = month.draws.normal(Purpose.SPENDING, month.number, len(HABITS))
    scale = wanted * np.clip(0.95 * cash / np.maximum(wanted, 1), 0.12, 1.0)
    days = month.calendar.days(month.number)
    for place, habit in enumerate(HABITS):
        noise = np.exp(HABIT_NOISE * z[:, place] - HABIT_NOISE**2 / 2)
        amount = rupees(scale * noise * (habit.share / habit.chance), 1)
        buys = (u[:, place, 0] < habit.chance) & (amount >= 10 * RUPEE)
        day = 1 + pick(u[:, place, 1], days)
        channel = _channels(u[:, place, 2], habit.channels)
        month.journal.add(buys, Slot.HABITS + place, habit.category, amount, day=day, channel=channel)
        cash = cash - np.where(buys, amount, 0)
    return cash


def celebrate(month: Month, wanted: Floats, cash: Ints) -> Ints:
    """Book what a festival makes people buy on the days before it, and return the money left."""
    festivals = month.calendar.festivals(month.number)
    if not festivals:
        return cash
    festival = max(festivals, key=lambda one: one.weight)
    u = month.draws.uniform(Purpose.FESTIVAL, month.number, 2, 3)
    home = np.isin(month.people.state, [list(STATES).index(name) for name in festival.states])
    keenness = np.minimum(festival.weight + 0.4 * home, 0.95)
    for place, category in enumerate(("shopping", "dining")):
        amount = rupees(wanted * keenness * (0.05 + 0.25 * u[:, place, 0]) / (1 + place), 10)
        buys = (u[:, place, 1] < keenness) & (amount >= 100 * RUPEE) & (amount <= 0.5 * cash)
        day = np.maximum(festival.day - 1 - pick(u[:, place, 2], 9), 1)
        month.journal.add(buys, Slot.FESTIVAL + place, category, amount, day=day, channel="upi")
        cash = cash - np.where(buys, amount, 0)
    return cash


def settle(month: Month, fortune: Fortune, cash: Ints) -> None:
    """Book the end of the month: investments, interest and the charge for a low balance."""
    people, journal = month.people, month.journal
    normal = (people.income * fortune.pay_scale).astype(np.int64)
    invests = (people.investment > 0) & (cash > normal // 2 + people.investment)
    journal.add(invests, Slot.INVESTMENT, "investment", people.investment, day=26, channel="direct_debit")
    cash = cash - np.where(invests, people.investment, 0)

    spare = rupees(0.4 * np.maximum(cash - 6 * normal, 0), 500)
    journal.add(spare > 0, Slot.SWEEP, "investment", spare, day=27, channel="transfer")
    cash = cash - spare

    last = month.calendar.days(month.number)
    if month.calendar.number(month.number) % 3 == 0:
        interest = rupees(0.0075 * np.maximum(cash, 0), 1)
        journal.add(interest > 0, Slot.INTEREST, "interest", interest, day=last, channel="other", credit=True)
        cash = cash + interest
    low = cash < 0.02 * normal
    charge = np.full(len(cash), 118 * RUPEE)
    journal.add(low, Slot.LOW_BALANCE, "fees", charge, day=last, channel="other")
    fortune.balance = cash - np.where(low, charge, 0)


def _channels(u: Floats, weights: tuple[tuple[str, float], ...]) -> Ints:
    edges = np.cumsum([weight for _, weight in weights])
    names = np.array([CHANNEL[name] for name, _ in weights])
    return names[np.minimum(np.searchsorted(edges, u, side="right"), len(names) - 1)]
