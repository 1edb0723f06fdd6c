"""Moments at which something is asked of a user's past: each gets features of its own moment.

A loan is asked about once it has an outcome. Of transactions a sample is, because asking about each would
take a row of features a transaction. Of users a sample is asked what they will spend, at the beginning of
each of the last months.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from finml.features.spending_history import first_whole_month, ledger_month, month_number
from finml.features.tables import LedgerTables
from finml.features.user_financials import is_spending, movements

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_TRANSACTIONS = 20_000
ANOMALOUS_SHARE = 0.2
"""Most of a sample that may be labelled anomalies, so that what is usual remains the larger part."""
MOST_USERS = 300
"""Users who are asked what they will spend, and whose own spending is learned from."""
MONTHS_ASKED = 3
"""Last complete months at whose beginning they are asked."""
FIRST_DAYS = 60
"""Days since a user's first transaction before which there is little to compare another one with."""


def loan_questions(tables: LedgerTables) -> "ir.Table":
    """User and moment (`event_timestamp`, naive UTC) of every loan outcome."""
    outcomes, loans = tables.loan_outcomes, tables.loans
    asked = outcomes.join(loans.select("loan_id", "user_id"), "loan_id")
    return asked.select("user_id", event_timestamp=asked.as_of)


def transaction_questions(tables: LedgerTables, most: int = MOST_TRANSACTIONS) -> "ir.Table":
    """A sample of the debits: of labelled anomalies and of all others those whose identifiers hash lowest.

    Anomalies are few, so more of them are taken than their share; `weight` says how many debits of the ledger
    a row stands for, and a figure that counts each row so often is one about the ledger. The same ledger
    gives the same sample in any order of rows. A moment is the last whole second at which the transaction
    itself had not happened yet, so that it is no part of the history that it is judged by.

    Args:
        tables: the ledger.
        most: how many at most; at most `ANOMALOUS_SHARE` of them are anomalies.

    Returns:
        `user_id`, `event_timestamp` (naive UTC), the transaction's columns, `anomalous` and `kind` as
        labelled, both missing where nobody reviewed it, and `weight`.
    """
    import ibis

    paid = tables.transactions.join(tables.accounts.select("account_id", "user_id"), "account_id")
    first = paid.group_by("user_id").agg(first_at=paid.occurred_at.min())
    asked = paid.join(first, "user_id")
    asked = asked.filter(
        (asked.direction == "debit") & (asked.occurred_at >= asked.first_at + ibis.interval(days=FIRST_DAYS))
    )
    labels = tables.transaction_labels.select("transaction_id", "anomalous", "kind")
    asked = asked.left_join(labels, "transaction_id")
    asked = asked.mutate(is_anomaly=asked.anomalous.fill_null(False))
    there = asked.group_by("is_anomaly").agg(there=asked.count())
    # How many of the others there is room for depends on how few the anomalies are: a few too many at first.
    lowest = _lowest(asked.filter(asked.is_anomaly), round(ANOMALOUS_SHARE * most)).union(
        _lowest(asked.filter(~asked.is_anomaly), most)
    )
    anomalies = lowest.is_anomaly.cast("int64").sum().over()
    place = ibis.row_number().over(group_by="is_anomaly", order_by=["digest", "transaction_id"])
    ranked = lowest.mutate(place=place, taken=lowest.is_anomaly.ifelse(anomalies, most - anomalies))
    chosen = ranked.filter(ranked.place < ranked.taken).join(there, "is_anomaly")
    weight = chosen.there.cast("float64") / ibis.least(chosen.there, chosen.taken)
    before = chosen.occurred_at - ibis.interval(microseconds=1)
    return chosen.select(
        "user_id",
        "transaction_id",
        "occurred_at",
        "amount_minor",
        "category",
        "merchant",
        "channel",
        "anomalous",
        "kind",
        weight=weight,
        event_timestamp=before.truncate("s"),
    )


def _lowest(rows: "ir.Table", most: int) -> "ir.Table":
    """The rows whose `transaction_id` hashes lowest, with the hash as `digest`."""
    hashed = rows.mutate(digest=rows.transaction_id.hexdigest("md5"))
    return hashed.order_by("digest", "transaction_id").limit(most)


def spending_questions(tables: LedgerTables, now: datetime) -> "ir.Table":
    """A sample of users at the beginning of each of the last complete months: what will they spend in it?

    Args:
        tables: the ledger.
        now: the ledger's present, naive UTC.

    Returns:
        `user_id` and `event_timestamp` (naive UTC).
    """
    import ibis

    users = sampled_users(own_spending(whole_months(tables, now)))
    number = 12 * now.year + now.month - 1
    begins = [datetime(month // 12, month % 12 + 1, 1) for month in range(number - MONTHS_ASKED, number)]
    return ibis.union(
        *[users.select("user_id", event_timestamp=ibis.literal(begin, "timestamp(6)")) for begin in begins]
    )


def whole_months(tables: LedgerTables, now: datetime) -> "ir.Table":
    """Movements that are spending, in months that the ledger covers from first to last day.

    Returns:
        The columns of `movements`, `month` (counted) and `customer_month`, the user's first whole one.
    """
    import ibis

    moved = movements(tables)
    begun = ledger_month(tables.transactions.occurred_at.min())
    spent = moved.filter(
        is_spending(moved.kind)
        & (month_number(moved.occurred_at) < month_number(ibis.literal(now)))
        & (month_number(moved.occurred_at) >= begun.as_scalar())
    )
    since = tables.users.select("user_id", customer_month=first_whole_month(tables.users.created_at))
    return spent.join(since, "user_id").mutate(month=month_number(spent.occurred_at))


def own_spending(spent: "ir.Table") -> "ir.Table":
    """Those of `whole_months` that lie in months during all of which the user was a customer."""
    return spent.filter(spent.month >= spent.customer_month)


def sampled_users(own: "ir.Table") -> "ir.Table":
    """`user_id` of those users in a table whose identifiers hash lowest, `MOST_USERS` of them."""
    sample = own.select("user_id").distinct()
    return sample.order_by(sample.user_id.hexdigest("md5"), sample.user_id).limit(MOST_USERS)
