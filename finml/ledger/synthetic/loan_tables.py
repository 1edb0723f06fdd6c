"""Loans, payments and outcomes of a block as tables: what the bank knew when the ledger was taken."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finml.ledger.contracts import PAYMENT_STATUSES
from finml.ledger.synthetic.calendar import DAY, Calendar
from finml.ledger.synthetic.cards import Statements
from finml.ledger.synthetic.columns import Column, Table, amounts, constant, ids, moments, words
from finml.ledger.synthetic.config import CURRENCY, MAX_OPEN_LOANS, OUTCOME_DAYS, PRODUCTS
from finml.ledger.synthetic.draws import Draws, Floats, Ints, Purpose
from finml.ledger.synthetic.journal import arrival
from finml.ledger.synthetic.loanbook import DUE_TIME, NEVER, LoanBook
from finml.ledger.synthetic.population import Population
from finml.ledger.synthetic.tables import opened_at

KINDS = tuple(product.kind for product in PRODUCTS)


def instalment_loans_table(people: Population, calendar: Calendar, book: LoanBook) -> Table:
    """The instalment loans among the `loans` of a block."""
    loans = book.loans
    known = loans.granted < calendar.end
    user, product = loans.user[known], loans.product[known]
    collateral = loans.collateral[known]
    return pa.table(
        {
            "loan_id": _loan_ids("l", people, book, np.flatnonzero(known)),
            "user_id": ids("u", people.number[user]),
            "kind": words(KINDS, product),
            "applied_at": moments(loans.applied[known]),
            "principal_minor": loans.principal[known],
            "term_months": loans.term[known],
            "annual_rate": loans.rate[known],
            "installment_minor": loans.emi[known],
            "collateral_value_minor": amounts(collateral, missing=collateral == 0),
            "currency": constant(CURRENCY, len(user)),
            "known_at": moments(loans.granted[known]),
            "updated_at": moments(loans.granted[known]),
        }
    )


def credit_lines_table(people: Population, calendar: Calendar) -> Table:
    """The credit lines among the `loans` of a block: one for each credit card."""
    holders = np.flatnonzero(people.has_card)
    opened = moments(opened_at(people, calendar, holders, np.ones(len(holders), bool)))
    return pa.table(
        {
            "loan_id": ids("c", people.number[holders]),
            "user_id": ids("u", people.number[holders]),
            "kind": constant("credit_line", len(holders)),
            "applied_at": opened,
            "principal_minor": people.card_limit[holders],
            "currency": constant(CURRENCY, len(holders)),
            "known_at": opened,
            "updated_at": opened,
        }
    )


def instalments_table(people: Population, calendar: Calendar, draws: Draws, book: LoanBook) -> Table:
    """The `loan_payments` of the instalment loans of a block."""
    loans, due, paid_at = book.loans, book.due_at(), book.paid_at
    late = np.stack([draws.uniform(Purpose.BILLING, month, MAX_OPEN_LOANS) for month in range(len(calendar))])
    loan, number = np.nonzero(due < NEVER)
    month = loans.month[loan] + 1 + number
    due, paid_at = due[loan, number], paid_at[loan, number]
    billed = due - DUE_TIME
    known_at = billed + arrival(late[month, loans.user[loan], loans.slot[loan]])
    made = (book.paid_at[loan] < billed[:, None]).sum(axis=1)
    outstanding = _outstanding(loans.principal[loan], loans.rate[loan], loans.emi[loan], made)

    loan_id = _loan_ids("l", people, book, loan)
    paid = paid_at < calendar.end
    seen = known_at < calendar.end
    updated_at = np.where(paid, np.maximum(known_at, np.where(paid, paid_at, 0)), known_at)
    table = pa.table(
        {
            "payment_id": _numbered(loan_id, number),
            "loan_id": loan_id,
            "due_at": moments(due),
            "amount_due_minor": loans.emi[loan],
            "paid_at": moments(np.where(paid, paid_at, 0), missing=~paid),
            "amount_paid_minor": amounts(loans.emi[loan], missing=~paid),
            "statement_balance_minor": outstanding,
            "known_at": moments(known_at),
            "updated_at": moments(updated_at),
        }
    )
    return table.filter(pa.array(seen))


def statements_table(people: Population, calendar: Calendar, statements: list[Statements]) -> Table:
    """The `loan_payments` of the credit cards of a block: one row a monthly statement."""
    columns = {
        field.name: np.concatenate([getattr(month, field.name) for month in statements])
        for field in fields(Statements)
    }
    unpaid = columns["paid"] == 0
    loan_id = ids("c", people.number[columns["user"]])
    table = pa.table(
        {
            "payment_id": _numbered(loan_id, columns["month"]),
            "loan_id": loan_id,
            "due_at": moments(columns["closed"]),
            "amount_due_minor": np.maximum(columns["balance"], 0),
            "paid_at": moments(columns["paid_at"], missing=unpaid),
            "amount_paid_minor": amounts(columns["paid"], missing=unpaid),
            "statement_balance_minor": columns["balance"],
            "days_past_due": columns["days_past_due"],
            "status": words(PAYMENT_STATUSES, columns["status"]),
            "known_at": moments(columns["known"]),
            "updated_at": moments(columns["known"]),
        }
    )
    return table.filter(pa.array(columns["known"] < calendar.end))


def outcomes_table(people: Population, calendar: Calendar, book: LoanBook) -> Table:
    """The `loan_outcomes` of a block: of every loan, good or bad, once its outcome's days have passed."""
    known_at = book.loans.applied + OUTCOME_DAYS * DAY
    known = known_at < calendar.end
    loans = np.flatnonzero(known)
    return pa.table(
        {
            "outcome_id": _loan_ids("o", people, book, loans),
            "loan_id": _loan_ids("l", people, book, loans),
            "as_of": moments(book.loans.applied[known]),
            "defaulted": book.defaulted()[known],
            "known_at": moments(known_at[known]),
            "updated_at": moments(known_at[known]),
        }
    )


def _loan_ids(prefix: str, people: Population, book: LoanBook, loans: Ints) -> Column:
    """Identifiers of loans; a user asks for at most one a month."""
    return ids(prefix, people.number[book.loans.user[loans]] * 1000 + book.loans.month[loans], digits=11)


def _numbered(loan_id: Column, number: Ints) -> Column:
    return pc.binary_join_element_wise(loan_id, ids("", number, digits=3), "-")


def _outstanding(principal: Ints, rate: Floats, emi: Ints, made: Ints) -> Ints:
    """Principal that is left after `made` instalments, paise."""
    growth = (1 + rate / 12) ** made
    left = principal * growth - emi * (growth - 1) / (rate / 12)
    return np.maximum(np.rint(left), 0).astype(np.int64)
