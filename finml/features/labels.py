"""The questions that models learn from: who asked, when, for what, and what came of it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from finml.errors import FeatureError

if TYPE_CHECKING:
    import pandas as pd

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
