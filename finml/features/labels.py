"""The questions that models learn from: who asked, when, for what, and what came of it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from finml.errors import FeatureError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from ibis.backends import BaseBackend

    from finml.features.tables import LedgerTables

COLUMNS = (
    "user_id",
    "event_timestamp",
    "loan_id",
    "outcome_id",
    "defaulted",
    "label_known_at",
    "loan_amount",
    "loan_kind",
    "term_months",
    "annual_rate",
    "installment",
    "collateral_value",
    "protected_sex",
    "protected_age",
    "protected_education",
    "protected_marital_status",
)
ANOMALY_COLUMNS = (
    "user_id",
    "event_timestamp",
    "transaction_id",
    "occurred_at",
    "amount",
    "category",
    "merchant",
    "channel",
    "anomalous",
    "anomaly_kind",
    "weight",
)


def credit_risk_spine(tables_folder: Path, *, known_by: datetime | None = None) -> "pd.DataFrame":
    """One row a loan outcome, ordered by time and outcome: the question, the answer, and who it is about.

    Args:
        tables_folder: holds `<table>.parquet` for every table of the ledger.
        known_by: leaves out labels that became known later (naive UTC), for a training as of then.

    Returns:
        `COLUMNS`. `event_timestamp` is the moment of the question (UTC); amounts are float64 in major units,
        missing as NaN; columns that begin with `protected_` are for measuring fairness and are no features.
        `protected_age` is in completed years at the moment of the question.

    Raises:
        FeatureError: a table is missing, or no outcome is known.
    """
    from finml.features.engine import duckdb_engine
    from finml.features.tables import LedgerTables, amount

    with duckdb_engine() as backend:
        tables = LedgerTables.read(backend, tables_folder)
        outcomes, loans, users = tables.loan_outcomes, tables.loans, tables.users
        if known_by is not None:
            outcomes = outcomes.filter(outcomes.known_at <= known_by)
        asked = outcomes.select(
            "outcome_id", "loan_id", "as_of", "defaulted", label_known_at=outcomes.known_at
        )
        row = asked.join(loans.drop("known_at", "updated_at", "currency"), "loan_id")
        row = row.join(users.drop("known_at", "updated_at", "currency", "created_at"), "user_id")
        birthday = row.birth_date.month() * 100 + row.birth_date.day()
        today = row.as_of.month() * 100 + row.as_of.day()
        age = row.as_of.year() - row.birth_date.year() - (today < birthday).ifelse(1, 0)
        frame: pd.DataFrame = (
            row.select(
                "user_id",
                "loan_id",
                "outcome_id",
                "defaulted",
                event_timestamp=row.as_of.cast("timestamp('UTC', 6)"),
                label_known_at=row.label_known_at.cast("timestamp('UTC', 6)"),
                loan_amount=amount(row.principal_minor),
                loan_kind=row.kind,
                term_months=row.term_months.cast("float64"),
                annual_rate=row.annual_rate.cast("float64"),
                installment=amount(row.installment_minor),
                collateral_value=amount(row.collateral_value_minor),
                protected_sex=row.sex,
                protected_age=age.cast("float64"),
                protected_education=row.education,
                protected_marital_status=row.marital_status,
            )
            .select(*COLUMNS)
            .order_by("event_timestamp", "outcome_id")
            .to_pandas()
        )
    if frame.empty:
        raise FeatureError(
            "the ledger holds no loan outcome, so there is nothing to learn from",
            hint="loan_outcomes needs rows whose label is known",
        )
    return frame


def anomaly_spine(tables_folder: Path) -> "pd.DataFrame":
    """One row a sampled debit, ordered by time and transaction, see `questions.transaction_questions`.

    Args:
        tables_folder: holds `<table>.parquet` for every table of the ledger.

    Returns:
        `user_id`; `event_timestamp` (UTC), the last whole second before the transaction; `transaction_id`,
        `occurred_at` (UTC), `amount` (float64, major units), `category`, `merchant`, `channel`; `anomalous`,
        false where nobody reviewed it; `anomaly_kind`, `None` where nobody said; `weight`, how many debits
        of the ledger the row stands for.

    Raises:
        FeatureError: a table is missing, or there is no debit to ask about.
    """
    from finml.features.engine import duckdb_engine
    from finml.features.questions import FIRST_DAYS, transaction_questions
    from finml.features.tables import LedgerTables, amount

    with duckdb_engine() as backend:
        asked = transaction_questions(LedgerTables.read(backend, tables_folder))
        frame: pd.DataFrame = (
            asked.select(
                "user_id",
                "transaction_id",
                event_timestamp=asked.event_timestamp.cast("timestamp('UTC', 6)"),
                occurred_at=asked.occurred_at.cast("timestamp('UTC', 6)"),
                amount=amount(asked.amount_minor),
                category=asked.category,
                merchant=asked.merchant,
                channel=asked.channel,
                anomalous=asked.anomalous.fill_null(False),
                anomaly_kind=asked.kind,
                weight=asked.weight,
            )
            .select(*ANOMALY_COLUMNS)
            .order_by("event_timestamp", "transaction_id")
            .to_pandas()
        )
    if frame.empty:
        raise FeatureError(
            "the ledger holds no transaction to ask about",
            hint=f"debits count from {FIRST_DAYS} days after their user's first transaction on",
        )
    return frame


def spending_spine(tables_folder: Path) -> "pd.DataFrame":
    """What was spent in each complete month by category, over the whole bank and by some of its users.

    A month is complete when the ledger began on or before its first day and its present lies after its end;
    for a user, who must also have been a customer during all of it. The users are those of lowest hash.

    Args:
        tables_folder: holds `<table>.parquet` for every table of the ledger.

    Returns:
        `series` (the category), `user_id` (`None` for the whole bank), `ds` (first day of the month, naive),
        `y` (float64, major units), ordered by user, series and month, the whole bank first. A month without
        spending between a series' first and last one is there with 0.

    Raises:
        FeatureError: a table is missing, or no month is complete.
    """
    from finml.features.engine import duckdb_engine
    from finml.features.tables import LedgerTables

    with duckdb_engine() as backend:
        sums = _monthly_sums(backend, LedgerTables.read(backend, tables_folder)).to_pandas()
    if sums.empty:
        raise FeatureError(
            "the ledger holds no complete month of spending", hint="it needs debits over more than a month"
        )
    return _zero_filled(sums)


def _monthly_sums(backend: "BaseBackend", tables: "LedgerTables") -> "ir.Table":
    """Sums of minor units by `user_id` (empty for the whole bank), `series` and `month` (counted)."""
    import ibis

    from finml.features.plan import present
    from finml.features.questions import own_spending, sampled_users, whole_months

    spent = whole_months(tables, present(backend))
    spent = spent.mutate(series=spent.category)
    own = own_spending(spent)
    sample = sampled_users(own)
    parts = (spent.mutate(user_id=ibis.literal("")), own.semi_join(sample, "user_id"))
    return ibis.union(
        *[
            part.group_by("user_id", "series", "month").agg(minor=part.amount_minor.sum().cast("int64"))
            for part in parts
        ]
    )


def _zero_filled(sums: "pd.DataFrame") -> "pd.DataFrame":
    """The spine, from sums that leave out the months without any."""
    import pandas as pd

    wide = sums.pivot(index=["user_id", "series"], columns="month", values="minor").sort_index()
    wide = wide.reindex(columns=range(sums["month"].min(), sums["month"].max() + 1))
    is_there = wide.notna()
    between = is_there.cummax(axis=1) & is_there.iloc[:, ::-1].cummax(axis=1).iloc[:, ::-1]
    filled = wide.fillna(0).where(between).melt(var_name="month", value_name="minor", ignore_index=False)
    filled = filled.dropna().reset_index().sort_values(["user_id", "series", "month"], ignore_index=True)
    first_days = [pd.Timestamp(month // 12, month % 12 + 1, 1) for month in filled["month"]]
    return pd.DataFrame(
        {
            "series": filled["series"],
            "user_id": filled["user_id"].where(filled["user_id"] != "", None),
            "ds": pd.Series(first_days, dtype="datetime64[us]"),
            "y": filled["minor"] / 100,
        }
    )
