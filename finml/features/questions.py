"""Moments at which something is asked of a user's past: each gets features of its own moment.

A loan is asked about once it has an outcome. Of transactions a sample is, because asking about each would
take a row of features a transaction.
"""

from typing import TYPE_CHECKING

from finml.features.tables import LedgerTables

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_TRANSACTIONS = 20_000
ANOMALOUS_SHARE = 0.2
"""Most of a sample that may be labelled anomalies, so that what is usual remains the larger part."""
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
    is_anomaly = asked.anomalous.fill_null(False)
    lowest = ibis.row_number().over(
        group_by=is_anomaly, order_by=[asked.transaction_id.hexdigest("md5"), asked.transaction_id]
    )
    there = asked.count().over(group_by=is_anomaly)
    ranked = asked.mutate(is_anomaly=is_anomaly, lowest=lowest, there=there)
    anomalies = ibis.least(is_anomaly.cast("int64").sum(), round(ANOMALOUS_SHARE * most)).over()
    ranked = ranked.mutate(taken=ranked.is_anomaly.ifelse(anomalies, most - anomalies))
    chosen = ranked.filter(ranked.lowest < ranked.taken)
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
