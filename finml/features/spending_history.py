"""What a user spent by category: the last six complete calendar months, and the month so far.

A value as of `t` sees the transactions that occurred at or before `t` and that the bank knew by then. Months
are those of UTC. It is one JSON text:

    {"months": ["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10"],
     "spent": {"groceries": [812.5, 640.0, 0.0, 701.25, 655.0, 720.1]},
     "month_to_date": {"groceries": 95.0}, "first_month": "2024-03"}

Amounts are in major units. A category in which nothing was spent is left out. `first_month` is the first
month during all of which the user was a customer and the ledger, as it was then known, had begun: nothing is
known of what was spent before. It is missing for somebody whom the bank does not know.
"""

from typing import TYPE_CHECKING

from finml.features.tables import KEYS, LedgerTables, days_before, major
from finml.features.texts import (
    json_entry,
    json_list,
    json_number,
    json_object,
    json_record,
    json_text,
)
from finml.features.user_financials import is_spending, movements

if TYPE_CHECKING:
    import ibis.expr.types as ir

MONTHS = 6
WINDOW_DAYS = 31 + 184
"""The month so far and six complete ones, at their longest."""


def spending_history(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """The view `spending_history`: one row a row of `spine`.

    Args:
        tables: the ledger.
        spine: `user_id` and `event_timestamp` (naive UTC), without duplicates.

    Returns:
        The keys and `spending`, a JSON text that is never missing.
    """
    spent = _spent(tables, spine)
    row = spine.select(*KEYS)
    for part in (spent, _first_months(tables, spine)):
        row = row.left_join(part, KEYS).drop("user_id_right", "event_timestamp_right")
    number = month_number(row.event_timestamp)
    spending = {
        "months": json_list([json_text(_month(number - ago)) for ago in range(MONTHS, 0, -1)]),
        "spent": json_object(row.spent),
        "month_to_date": json_object(row.month_to_date),
        "first_month": json_text(_month(row.first_month)),
    }
    return row.select(*KEYS, spending=json_record(spending))


def _spent(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """Entries of both objects, one row a user and moment with any spending."""
    import ibis

    moved = tables.movements if tables.movements is not None else movements(tables)
    bounds = spine.select(*KEYS, since=days_before(spine.event_timestamp, WINDOW_DAYS))
    seen = bounds.join(
        moved.filter(is_spending(moved.kind)),
        [
            bounds.user_id == moved.user_id,
            moved.occurred_at <= bounds.event_timestamp,
            moved.known_at <= bounds.event_timestamp,
            moved.occurred_at > bounds.since,
        ],
    )
    seen = seen.mutate(ago=month_number(seen.event_timestamp) - month_number(seen.occurred_at))
    seen = seen.filter(seen.ago <= MONTHS)
    sums = seen.group_by(*KEYS, "category").agg(
        **{f"month_{k}": (seen.ago == k).ifelse(seen.amount_minor, 0).sum() for k in range(MONTHS + 1)}
    )
    complete = [sums[f"month_{k}"] for k in range(MONTHS, 0, -1)]
    entries = sums.mutate(
        before=json_entry(sums.category, json_list([json_number(major(month)) for month in complete])),
        now=json_entry(sums.category, json_number(major(sums.month_0))),
        any_before=ibis.or_(*[month > 0 for month in complete]),
    )
    nothing = ibis.null("string")
    entries = entries.mutate(
        before=entries.any_before.ifelse(entries.before, nothing),
        now=(entries.month_0 > 0).ifelse(entries.now, nothing),
    )
    return entries.group_by(*KEYS).agg(
        spent=entries.before.group_concat(",", order_by=entries.category),
        month_to_date=entries.now.group_concat(",", order_by=entries.category),
    )


def _first_months(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    import ibis

    users = tables.users
    known = spine.join(users, [spine.user_id == users.user_id, users.known_at <= spine.event_timestamp])
    customers = known.select(*KEYS, since=first_whole_month(known.created_at))
    begun = _ledger_months(tables, spine)
    dated = customers.left_join(begun, customers.event_timestamp == begun.event_timestamp)
    ledger = dated.ledger_month.fill_null(dated.since)
    return dated.select(*KEYS, first_month=ibis.greatest(dated.since, ledger))


def _ledger_months(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """`ledger_month`, the ledger's first whole month as it was known at each moment of the spine."""
    import ibis

    moved = tables.transactions
    # a row a day: there are many transactions, and only the earliest day that is known counts
    days = moved.group_by(day=moved.occurred_at.truncate("D")).agg(
        known_at=ibis.greatest(moved.occurred_at, moved.known_at).min()
    )
    moments = spine.select("event_timestamp").distinct()
    seen = moments.join(days, days.known_at <= moments.event_timestamp)
    return seen.group_by("event_timestamp").agg(ledger_month=ledger_month(seen.day.min()))


def ledger_month(first: "ir.Value") -> "ir.Value":
    """Number of the first whole month of a ledger whose first transaction occurred at `first`.

    A ledger with a transaction on the first day of a month covers that month.
    """
    return first_whole_month(first.truncate("D"))


def first_whole_month(since: "ir.Value") -> "ir.Value":
    """Number of the first month that begins at or after a moment."""
    return month_number(since) + (since == since.truncate("M")).ifelse(0, 1)


def month_number(moment: "ir.Value") -> "ir.Value":
    """Months since the year 0, from 0 for a January."""
    return 12 * moment.year().cast("int64") + moment.month() - 1


def _month(number: "ir.Value") -> "ir.Value":
    return (number // 12).cast("string") + "-" + (number % 12 + 1).cast("string").lpad(2, "0")
