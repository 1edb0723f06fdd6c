"""The loans of a block: who asked for which, what falls due, what is paid and when."""

from dataclasses import dataclass, fields

import numpy as np

from finml.ledger.synthetic.calendar import DAY, HOUR, Calendar
from finml.ledger.synthetic.config import DEFAULT_DAYS, MAX_OPEN_LOANS, OUTCOME_DAYS, WRITE_OFF_ARREARS
from finml.ledger.synthetic.draws import Bools, Floats, Ints

NEVER = np.iinfo(np.int64).max
DUE_TIME = 18 * HOUR


@dataclass
class Loans:
    """Instalment loans, one element a loan. Money in paise, times in microseconds.

    Attributes:
        user: position of the borrower in the block.
        slot: 0 to 3, different for the open loans of one borrower.
        month: month of the application.
        product: position in `PRODUCTS`.
        applied: moment of the application.
        granted: moment at which the bank's systems have the loan.
        principal: sum lent.
        term: instalments.
        rate: annual rate.
        emi: instalment.
        collateral: value of the collateral, 0 for none.
        billed: instalments that have fallen due so far.
        paid: instalments paid so far, the oldest first.
        is_open: whether anything is left to pay and not written off.
        deserted: whether the borrower will never pay it again.
    """

    user: Ints
    slot: Ints
    month: Ints
    product: Ints
    applied: Ints
    granted: Ints
    principal: Ints
    term: Ints
    rate: Floats
    emi: Ints
    collateral: Ints
    billed: Ints
    paid: Ints
    is_open: Bools
    deserted: Bools


_TYPES: dict[str, type] = {"rate": np.float64, "is_open": np.bool_, "deserted": np.bool_}


class LoanBook:
    """Instalment loans of a block and the moment at which each instalment was paid.

    Args:
        users: users of the block.
        months: months of the ledger.
        due_day: by user, day of the month on which instalments fall due.
        calendar: the months.
    """

    def __init__(self, users: int, due_day: Ints, calendar: Calendar) -> None:
        self._users = users
        self._due_day = due_day
        self._calendar = calendar
        self.loans = Loans(*(np.zeros(0, _TYPES.get(field.name, np.int64)) for field in fields(Loans)))
        self.paid_at: Ints = np.zeros((0, len(calendar)), np.int64)
        """When the k-th instalment of each loan was paid, `NEVER` if it was not."""

    def emi_total(self) -> Ints:
        """Instalments of all open loans, by user."""
        open_loans = self.loans.is_open
        return self._by_user(self.loans.emi[open_loans], self.loans.user[open_loans])

    def arrears(self) -> Ints:
        """Instalments that are due and unpaid, by loan."""
        return self.loans.billed - self.loans.paid

    def free_slot(self) -> Ints:
        """The lowest slot that no open loan has, by user; `MAX_OPEN_LOANS` if there is none."""
        used = np.zeros((self._users, MAX_OPEN_LOANS), bool)
        used[self.loans.user[self.loans.is_open], self.loans.slot[self.loans.is_open]] = True
        return np.where(used.all(axis=1), MAX_OPEN_LOANS, used.argmin(axis=1))

    def bill(self, month: int) -> None:
        """Let the month's instalments fall due; a loan's first does in the month after the application."""
        loans = self.loans
        loans.billed += loans.is_open & (loans.month < month) & (loans.billed < loans.term)

    def in_slot(self, slot: int) -> Ints:
        """Positions of the loans in a slot that have an instalment to pay; at most one a user."""
        return np.flatnonzero(self.loans.is_open & (self.loans.slot == slot) & (self.arrears() > 0))

    def pay(self, positions: Ints, count: Ints, moment: Ints) -> None:
        """Pay the oldest `count` unpaid instalments of some loans."""
        number = np.arange(self.paid_at.shape[1])
        first = self.loans.paid[positions, None]
        now = (number >= first) & (number < first + count[:, None])
        self.paid_at[positions] = np.where(now, moment[:, None], self.paid_at[positions])
        self.loans.paid[positions] += count

    def close(self) -> None:
        """Close what is paid off, and write off what is too far behind."""
        loans = self.loans
        loans.is_open &= (loans.paid < loans.term) & (self.arrears() < WRITE_OFF_ARREARS)

    def grant(self, new: Loans) -> None:
        """Add loans to the book."""
        for field in fields(Loans):
            joined = np.concatenate([getattr(self.loans, field.name), getattr(new, field.name)])
            setattr(self.loans, field.name, joined)
        never = np.full((len(new.user), self.paid_at.shape[1]), NEVER)
        self.paid_at = np.concatenate([self.paid_at, never])

    def due_at(self) -> Ints:
        """When the k-th instalment of each loan falls due, `NEVER` if it did not; shape of `paid_at`."""
        number = np.arange(self.paid_at.shape[1])
        month = np.minimum(self.loans.month[:, None] + 1 + number, len(self._calendar) - 1)
        due = self._calendar.starts[month] + (self._due_day[self.loans.user, None] - 1) * DAY + DUE_TIME
        return np.where(number < self.loans.billed[:, None], due, NEVER)

    def defaulted(self) -> Bools:
        """By loan, whether an instalment stayed unpaid for `DEFAULT_DAYS` within the outcome's days."""
        deadline = self.due_at()
        billed = deadline < NEVER
        deadline = np.where(billed, deadline, 0) + DEFAULT_DAYS * DAY
        inside = billed & (deadline <= (self.loans.applied + OUTCOME_DAYS * DAY)[:, None])
        return np.asarray((inside & (self.paid_at > deadline)).any(axis=1), dtype=np.bool_)

    def _by_user(self, values: Ints, users: Ints) -> Ints:
        total = np.zeros(self._users, np.int64)
        np.add.at(total, users, values)
        return total
