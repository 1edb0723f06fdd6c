"""What a snapshot depends on, as a hash: the rule by which an unchanged snapshot is not built again.

A value as of `t` is a function of the rows visible at `t`, and of nothing else. Each table is therefore split
into facts, columns that become visible together, each with the time from which it is visible. A snapshot's
fingerprint covers all facts visible at its moment (and, harmlessly, those of the rest of that day). A row
that becomes known after `t`, or an instalment that is paid after `t`, adds facts after `t` only: the
fingerprint stays, and so would every value.

The hashes are added up day by day, so that one scan of each table serves all snapshots.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from finml.features import (
    credit_history,
    declarations,
    spending_history,
    tables,
    texts,
    transaction_habits,
    user_financials,
)
from finml.ledger.contracts import INCOME_CATEGORIES

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

MODULUS = 2**64


@dataclass(frozen=True)
class Fact:
    """Columns of a table that become visible together, and the SQL expression of when.

    The first column names the row; where all others are missing there is nothing to see.
    """

    table: str
    visible_at: str
    columns: tuple[str, ...]


FACTS = (
    Fact("users", "known_at", ("user_id", "created_at")),
    Fact("users", "updated_at", ("user_id", "monthly_income_minor")),
    Fact("accounts", "greatest(opened_at, known_at)", ("account_id", "user_id", "kind", "opened_at")),
    Fact("accounts", "greatest(closed_at, known_at)", ("account_id", "closed_at")),
    Fact("accounts", "greatest(opened_at, updated_at)", ("account_id", "credit_limit_minor")),
    Fact(
        "transactions",
        "greatest(occurred_at, known_at)",
        (
            "transaction_id",
            "account_id",
            "occurred_at",
            "known_at",
            "direction",
            "amount_minor",
            "category",
            "merchant",
            "balance_after_minor",
        ),
    ),
    Fact(
        "loans",
        "greatest(applied_at, known_at)",
        (
            "loan_id",
            "user_id",
            "kind",
            "applied_at",
            "principal_minor",
            "term_months",
            "installment_minor",
            "collateral_value_minor",
        ),
    ),
    Fact(
        "loan_payments",
        "greatest(due_at, known_at)",
        ("payment_id", "loan_id", "due_at", "amount_due_minor", "statement_balance_minor"),
    ),
    Fact("loan_payments", "greatest(due_at, updated_at)", ("payment_id", "days_past_due", "status")),
    Fact(
        "loan_payments",
        "greatest(due_at, updated_at, coalesce(paid_at, updated_at))",
        ("payment_id", "paid_at", "amount_paid_minor"),
    ),
    Fact("loan_outcomes", "known_at", ("outcome_id", "loan_id", "defaulted")),
)


def code_hash() -> str:
    """Hash of the code that computes the features, so that a changed rule rebuilds everything."""
    digest = hashlib.sha256(repr(INCOME_CATEGORIES).encode())
    views = (user_financials, credit_history, transaction_habits, spending_history)
    for module in (tables, texts, declarations, *views):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


class Fingerprints:
    """Fingerprints of any moment of one ledger."""

    def __init__(self, backend: "BaseBackend") -> None:
        """Scan the tables `ledger_<name>` of an Ibis DuckDB backend, each fact once."""
        self._code = code_hash()
        self._days = [_by_day(backend, fact) for fact in FACTS]

    def of(self, moment: datetime, *more: str) -> str:
        """Fingerprint of what is visible at `moment`; `more` is hashed with it."""
        day = _seen_on(moment)
        digest = hashlib.sha256(f"{self._code}|{moment.isoformat()}|{'|'.join(more)}".encode())
        for days in self._days:
            seen = [entry for at, entry in days.items() if at <= day]
            rows, total = sum(n for n, _ in seen), sum(h for _, h in seen) % MODULUS
            digest.update(f"|{rows}:{total}".encode())
        return digest.hexdigest()


def _by_day(backend: "BaseBackend", fact: Fact) -> dict[date, tuple[int, int]]:
    """Count and sum of hashes of a fact by the day whose last second is the first to see it."""
    seen_on = f"cast({fact.visible_at} + interval 1 second - interval 1 microsecond as date)"
    is_there = " or ".join(f"{column} is not null" for column in fact.columns[1:])
    rows = backend.raw_sql(
        f"select {seen_on} as day, count(*), sum(hash({', '.join(fact.columns)})) "  # noqa: S608  # nosec B608  # constants
        f"from ledger_{fact.table} where {is_there} group by day"
    ).fetchall()
    return {day: (int(count), int(total)) for day, count, total in rows}


def _seen_on(moment: datetime) -> date:
    """The day whose last second is the first to see `moment`; the SQL in `_by_day` says the same."""
    return (moment + timedelta(seconds=1) - timedelta(microseconds=1)).date()


def spine_hash(rows: Iterable[tuple[str, datetime]]) -> str:
    """Hash of exact rows, whatever their order."""
    digest = hashlib.sha256()
    for user_id, moment in sorted(rows):
        digest.update(f"{user_id}|{moment.isoformat()}\n".encode())
    return digest.hexdigest()
