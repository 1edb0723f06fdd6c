"""Users, accounts and transactions of a block as tables: what the bank knew when the ledger was taken."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from finml.ledger.contracts import CATEGORIES, CHANNELS, EDUCATIONS, MARITAL_STATUSES, SEXES
from finml.ledger.synthetic.calendar import DAY, Calendar
from finml.ledger.synthetic.catalog import MERCHANT_NAMES
from finml.ledger.synthetic.columns import Column, Table, amounts, constant, ids, moments, words
from finml.ledger.synthetic.config import CURRENCY, OCCUPATIONS, STATES
from finml.ledger.synthetic.draws import Bools, Ints
from finml.ledger.synthetic.population import Population

NUMBERS_A_USER = 100_000
"""More than a user's transactions can be numbered."""


def users_table(people: Population, calendar: Calendar) -> Table:
    """The `users` of a block."""
    first_day = int(calendar.starts[0])
    created = first_day - people.customer_days * DAY
    return pa.table(
        {
            "user_id": ids("u", people.number),
            "created_at": moments(created),
            "birth_date": moments(first_day - people.age_days * DAY),
            "sex": words(SEXES, people.sex),
            "education": words(EDUCATIONS, people.education),
            "marital_status": words(MARITAL_STATUSES, people.marital_status),
            "region": words(tuple(STATES), people.state),
            "monthly_income_minor": amounts(people.declared_income, missing=people.declared_income == 0),
            "currency": constant(CURRENCY, len(people)),
            "known_at": moments(created),
            "updated_at": moments(created),
        }
    )


def accounts_table(people: Population, calendar: Calendar) -> Table:
    """The `accounts` of a block: a main account for everyone and the credit cards."""
    holders = np.flatnonzero(people.has_card)
    user = np.concatenate([np.arange(len(people)), holders])
    on_card = np.arange(len(user)) >= len(people)
    opened = opened_at(people, calendar, user, on_card)
    kinds = ("savings", "current", "credit_card")
    kind = np.where(on_card, 2, people.occupation[user] == OCCUPATIONS.index("self_employed"))
    return pa.table(
        {
            "account_id": account_ids(people, user, on_card),
            "user_id": ids("u", people.number[user]),
            "kind": words(kinds, kind),
            "opened_at": moments(opened),
            "credit_limit_minor": amounts(people.card_limit[user], missing=~on_card),
            "currency": constant(CURRENCY, len(user)),
            "known_at": moments(opened),
            "updated_at": moments(opened),
        }
    )


def transactions_table(people: Population, calendar: Calendar, booked: Mapping[str, Ints]) -> Table:
    """The `transactions` of a block, by account and time, each with the balance after it.

    Args:
        people: the users.
        calendar: the months.
        booked: what `Journal.arrays` returned.
    """
    account = booked["user"] * 2 + booked["on_card"]
    order = np.lexsort((booked["time"], account))
    account = account[order]
    rows = {field: values[order] for field, values in booked.items()}

    running = np.cumsum(np.where(rows["credit"], rows["amount"], -rows["amount"]))
    first = np.searchsorted(account, account, side="left")
    carried = np.where(first > 0, running[first - 1], 0)
    opening = np.where(rows["on_card"], 0, people.opening_balance[rows["user"]])
    rows["balance"] = opening + running - carried

    known = rows["known"] < calendar.end
    rows = {field: values[known] for field, values in rows.items()}
    return pa.table(
        {
            "transaction_id": transaction_ids(people, rows["user"], rows["number"]),
            "account_id": account_ids(people, rows["user"], rows["on_card"].astype(bool)),
            "occurred_at": moments(rows["time"]),
            "direction": words(("debit", "credit"), rows["credit"].astype(np.int64)),
            "amount_minor": rows["amount"],
            "category": words(CATEGORIES, rows["category"]),
            "merchant": words(MERCHANT_NAMES, rows["merchant"]),
            "channel": words(CHANNELS, rows["channel"]),
            "balance_after_minor": rows["balance"],
            "known_at": moments(rows["known"]),
            "updated_at": moments(rows["known"]),
        }
    )


def transaction_ids(people: Population, user: Ints, number: Ints) -> Column:
    """Identifiers of transactions, from their users and numbers."""
    return ids("t", people.number[user] * NUMBERS_A_USER + number, digits=13)


def account_ids(people: Population, user: Ints, on_card: Bools) -> Column:
    """Account of each user of a list: the credit card's or the main one."""
    names = pa.concat_arrays([ids("a", people.number), ids("k", people.number)])
    return names.take(pa.array(user + on_card * len(people)))


def opened_at(people: Population, calendar: Calendar, user: Ints, on_card: Bools) -> Ints:
    """When accounts were opened: the main one at once, the card halfway to the ledger's first day."""
    customer_days = people.customer_days[user]
    opened: Ints = calendar.starts[0] - np.where(on_card, customer_days // 2, customer_days) * DAY
    return opened
