"""What the synthetic bank is made of: sizes, rates and the coefficients of its default mechanism.

`docs/synthetic-bank.md` explains each figure. A change here changes every generated ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CURRENCY = "INR"
BLOCK_USERS = 1000
"""Users drawn and simulated at once. Part of what a seed means: another size gives another bank."""

CARD_SHARE = 0.25
"""Share of a card holder's free spending that goes through the card."""

LATE_SHARE = 0.005
"""Share of the rows that reach the bank's systems days after the event."""
LATE_DAYS = 10
PROMPT_SECONDS = 120

MAX_OPEN_LOANS = 4
WRITE_OFF_ARREARS = 5
"""Unpaid instalments at which a loan is written off and billed no more."""

DEFAULT_DAYS = 60
OUTCOME_DAYS = 183
"""A loan is in default when an instalment is `DEFAULT_DAYS` late within `OUTCOME_DAYS` of the application."""

OCCUPATIONS = ("salaried", "self_employed", "gig")


@dataclass(frozen=True)
class LoanProduct:
    """A kind of loan on offer.

    Attributes:
        kind: the ledger's word for it.
        weights: how often it is asked for, by occupation.
        multiple: least and greatest principal, in monthly incomes.
        terms: terms on offer, months.
        rates: least and greatest annual rate.
        loan_to_value: least and greatest share of the collateral that is lent; empty without collateral.
        paid_out: whether the money comes to the borrower's account, or else goes to the seller.
    """

    kind: str
    weights: tuple[float, float, float]
    multiple: tuple[float, float]
    terms: tuple[int, ...]
    rates: tuple[float, float]
    loan_to_value: tuple[float, float] | None = None
    paid_out: bool = False


PRODUCTS = (
    LoanProduct("consumer", (0.42, 0.28, 0.55), (0.4, 2.0), (6, 9, 12), (0.14, 0.26)),
    LoanProduct(
        "personal", (0.33, 0.22, 0.30), (1.0, 7.0), (12, 18, 24, 36, 48), (0.11, 0.24), paid_out=True
    ),
    LoanProduct("auto", (0.12, 0.10, 0.08), (5.0, 14.0), (36, 48, 60), (0.085, 0.125), (0.65, 0.95)),
    LoanProduct("home", (0.05, 0.03, 0.01), (25.0, 50.0), (120, 180, 240), (0.08, 0.1), (0.5, 0.9)),
    LoanProduct("education", (0.06, 0.04, 0.05), (4.0, 14.0), (36, 48, 60), (0.09, 0.135)),
    LoanProduct("business", (0.02, 0.33, 0.01), (2.0, 10.0), (12, 24, 36), (0.12, 0.22), paid_out=True),
)

APPLICATION_RATE = 0.08
"""Applications a user and month, before the effects of season, need and temperament."""
MAX_BURDEN = 0.65
"""Share of income above which the bank does not lend: all instalments with the new one, over income."""


@dataclass(frozen=True)
class Mechanism:
    """Why a payment is missed although the money is there: coefficients of a logistic score.

    The chance is sigmoid(base + burden·B + shock·S + thin·T + arrears·A + temper·D): B is the share of
    normal income that all instalments take, S the share of normal income lost this month, T = exp(-balance /
    income), A whether an earlier payment is still open, and D the user's temperament, of which spending and
    past delays tell a part.
    """

    base: float
    burden: float
    shock: float
    thin: float
    arrears: float
    temper: float


MECHANISM = Mechanism(base=-6.4, burden=5.0, shock=3.0, thin=2.2, arrears=2.8, temper=1.1)
"""Of an instalment. One is missed in any case when the money is not there."""
DESERTION_RATE = 0.002
"""Chance a month that a borrower never pays a loan again, for no reason that shows anywhere."""
CARD_MECHANISM = Mechanism(base=-4.6, burden=0.0, shock=2.0, thin=1.5, arrears=1.5, temper=1.1)
"""Of a credit card's statement."""

TEMPER_FROM_SPENDING = 0.6
"""Correlation of temperament with overspending; the rest of temperament shows in nothing but delays."""

MESSAGE_RATE = 0.0625
"""Chance a month that a user's message to the app is in the ledger: 1.5 a user in two years."""

MONTHS_OF_HABIT = 2
"""Months after which a user has habits that something can depart from."""
SPIKE_RATE, SPIKE_TIMES = 0.014, (10.0, 40.0)
"""Chance a user and month of a purchase of so many times the usual in its category, if the money is there."""
NEW_LARGE_RATE, NEW_LARGE_INCOMES = 0.028, (0.2, 0.8)
"""Of a purchase of so many monthly incomes, in a category that the user has never used."""
BURST_RATE, BURST_COUNT = 0.0022, (4, 8)
"""Of so many purchases within an hour."""
DUPLICATE_RATE = 0.012
"""Of a purchase charged twice within minutes."""
REGULAR_OFF_RATE = 0.014
"""Of a regular payment of a wrong amount or far off its day."""
HONEST_LARGE_RATE, HONEST_LARGE_TIMES = 0.016, (3.0, 14.0)
"""Of a purchase that is large and meant: a fridge, a treatment, a wedding, a journey."""
REVIEWED_SHARE, HONEST_REVIEWED_SHARE = 0.01, 0.3
"""Share of the usual transactions that are reviewed, and of the large ones that were meant."""
REVIEW_DAYS = (1, 9)

SHOCK_RATE: Mapping[str, float] = MappingProxyType({"salaried": 0.012, "self_employed": 0.022, "gig": 0.035})
"""Chance a month that income breaks off or shrinks."""
SHOCK_MONTHS = (2, 6)
ILLNESS_RATE = 0.006
"""Chance a month of a medical bill of one to three monthly incomes."""

STATES: Mapping[str, float] = MappingProxyType(
    {
        "Maharashtra": 0.15,
        "Karnataka": 0.12,
        "Tamil Nadu": 0.11,
        "Uttar Pradesh": 0.12,
        "Delhi": 0.09,
        "West Bengal": 0.08,
        "Gujarat": 0.08,
        "Telangana": 0.08,
        "Kerala": 0.07,
        "Rajasthan": 0.05,
        "Punjab": 0.05,
    }
)
