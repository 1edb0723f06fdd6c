"""The ledger's tables as Ibis expressions, and the few pieces of arithmetic that every feature is made of.

Amounts are added up as integers and divided once at the end. Integers add up to the same total in any order,
so a feature has the same bits whatever engine, number of threads or slice of users it was computed with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from finml.errors import FeatureError
from finml.ledger.contracts import CONTRACTS, TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

SECONDS_A_DAY = 86_400
DAYS_A_MONTH = 30.4375
"""Mean length of a month in the Gregorian calendar's four-year cycle."""
KEYS = ("user_id", "event_timestamp")
"""What a row of features is about: a user, as of a moment."""


@dataclass(frozen=True)
class LedgerTables:
    """Validated tables of one ledger, as Ibis tables of one backend.

    Attributes:
        movements: `user_financials.movements(tables)`, when it has been computed before.
    """

    users: "ir.Table"
    accounts: "ir.Table"
    transactions: "ir.Table"
    loans: "ir.Table"
    loan_payments: "ir.Table"
    loan_outcomes: "ir.Table"
    transaction_labels: "ir.Table"
    messages: "ir.Table"
    movements: "ir.Table | None" = None

    @classmethod
    def of(cls, tables: Mapping[str, "ir.Table"]) -> "LedgerTables":
        """The tables by name.

        Raises:
            FeatureError: one is missing; names it.
        """
        missing = [name for name in TABLES if name not in tables]
        if missing:
            raise FeatureError(
                f"the ledger lacks {', '.join(missing)}", hint="ingest the ledger again: finml run features"
            )
        return cls(**{name: tables[name] for name in TABLES})

    @classmethod
    def read(cls, backend: "BaseBackend", folder: Path) -> "LedgerTables":
        """The tables that lie in `folder` as `<table>.parquet`; an optional one that does not is empty.

        Raises:
            FeatureError: a file is missing or lacks a column; names each of them.
        """
        present = {name: folder / f"{name}.parquet" for name in TABLES}
        tables = {
            name: backend.read_parquet(str(path), table_name=f"ledger_{name}")
            for name, path in present.items()
            if path.is_file()
        }
        for name, table in tables.items():
            lacking = [column for column in CONTRACTS[name].column_names if column not in table.columns]
            if lacking:
                raise FeatureError(
                    f"{present[name]} lacks the columns {', '.join(lacking)}",
                    hint="export the validated tables again: finml run features",
                )
        for name, contract in CONTRACTS.items():
            if contract.optional and name not in tables:
                empty = contract.arrow_schema.empty_table()
                tables[name] = backend.create_table(f"ledger_{name}", empty, temp=True)
        return cls.of(tables)

    def with_movements(self, movements: "ir.Table") -> "LedgerTables":
        """The same ledger with its movements computed before."""
        return replace(self, movements=movements)


def major(minor: "ir.Value") -> "ir.Value":
    """An integer sum of minor units as a float64 of major units; missing counts as nothing."""
    return minor.fill_null(0).cast("int64").cast("float64") / 100


def amount(minor: "ir.Value") -> "ir.Value":
    """Like `major`, but what is missing stays missing."""
    return minor.cast("int64").cast("float64") / 100


def number(count: "ir.Value") -> "ir.Value":
    """An integer count as float64; missing counts as nothing."""
    return count.fill_null(0).cast("int64").cast("float64")


def ratio(part: "ir.Value", whole: "ir.Value") -> "ir.Value":
    """`part / whole` as float64; missing where either is missing or `whole` is not above zero."""
    import ibis

    above = (whole > 0).ifelse(whole, ibis.null(whole.type()))
    return part.cast("float64") / above.cast("float64")


def seconds(moment: "ir.Value") -> "ir.Value":
    """Whole seconds since 1970 as int64; the fraction is cut off."""
    # Cut to the second first: engines differ in how they round the fraction away.
    return moment.truncate("s").epoch_seconds().cast("int64")


def days_between(earlier: "ir.Value", later: "ir.Value") -> "ir.Value":
    """Days from one timestamp to another as float64, from whole seconds; missing where either is."""
    return (seconds(later) - seconds(earlier)).cast("float64") / SECONDS_A_DAY


def whole_days_between(earlier: "ir.Value", later: "ir.Value") -> "ir.Value":
    """Completed days from one timestamp to another as int64, from whole seconds."""
    return days_between(earlier, later).floor().cast("int64")


def months_between(earlier: "ir.Value", later: "ir.Value") -> "ir.Value":
    """Mean months from one timestamp to another as float64."""
    return days_between(earlier, later) / DAYS_A_MONTH


def days_before(moment: "ir.Value", days: int) -> "ir.Value":
    """The moment `days` days before."""
    import ibis

    return moment - ibis.interval(days=days)
