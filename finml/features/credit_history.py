"""What a user's earlier loans say: how much, how well repaid, how recently late.

A value as of `t` sees a loan that was applied for before `t` and known at or before `t`. The comparison with
the time of application is strict, so that a loan whose question is asked at its own application (`as_of`
equal to `applied_at`) is no part of the history it is judged by, while a running credit line, asked about
later, is.

An instalment or statement is seen when it was due and known at or before `t`. Its payment, and the bank's own
words on it (`status`, `days_past_due`), count when the row has not changed after `t`; until then it is unpaid
and its delay follows from the dates.
"""

from typing import TYPE_CHECKING

from finml.features.declarations import CREDIT_HISTORY, STATEMENTS
from finml.features.tables import (
    KEYS,
    LedgerTables,
    amount,
    days_before,
    major,
    months_between,
    number,
    ratio,
    whole_days_between,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

STATEMENT_DAYS = 215
"""Seven months: six monthly statements with a month's slack. Older ones are not among the latest."""
DAYS_LATE_A_MONTH = 30
UNUSED, PAID, REVOLVING = -2, -1, 0
_RANKS = tuple(range(1, STATEMENTS + 1))


def credit_history(
    tables: LedgerTables, spine: "ir.Table", financials: "ir.Table | None" = None
) -> "ir.Table":
    """The view `credit_history`: one row a row of `spine`.

    Args:
        tables: the ledger.
        spine: `user_id` and `event_timestamp` (naive UTC), without duplicates.
        financials: `user_financials(tables, spine)`, when it has been computed before.

    Returns:
        The keys and a float64 column a feature of `declarations.CREDIT_HISTORY`, in that order.
    """
    import ibis

    if financials is None:
        from finml.features.user_financials import user_financials

        financials = user_financials(tables, spine)
    borrowed = _borrowed(tables, spine)
    row = spine.select(*KEYS)
    for part in (
        _by_user(_by_loan(borrowed, _due(tables, borrowed))),
        _defaults(tables, borrowed),
        _card_limits(tables, spine),
        financials.select(*KEYS, "monthly_income"),
    ):
        row = row.left_join(part, KEYS).drop("user_id_right", "event_timestamp_right")

    bills = {k: amount(row[f"balance_{k}"]) for k in _RANKS}
    used = {k: ratio(bills[k], amount(row[f"limit_{k}"])) for k in _RANKS}
    paid = {k: amount(row[f"paid_{k}"]) for k in _RANKS}
    line_limit = (row.lines > 0).ifelse(row.line_limit, ibis.null("int64"))
    outstanding, debt_service = major(row.outstanding), major(row.debt_service)
    values = {
        "loans": number(row.loans),
        "loans_open": number(row.loans_open),
        "loans_180d": number(row.loans_180d),
        "principal": major(row.principal),
        "outstanding": outstanding,
        "credit_limit": major(ibis.coalesce(line_limit, row.card_limit)),
        "debt_service": debt_service,
        "overdue": major(row.overdue),
        "payments_due": number(row.due),
        "on_time_share": ratio(row.on_time, row.due),
        "on_time_share_180d": ratio(row.on_time_180, row.due_180),
        "worst_delay_30d": row.worst_30.cast("float64"),
        "worst_delay_90d": row.worst_90.cast("float64"),
        "worst_delay_180d": row.worst_180.cast("float64"),
        "worst_delay": row.worst.cast("float64"),
        "late_statements": number(row.late_statements),
        "months_since_late": months_between(row.last_late_at, row.event_timestamp),
        "credit_history_months": months_between(row.first_applied_at, row.event_timestamp),
        "debt_to_income": ratio(outstanding, row.monthly_income * 12),
        "debt_service_to_income": ratio(debt_service, row.monthly_income),
        "loan_to_value": ratio(row.secured, row.collateral),
        "utilisation": used[1],
        "utilisation_mean": _mean([used[k] for k in _RANKS]),
        "utilisation_trend": _mean([used[k] for k in _RANKS[:3]]) - _mean([used[k] for k in _RANKS[3:]]),
        "paid_share_latest": ratio(paid[1], bills[2]),
        "paid_share": ratio(_sum([paid[k] for k in _RANKS[:-1]]), _sum([bills[k] for k in _RANKS[1:]])),
        "defaults": number(row.defaults),
        **{f"delay_days_{k}": row[f"delay_{k}"].cast("float64") for k in _RANKS},
        **{f"status_{k}": row[f"status_{k}"].cast("float64") for k in _RANKS},
        **{f"bill_{k}": bills[k] for k in _RANKS},
        **{f"paid_{k}": paid[k] for k in _RANKS},
    }
    return row.select(*KEYS, **{name: values[name] for name in CREDIT_HISTORY.feature_names})


def _borrowed(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """The loans that each row of the spine may see."""
    import ibis

    loans = tables.loans
    moment = spine.event_timestamp
    seen = spine.select(*KEYS).join(
        loans, [spine.user_id == loans.user_id, loans.applied_at < moment, loans.known_at <= moment]
    )
    return seen.select(
        *KEYS,
        "loan_id",
        "applied_at",
        "principal_minor",
        "installment_minor",
        "collateral_value_minor",
        is_line=seen.kind == "credit_line",
        payable_minor=ibis.coalesce(seen.installment_minor * seen.term_months, seen.principal_minor),
    )


def _due(tables: LedgerTables, borrowed: "ir.Table") -> "ir.Table":
    """Instalments and statements of those loans that had fallen due, as they stood at the row's moment."""
    import ibis

    payments = tables.loan_payments
    loans = borrowed.select(*KEYS, "loan_id", "is_line")
    moment = loans.event_timestamp
    seen = loans.join(
        payments,
        [loans.loan_id == payments.loan_id, payments.due_at <= moment, payments.known_at <= moment],
    )
    moment = seen.event_timestamp
    final = seen.updated_at <= moment
    # A payment made in time but booked later was not known in time: the row says when it last changed.
    is_paid = final & (seen.paid_at <= moment).fill_null(seen.amount_paid_minor.notnull())
    until = is_paid.ifelse(ibis.coalesce(seen.paid_at, seen.due_at), moment)
    overrun = ibis.greatest(whole_days_between(seen.due_at, until), 0)
    by_dates = (seen.amount_due_minor > 0).ifelse(overrun, 0)
    delay = ibis.coalesce(final.ifelse(seen.days_past_due, ibis.null("int64")), by_dates)
    seen = seen.mutate(delay=delay, is_paid=is_paid, told=final.ifelse(seen.status, ibis.null("string")))
    months_late = (seen.delay / DAYS_LATE_A_MONTH).floor().cast("int64")
    latest = ibis.row_number().over(
        group_by=["event_timestamp", "loan_id"],
        order_by=[seen.due_at.desc(), seen.payment_id.length().desc(), seen.payment_id.desc()],
    )
    return seen.select(
        *KEYS,
        "loan_id",
        "is_line",
        "due_at",
        "amount_due_minor",
        "statement_balance_minor",
        "delay",
        "is_paid",
        paid_minor=is_paid.ifelse(seen.amount_paid_minor.fill_null(0), 0),
        code=ibis.cases(
            (seen.told == "unused", UNUSED),
            (seen.told == "revolving", REVOLVING),
            (seen.told == "late", ibis.greatest(months_late, 1)),
            (seen.told.notnull() | (seen.delay == 0), PAID),
            else_=months_late,
        ),
        rank=(latest + 1).cast("int64"),
        is_recent=seen.due_at > days_before(moment, STATEMENT_DAYS),
        within_30=seen.due_at > days_before(moment, 30),
        within_90=seen.due_at > days_before(moment, 90),
        within_180=seen.due_at > days_before(moment, 180),
    )


def _by_loan(borrowed: "ir.Table", due: "ir.Table") -> "ir.Table":
    """One row a row of the spine and loan: what was due, what is outstanding, the latest statements."""
    import ibis

    nothing = ibis.null("int64")

    def among(condition: "ir.Value", value: "ir.Value") -> "ir.Value":
        return condition.ifelse(value, nothing)

    rank = {k: due.is_recent & (due["rank"] == k) for k in _RANKS}
    late = due.delay > 0
    # Statements of a credit line carry what was not paid forward; instalments do not.
    adds_up = ~due.is_line | (due["rank"] == 1)
    sums = due.group_by(*KEYS, "loan_id").agg(
        due=due.count(),
        on_time=late.ifelse(0, 1).sum(),
        due_180=due.within_180.ifelse(1, 0).sum(),
        on_time_180=(due.within_180 & ~late).ifelse(1, 0).sum(),
        worst=due.delay.max(),
        worst_30=among(due.within_30, due.delay).max(),
        worst_90=among(due.within_90, due.delay).max(),
        worst_180=among(due.within_180, due.delay).max(),
        last_late_at=late.ifelse(due.due_at, ibis.null("timestamp")).max(),
        overdue=(late & ~due.is_paid & adds_up).ifelse(due.amount_due_minor, 0).sum(),
        paid_total=due.paid_minor.sum(),
        last_balance=among(due["rank"] == 1, due.statement_balance_minor).max(),
        **{f"delay_{k}": among(rank[k], due.delay).max() for k in _RANKS},
        **{f"status_{k}": among(rank[k], due.code).max() for k in _RANKS},
        **{f"balance_{k}": among(rank[k], due.statement_balance_minor).max() for k in _RANKS},
        **{f"paid_{k}": among(rank[k], due.paid_minor).max() for k in _RANKS},
    )
    loan = borrowed.left_join(sums, [*KEYS, "loan_id"]).drop(
        "user_id_right", "event_timestamp_right", "loan_id_right"
    )
    share_paid = loan.paid_total.fill_null(0).cast("float64") / loan.payable_minor.cast("float64")
    # Rounded to minor units loan by loan, so that the sum over loans is one of integers.
    unpaid = (loan.principal_minor.cast("float64") * (1 - share_paid)).round().cast("int64")
    scheduled = loan.is_line.ifelse(0, unpaid)
    owed = ibis.greatest(ibis.coalesce(loan.last_balance, scheduled), 0)
    return loan.mutate(outstanding=owed, is_open=loan.is_line | (owed > 0))


def _by_user(loan: "ir.Table") -> "ir.Table":
    """One row a row of the spine that has a loan to see."""

    def total(condition: "ir.Value", value: "ir.Value") -> "ir.Value":
        return condition.ifelse(value, 0).sum()

    has_collateral = (loan.collateral_value_minor > 0).fill_null(False)
    is_new = loan.applied_at > days_before(loan.event_timestamp, 180)
    late = [(loan[f"delay_{k}"] > 0).fill_null(False).ifelse(1, 0) for k in _RANKS]
    return loan.group_by(*KEYS).agg(
        loans=loan.count(),
        loans_open=total(loan.is_open, 1),
        loans_180d=total(is_new, 1),
        principal=loan.principal_minor.sum(),
        outstanding=loan.outstanding.sum(),
        lines=total(loan.is_line, 1),
        line_limit=total(loan.is_line, loan.principal_minor),
        debt_service=total(loan.is_open, loan.installment_minor.fill_null(0)),
        secured=total(has_collateral, loan.outstanding),
        collateral=total(has_collateral, loan.collateral_value_minor),
        first_applied_at=loan.applied_at.min(),
        last_late_at=loan.last_late_at.max(),
        late_statements=sum(late[1:], late[0]).sum(),
        **{name: loan[name].sum() for name in ("due", "on_time", "due_180", "on_time_180", "overdue")},
        **{name: loan[name].max() for name in ("worst", "worst_30", "worst_90", "worst_180")},
        **{f"{name}_{k}": loan[f"{name}_{k}"].max() for name in ("delay", "status") for k in _RANKS},
        **{f"{name}_{k}": loan[f"{name}_{k}"].sum() for name in ("balance", "paid") for k in _RANKS},
        **{
            f"limit_{k}": loan[f"balance_{k}"].notnull().ifelse(loan.principal_minor, 0).sum() for k in _RANKS
        },
    )


def _defaults(tables: LedgerTables, borrowed: "ir.Table") -> "ir.Table":
    """Defaults of those loans that were known by the row's moment."""
    outcomes = tables.loan_outcomes
    loans = borrowed.select(*KEYS, "loan_id")
    told = loans.join(
        outcomes, [loans.loan_id == outcomes.loan_id, outcomes.known_at <= loans.event_timestamp]
    )
    return told.group_by(*KEYS).agg(defaults=told.defaulted.ifelse(1, 0).sum())


def _card_limits(tables: LedgerTables, spine: "ir.Table") -> "ir.Table":
    """Limits of open credit cards, each from the row's last change on."""
    cards = tables.accounts
    moment = spine.event_timestamp
    seen = spine.select(*KEYS).join(
        cards, [spine.user_id == cards.user_id, cards.opened_at <= moment, cards.updated_at <= moment]
    )
    is_open = seen.closed_at.isnull() | (seen.closed_at > seen.event_timestamp)
    limit = (is_open & (seen.kind == "credit_card")).ifelse(seen.credit_limit_minor, 0)
    return seen.group_by(*KEYS).agg(card_limit=limit.sum())


def _sum(values: list["ir.Value"]) -> "ir.Value":
    """Sum of those that are there, in the order given; missing where none is."""
    import ibis

    total = values[0].fill_null(0.0)
    for value in values[1:]:
        total = total + value.fill_null(0.0)
    return ibis.coalesce(*values).notnull().ifelse(total, ibis.null("float64"))


def _mean(values: list["ir.Value"]) -> "ir.Value":
    """Mean of those that are there, in the order given; missing where none is."""
    there = [value.notnull().ifelse(1, 0) for value in values]
    return ratio(_sum(values), sum(there[1:], there[0]))
