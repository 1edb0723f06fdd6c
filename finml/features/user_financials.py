"""What a user's accounts say about their money: income, spending, balance, steadiness.

A value as of `t` sees the transactions that occurred at or before `t` and that the bank knew by then. Windows
reach back 30 to 180 days and include their end: `(t - 180 d, t]`.
"""

from typing import TYPE_CHECKING

from finml.features.declarations import USER_FINANCIALS
from finml.features.tables import (
    KEYS,
    LedgerTables,
    amount,
    days_before,
    days_between,
    major,
    months_between,
    number,
    ratio,
)
from finml.ledger.contracts import INCOME_CATEGORIES

if TYPE_CHECKING:
    import ibis.expr.types as ir

MONTHS = 6
WINDOW_DAYS = MONTHS * 30
"""How far back a transaction matters."""

ESSENTIALS = ("rent", "groceries", "utilities", "transport", "health", "education", "insurance")
DISCRETIONARY = ("dining", "shopping", "entertainment")

# What a movement did with the user's money. The kinds from ESSENTIAL to OTHER are spending; after a transfer
# or an investment the money may still be the user's, so these are not.
INCOME, TRANSFER_IN, TRANSFER_OUT, INVESTED = 1, 2, 3, 4
ESSENTIAL, OPTIONAL, CASH, DEBT, FEE, PENALTY, OTHER = range(11, 18)
_DEBITS = {
    **dict.fromkeys(ESSENTIALS, ESSENTIAL),
    **dict.fromkeys(DISCRETIONARY, OPTIONAL),
    "cash": CASH,
    "emi": DEBT,
    "fees": FEE,
    "penalty": PENALTY,
    "transfer": TRANSFER_OUT,
    "investment": INVESTED,
}

_RECENT_TOTALS = {
    "essentials": ESSENTIAL,
    "discretionary": OPTIONAL,
    "cash": CASH,
    "debt_service": DEBT,
    "fees": FEE,
    "penalties": PENALTY,
    "transfers_in": TRANSFER_IN,
    "transfers_out": TRANSFER_OUT,
    "investments": INVESTED,
}
"""Sums over 90 days by kind of movement."""


def is_spending(kind: "ir.Value") -> "ir.Value":
    """Whether the money was spent."""
    return kind.between(ESSENTIAL, OTHER)


def movements(tables: LedgerTables) -> "ir.Table":
    """The transactions as the features need them, one row each; `kind` says what the money did."""
    import ibis

    raw = tables.transactions
    credit = raw.direction == "credit"
    spent = ibis.cases(*[(raw.category == name, kind) for name, kind in _DEBITS.items()], else_=OTHER)
    earned = credit & raw.category.isin(INCOME_CATEGORIES)
    moved = raw.select(
        "account_id",
        "occurred_at",
        "known_at",
        "amount_minor",
        "balance_after_minor",
        "direction",
        "category",
        "merchant",
        kind=ibis.cases((earned, INCOME), (credit, TRANSFER_IN), else_=spent).cast("int8"),
    )
    accounts = tables.accounts.select(
        "account_id", "user_id", deposit=tables.accounts.kind.isin(("current", "savings"))
    )
    joined = moved.join(accounts, "account_id")
    # What a card's balance means differs from bank to bank; only deposits are money at hand.
    return joined.mutate(
        balance_minor=joined.deposit.ifelse(joined.balance_after_minor, ibis.null("int64"))
    ).drop("balance_after_minor", "deposit")


