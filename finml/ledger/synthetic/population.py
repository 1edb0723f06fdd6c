"""Who banks there: the users of a block, what they earn and owe, and how they live."""

from dataclasses import dataclass

import numpy as np

from finml.ledger.contracts import EDUCATIONS, MARITAL_STATUSES, SEXES
from finml.ledger.synthetic.config import OCCUPATIONS, STATES, TEMPER_FROM_SPENDING
from finml.ledger.synthetic.draws import Bools, Draws, Floats, Ints, Purpose, pick

RUPEE = 100
"""Paise."""


@dataclass(frozen=True)
class Population:
    """Users of a block, one element a user. Money is in paise, money a month where it is regular.

    Sex, education and marital status play no part in what a user earns, spends or repays. Age moves income a
    little.

    Attributes:
        number: number of the user in the bank, from 0.
        age_days: age on the ledger's first day.
        customer_days: how long before the ledger's first day the user became a customer.
        sex, education, marital_status, state: positions in the contract's enums and in `STATES`.
        occupation: position in `OCCUPATIONS`.
        income: normal net income at the start.
        declared_income: what the user told the bank; 0 where nothing was told.
        salary_day: day of the month on which income comes.
        due_day: day of the month on which instalments fall due.
        rent, insurance, investment, other_emi: regular payments, 0 for none; `other_emi` goes to another
            lender.
        thirst: overspending, a standard normal number; more spends more of the income.
        temper: unreliability in payments, a standard normal number.
        opening_balance: balance of the main account on the first day.
        card_limit: limit of the credit card, 0 for none.
    """

    number: Ints
    age_days: Ints
    customer_days: Ints
    sex: Ints
    education: Ints
    marital_status: Ints
    state: Ints
    occupation: Ints
    income: Ints
    declared_income: Ints
    salary_day: Ints
    due_day: Ints
    rent: Ints
    insurance: Ints
    investment: Ints
    other_emi: Ints
    thirst: Floats
    temper: Floats
    opening_balance: Ints
    card_limit: Ints

    @property
    def has_card(self) -> Bools:
        """Whether the user has a credit card."""
        return self.card_limit > 0

    def __len__(self) -> int:
        return len(self.number)


def draw_population(draws: Draws, first: int) -> Population:
    """The users of a block; `first` is the number of the first of them."""
    u = draws.uniform(Purpose.POPULATION, 0, 24)
    z = draws.normal(Purpose.POPULATION, 0, 5)
    age = 21 + 42 * u[:, 0] ** 1.4
    occupation = choose(u[:, 1], (0.66, 0.2, 0.14))
    experience = np.clip((age - 21) / 20, 0, 1)
    income = 100 * RUPEE * np.rint(300 * np.exp(0.5 * z[:, 0] + 0.35 * experience) * _EARNINGS[occupation])

    thirst = z[:, 1]
    temper = TEMPER_FROM_SPENDING * thirst + np.sqrt(1 - TEMPER_FROM_SPENDING**2) * z[:, 2]
    months_saved = np.exp(-0.2 - 0.4 * thirst + 0.7 * z[:, 3])
    card = u[:, 13] < 0.45
    return Population(
        number=first + np.arange(len(u), dtype=np.int64),
        age_days=(age * 365.25).astype(np.int64),
        customer_days=(30 + 365 * 6 * u[:, 2]).astype(np.int64),
        sex=choose(
            u[:, 3], (0.47, 0.525, 0.005), values=[SEXES.index(s) for s in ("female", "male", "other")]
        ),
        education=choose(
            u[:, 4],
            (0.2, 0.45, 0.3, 0.05),
            values=[EDUCATIONS.index(e) for e in ("graduate_school", "university", "high_school", "other")],
        ),
        marital_status=np.where(
            u[:, 5] < np.clip((age - 21) / 14, 0.02, 0.85),
            MARITAL_STATUSES.index("married"),
            np.where(u[:, 6] < 0.93, MARITAL_STATUSES.index("single"), MARITAL_STATUSES.index("other")),
        ),
        state=choose(u[:, 7], tuple(STATES.values())),
        occupation=occupation,
        income=income.astype(np.int64),
        declared_income=np.where(u[:, 8] < 0.95, rupees(income * np.exp(0.08 * z[:, 4]), 1000), 0),
        salary_day=1 + (7 * u[:, 9] ** 1.5).astype(np.int64),
        due_day=4 + pick(u[:, 10], 8),
        rent=np.where(u[:, 11] < 0.5, rupees(income * (0.14 + 0.16 * u[:, 12]), 500), 0),
        insurance=np.where(u[:, 14] < 0.35, rupees(income * (0.01 + 0.03 * u[:, 15]), 10), 0),
        investment=np.where(u[:, 16] < 0.4 - 0.15 * thirst, rupees(income * (0.03 + 0.1 * u[:, 17]), 500), 0),
        other_emi=np.where(u[:, 18] < 0.25 + 0.08 * thirst, rupees(income * (0.05 + 0.25 * u[:, 19]), 10), 0),
        thirst=thirst,
        temper=temper,
        opening_balance=rupees(np.minimum(months_saved, 15.0) * income, 1),
        card_limit=np.where(
            card, np.maximum(rupees(income * (1.0 + 2.0 * u[:, 20]), 5000), 10_000 * RUPEE), 0
        ),
    )


_EARNINGS = np.array([{"salaried": 1.15, "self_employed": 1.0, "gig": 0.62}[name] for name in OCCUPATIONS])


def choose(u: Floats, weights: tuple[float, ...], values: list[int] | None = None) -> Ints:
    """Turn uniform numbers into positions (or `values`), each as often as its weight says."""
    edges = np.cumsum(weights)
    position = np.minimum(np.searchsorted(edges / edges[-1], u, side="right"), len(weights) - 1)
    return position.astype(np.int64) if values is None else np.array(values, dtype=np.int64)[position]


def rupees(amount: Floats, step: int) -> Ints:
    """Paise rounded to whole steps of `step` rupees."""
    unit = step * RUPEE
    return (np.rint(amount / unit) * unit).astype(np.int64)
