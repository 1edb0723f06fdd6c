"""How a user usually pays: how much, when, for what, to whom, and what was paid lately.

A value as of `t` sees the debits that occurred at or before `t` and that the bank knew by then, in
`(t - 180 d, t]`. It is one JSON text, because merchants and categories differ from user to user:

    {"n": 3, "days": 41.5, "amount": [6.2, 0.4], "hours": [24 counts], "weekdays": [7 counts],
     "categories": {"rent": [1, 9.9, 0.0]},
     "merchants": {"City Gas": [2, 1719705600, 6.2, 0.1, 30.0, 0.0]},
     "recent": [[1719705600, 52000, "utilities", "City Gas"]]}

`days` reach back to the first debit seen. Amounts are natural logarithms of major units, given as median and
median absolute deviation (not scaled), rounded to six digits. Hours and weekdays (Monday first) are those of
UTC. A merchant has its count, its last time (seconds since 1970), its amounts, and median and deviation of
the days from one payment to the next, missing for a single one; the hundred most frequent are told, of equal
counts the latest. `recent` holds the debits of seven days in minor units, newest first, fifty at most.
"""

from typing import TYPE_CHECKING

from finml.features.tables import KEYS, amount, days_before, days_between, seconds
from finml.features.texts import (
    deviation,
    json_entry,
    json_list,
    json_number,
    json_object,
    json_record,
    json_text,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

WINDOW_DAYS, RECENT_DAYS = 180, 7
MOST_MERCHANTS, MOST_RECENT = 100, 50
HOURS, WEEKDAYS = 24, 7


def transaction_habits(movements: "ir.Table", spine: "ir.Table") -> "ir.Table":
    """The view `transaction_habits`: one row a row of `spine`.

    Args:
        movements: transactions: `user_id`, `occurred_at`, `known_at` (naive UTC), `amount_minor`,
            `direction`, `category` and `merchant`; the last two may be missing. More columns are ignored.
        spine: `user_id` and `event_timestamp` (naive UTC), without duplicates.

    Returns:
        The keys and `habits`, a JSON text that is never missing.
    """
    seen = _seen(movements, spine)
    row = spine.select(*KEYS)
    for part in (_overall(seen), _categories(seen), _merchants(seen), _recent(seen)):
        row = row.left_join(part, KEYS).drop("user_id_right", "event_timestamp_right")
    days = days_between(row.first_at, row.event_timestamp)
    habits = {
        "n": json_number(row.n.fill_null(0)),
        "days": json_number(days),
        "amount": json_list([json_number(row["median"]), json_number(row.deviation)]),
        "hours": _counts(row, "hour", HOURS),
        "weekdays": _counts(row, "weekday", WEEKDAYS),
        "categories": json_object(row.categories),
        "merchants": json_object(row.merchants),
        "recent": "[" + row.recent.fill_null("") + "]",
    }
    return row.select(*KEYS, habits=json_record(habits))


def _seen(movements: "ir.Table", spine: "ir.Table") -> "ir.Table":
    """The debits that each row of the spine may see."""
    bounds = spine.select(
        *KEYS,
        since=days_before(spine.event_timestamp, WINDOW_DAYS),
        lately=days_before(spine.event_timestamp, RECENT_DAYS),
    )
    debits = movements.filter((movements.direction == "debit") & (movements.amount_minor > 0))
    seen = bounds.join(
        debits,
        [
            bounds.user_id == debits.user_id,
            debits.occurred_at <= bounds.event_timestamp,
            debits.known_at <= bounds.event_timestamp,
            debits.occurred_at > bounds.since,
        ],
    )
    return seen.select(
        *KEYS,
        "occurred_at",
        "amount_minor",
        "category",
        "merchant",
        size=amount(seen.amount_minor).ln(),
        is_recent=seen.occurred_at > seen.lately,
    )


def _overall(seen: "ir.Table") -> "ir.Table":
    hour, weekday = seen.occurred_at.hour(), seen.occurred_at.day_of_week.index()
    return seen.group_by(*KEYS).agg(
        n=seen.count(),
        first_at=seen.occurred_at.min(),
        median=seen["size"].median(),
        deviation=deviation(seen["size"]),
        **{f"hour_{k}": (hour == k).ifelse(1, 0).sum() for k in range(HOURS)},
        **{f"weekday_{k}": (weekday == k).ifelse(1, 0).sum() for k in range(WEEKDAYS)},
    )


def _categories(seen: "ir.Table") -> "ir.Table":
    named = seen.filter(seen.category.notnull())
    by_category = named.group_by(*KEYS, "category").agg(
        n=named.count(), median=named["size"].median(), deviation=deviation(named["size"])
    )
    told = json_list([json_number(by_category[name]) for name in ("n", "median", "deviation")])
    entry = by_category.mutate(entry=json_entry(by_category.category, told))
    return entry.group_by(*KEYS).agg(categories=entry.entry.group_concat(",", order_by=entry.category))


def _merchants(seen: "ir.Table") -> "ir.Table":
    import ibis

    named = seen.filter(seen.merchant.notnull())
    before = named.occurred_at.lag().over(group_by=[*KEYS, "merchant"], order_by="occurred_at")
    named = named.mutate(gap=days_between(before, named.occurred_at))
    by_merchant = named.group_by(*KEYS, "merchant").agg(
        n=named.count(),
        last_at=named.occurred_at.max(),
        median=named["size"].median(),
        deviation=deviation(named["size"]),
        gap_median=named.gap.median(),
        gap_deviation=deviation(named.gap),
    )
    rank = ibis.row_number().over(
        group_by=KEYS, order_by=[by_merchant.n.desc(), by_merchant.last_at.desc(), by_merchant.merchant]
    )
    most = by_merchant.mutate(rank=rank)
    most = most.filter(most["rank"] < MOST_MERCHANTS)
    told = [
        most.n,
        seconds(most.last_at),
        most["median"],
        most.deviation,
        most.gap_median,
        most.gap_deviation,
    ]
    entry = most.mutate(entry=json_entry(most.merchant, json_list([json_number(value) for value in told])))
    return entry.group_by(*KEYS).agg(merchants=entry.entry.group_concat(",", order_by=entry["rank"]))


def _recent(seen: "ir.Table") -> "ir.Table":
    import ibis

    recent = seen.filter(seen.is_recent)
    rank = ibis.row_number().over(
        group_by=KEYS,
        order_by=[
            recent.occurred_at.desc(),
            recent.amount_minor.desc(),
            recent.category.fill_null(""),
            recent.merchant.fill_null(""),
        ],
    )
    newest = recent.mutate(rank=rank)
    newest = newest.filter(newest["rank"] < MOST_RECENT)
    told = [
        json_number(seconds(newest.occurred_at)),
        json_number(newest.amount_minor),
        json_text(newest.category),
        json_text(newest.merchant),
    ]
    entry = newest.mutate(entry=json_list(told))
    return entry.group_by(*KEYS).agg(recent=entry.entry.group_concat(",", order_by=entry["rank"]))


def _counts(row: "ir.Table", name: str, count: int) -> "ir.Value":
    return json_list([json_number(row[f"{name}_{k}"].fill_null(0)) for k in range(count)])