def user_financials(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """The view `user_financials`: one row a row of `spine`.

    Args:
        tables: the ledger.
        spine: `user_id` and `event_timestamp` (naive UTC), without duplicates.

    Returns:
        The keys and a float64 column a feature of `declarations.USER_FINANCIALS`, in that order.
    """
    import ibis

    flows = _flows(tables, spine)
    standing = _standing(tables, spine)
    row = spine.select(*KEYS).left_join(flows, KEYS).drop("user_id_right", "event_timestamp_right")
    row = row.left_join(standing, KEYS).drop("user_id_right", "event_timestamp_right")
    income = _totals(row, "income")
    spending = _totals(row, "spending")
    observed = income[180] / MONTHS
    monthly_income = ibis.coalesce(_above_zero(amount(row.declared_minor)), _above_zero(observed))
    values = {
        **{f"income_{days}d": income[days] for days in (30, 90, 180)},
        **{f"spending_{days}d": spending[days] for days in (30, 90, 180)},
        "essentials_90d": major(row.essentials),
        "discretionary_90d": major(row.discretionary),
        "cash_90d": major(row.cash),
        "debt_service_90d": major(row.debt_service),
        "fees_90d": major(row.fees),
        "penalties_90d": major(row.penalties),
        "transfers_in_90d": major(row.transfers_in),
        "transfers_out_90d": major(row.transfers_out),
        "investments_90d": major(row.investments),
        "net_flow_90d": major(row.net_flow),
        "penalty_count_180d": number(row.penalty_count),
        "savings_rate_90d": ratio(income[90] - spending[90], income[90]),
        "savings_rate_180d": ratio(income[180] - spending[180], income[180]),
        "income_volatility": _volatility(row, "income"),
        "spending_volatility": _volatility(row, "spending"),
        "income_trend": ratio(income[30], income[180] / MONTHS),
        "spending_trend": ratio(spending[30], spending[180] / MONTHS),
        "balance": amount(row.balance),
        "balance_min_90d": amount(row.balance_min),
        "buffer_months": ratio(amount(row.balance), spending[90] / 3),
        "overdrawn_count_90d": number(row.overdrawn),
        "transaction_count_30d": number(row.count_30),
        "transaction_count_90d": number(row.count_90),
        "transaction_count_180d": number(row.count_180),
        "largest_spending_90d": amount(row.largest),
        "days_since_income": days_between(row.last_income_at, row.event_timestamp),
        "days_since_transaction": days_between(row.last_at, row.event_timestamp),
        "tenure_months": months_between(row.since, row.event_timestamp),
        "accounts": number(row.accounts),
        "monthly_income": monthly_income,
    }
    return row.select(*KEYS, **{name: values[name] for name in USER_FINANCIALS.feature_names})


def _flows(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """Integer sums, counts and extremes of what the row may see, one row a user and moment with any."""
    import ibis

    moved = tables.movements if tables.movements is not None else movements(tables)
    starts = {f"start_{k}": days_before(spine.event_timestamp, 30 * k) for k in range(1, MONTHS + 1)}
    bounds = spine.select(*KEYS, **starts)
    seen = bounds.join(
        moved,
        [
            bounds.user_id == moved.user_id,
            moved.occurred_at <= bounds.event_timestamp,
            moved.known_at <= bounds.event_timestamp,
            moved.occurred_at > bounds[f"start_{MONTHS}"],
        ],
    )
    ago = ibis.cases(
        *[(seen.occurred_at > seen[f"start_{k}"], k - 1) for k in range(1, MONTHS)], else_=MONTHS - 1
    )
    seen = seen.mutate(ago=ago.cast("int8"), spending=is_spending(seen.kind), income=seen.kind == INCOME)
    recent = seen.ago < 3

    def total(condition: "ir.Value") -> "ir.Value":
        return condition.ifelse(seen.amount_minor, 0).sum()

    def count(condition: "ir.Value") -> "ir.Value":
        return condition.ifelse(1, 0).sum()

    credit = seen.kind.isin((INCOME, TRANSFER_IN))
    nothing = ibis.null("int64")
    # Of what was told at the same moment the lowest counts, so that no order of rows is needed.
    latest = ibis.struct({"at": seen.occurred_at, "low": -seen.balance_minor})
    # By account first, because the balance is the sum of what each account held last.
    by_account = seen.group_by(*KEYS, "account_id").agg(
        **{f"income_{k}": total(seen.income & (seen.ago == k)) for k in range(MONTHS)},
        **{f"spending_{k}": total(seen.spending & (seen.ago == k)) for k in range(MONTHS)},
        **{name: total(recent & (seen.kind == kind)) for name, kind in _RECENT_TOTALS.items()},
        net_flow=recent.ifelse(credit.ifelse(seen.amount_minor, -seen.amount_minor), 0).sum(),
        penalty_count=count(seen.kind == PENALTY),
        overdrawn=count(recent & (seen.balance_minor < 0)),
        count_30=count(seen.ago == 0),
        count_90=count(recent),
        count_180=seen.count(),
        largest=(recent & seen.spending).ifelse(seen.amount_minor, nothing).max(),
        balance_min=recent.ifelse(seen.balance_minor, nothing).min(),
        balance=seen.balance_minor.argmax(latest, where=seen.balance_minor.notnull()),
        last_income_at=seen.income.ifelse(seen.occurred_at, ibis.null("timestamp")).max(),
        last_at=seen.occurred_at.max(),
    )
    highest, lowest = ("largest", "last_income_at", "last_at"), ("balance_min",)
    summed = [name for name in by_account.columns if name not in (*KEYS, "account_id", *highest, *lowest)]
    return by_account.group_by(*KEYS).agg(
        **{name: by_account[name].sum() for name in summed},
        **{name: by_account[name].max() for name in highest},
        **{name: by_account[name].min() for name in lowest},
    )


def _standing(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """Since when the user is a customer, their open accounts and declared income."""
    import ibis

    moment = spine.event_timestamp
    users = tables.users
    known = spine.join(users, [spine.user_id == users.user_id, users.known_at <= moment])
    # A declared income that was changed later is not what was declared then: it counts from its change on.
    declared = (known.updated_at <= known.event_timestamp).ifelse(
        known.monthly_income_minor, ibis.null("int64")
    )
    users_seen = known.select(*KEYS, since=known.created_at, declared_minor=declared)
    accounts = tables.accounts
    opened = spine.join(
        accounts,
        [spine.user_id == accounts.user_id, accounts.known_at <= moment, accounts.opened_at <= moment],
    )
    is_open = opened.closed_at.isnull() | (opened.closed_at > opened.event_timestamp)
    counted = opened.group_by(*KEYS).agg(accounts=is_open.ifelse(1, 0).sum())
    return users_seen.left_join(counted, KEYS).drop("user_id_right", "event_timestamp_right")


def _totals(row: "ir.Table", name: str) -> dict[int, "ir.Value"]:
    """Major units over the last 30, 90 and 180 days, from the six months' integer sums."""
    months = [row[f"{name}_{k}"].fill_null(0).cast("int64") for k in range(MONTHS)]
    return {30 * n: major(sum(months[1:n], months[0])) for n in (1, 3, 6)}


def _volatility(row: "ir.Table", name: str) -> "ir.Value":
    """Coefficient of variation of the six months, in one fixed order of operations."""
    months = [major(row[f"{name}_{k}"]) for k in range(MONTHS)]
    mean = sum(months[1:], months[0]) / MONTHS
    squares = [(month - mean) * (month - mean) for month in months]
    return ratio((sum(squares[1:], squares[0]) / MONTHS).sqrt(), mean)


def _above_zero(value: "ir.Value") -> "ir.Value":
    import ibis

    return (value > 0).ifelse(value, ibis.null("float64"))
