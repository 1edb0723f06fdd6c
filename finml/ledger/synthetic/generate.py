"""The generator: block after block of users, simulated month by month and written."""

from collections.abc import Callable
from datetime import date

import numpy as np
import structlog

from finml.errors import UsageError
from finml.ledger.contracts import TABLES
from finml.ledger.synthetic.anomalies import go_astray
from finml.ledger.synthetic.calendar import Calendar
from finml.ledger.synthetic.cards import Cards
from finml.ledger.synthetic.cashflow import (
    Fortune,
    Month,
    celebrate,
    earn,
    fall_ill,
    free_spending,
    pay_regulars,
    settle,
    spend,
    strike,
)
from finml.ledger.synthetic.columns import Table
from finml.ledger.synthetic.config import BLOCK_USERS, CARD_SHARE
from finml.ledger.synthetic.draws import Draws
from finml.ledger.synthetic.journal import Journal
from finml.ledger.synthetic.lending import lend, repay
from finml.ledger.synthetic.loan_tables import (
    credit_lines_table,
    instalment_loans_table,
    instalments_table,
    outcomes_table,
    statements_table,
)
from finml.ledger.synthetic.loanbook import LoanBook
from finml.ledger.synthetic.messages import messages_table
from finml.ledger.synthetic.population import draw_population
from finml.ledger.synthetic.reviews import transaction_labels_table
from finml.ledger.synthetic.tables import accounts_table, transactions_table, users_table
from finml.ledger.writer import LedgerWriter

log = structlog.get_logger(__name__)

MAX_USERS = 10_000_000
MAX_SEED = 2**63 - 1


def generate(
    writer: LedgerWriter,
    *,
    users: int,
    months: int,
    seed: int,
    end: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write the ledger of a synthetic Indian bank.

    The same arguments give the same ledger. User k is the same for any number of users, and a ledger of more
    months that begins on the same day continues a shorter one: it holds the same rows, with what became
    known since. Memory depends on the months, not on the users.

    Args:
        writer: takes the tables.
        users: number of users.
        months: calendar months of history.
        seed: seed of every random choice.
        end: last day of the ledger; without it the ledger begins on 1 January 2023 (see `Calendar.covering`).
        progress: called after each block with the users done and the users in all.

    Returns:
        Rows written, by table.

    Raises:
        UsageError: a number is out of range.
    """
    if not 1 <= users <= MAX_USERS:
        raise UsageError(
            f"a bank of {users} users cannot be generated", hint=f"ask for 1 to {MAX_USERS:,} users"
        )
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"{seed} cannot be a seed", hint=f"give a whole number from 0 to {MAX_SEED}")
    calendar = Calendar.covering(months, end)
    rows = dict.fromkeys(TABLES, 0)
    for first in range(0, users, BLOCK_USERS):
        size = min(BLOCK_USERS, users - first)
        for table, part in simulate(Draws(seed, first // BLOCK_USERS, size), first, calendar):
            writer.write(table, part)
            rows[table] += part.num_rows
        if progress is not None:
            progress(first + size, users)
    log.info("synthetic_bank_generated", users=users, months=months, seed=seed, rows=sum(rows.values()))
    return rows


def simulate(draws: Draws, first: int, calendar: Calendar) -> list[tuple[str, Table]]:
    """Simulate one block of users and return its tables, parents first.

    Args:
        draws: the block's random numbers.
        first: number of the block's first user.
        calendar: the months.
    """
    people = draw_population(draws, first)
    journal = Journal(draws, calendar)
    book = LoanBook(len(people), people.due_day, calendar)
    cards = Cards(people)
    fortune = Fortune(
        balance=people.opening_balance,
        pay_scale=np.ones(len(people)),
        shock_left=np.zeros(len(people), np.int64),
        loss=np.zeros(len(people)),
    )
    for number in range(len(calendar)):
        month = Month(number, calendar, draws, people, journal)
        journal.open_month(number)
        strike(month, fortune)
        cash = fortune.balance + earn(month, fortune)
        cash = fall_ill(month, fortune, cash)
        cash = pay_regulars(month, fortune, cash)
        cash = repay(month, fortune, book, cash)
        wanted = free_spending(month, fortune, book.emi_total())
        by_card = np.where(people.has_card, CARD_SHARE * wanted, 0)
        cash = cards.run(month, fortune, by_card, cash)
        cash = spend(month, wanted - by_card, cash)
        cash = celebrate(month, wanted, cash)
        cash = go_astray(month, fortune, wanted - by_card, cash)
        cash = lend(month, fortune, book, cash)
        settle(month, fortune, cash)
    booked = journal.arrays()
    return [
        ("users", users_table(people, calendar)),
        ("accounts", accounts_table(people, calendar)),
        ("transactions", transactions_table(people, calendar, booked)),
        ("loans", instalment_loans_table(people, calendar, book)),
        ("loans", credit_lines_table(people, calendar)),
        ("loan_payments", instalments_table(people, calendar, draws, book)),
        ("loan_payments", statements_table(people, calendar, cards.statements)),
        ("loan_outcomes", outcomes_table(people, calendar, book)),
        ("transaction_labels", transaction_labels_table(people, calendar, journal.reviewed(booked))),
        ("messages", messages_table(people, calendar, draws)),
    ]
