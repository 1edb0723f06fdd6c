"""Frames of the two kinds that the model learns from: transactions with behaviour features, or a table.

A frame of transactions comes from the ledger with its users' habits, which become features here, or from a
file (`files.read`) with the features already. Every other frame is a table of numbers.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from finml.errors import DataError
from finml.models.anomaly.behaviour import OWN_FEATURES, behaviour
from finml.models.anomaly.contract import (
    BEHAVIOUR_COLUMNS,
    HABITS,
    KIND,
    LABEL,
    LEAST_AMOUNT,
    MAX_AMOUNT,
    ORDER,
    RESERVED,
    WEIGHT,
    Features,
)
from finml.models.anomaly.habits import Habits, Transaction

if TYPE_CHECKING:
    import pandera.pandas as pandera

SHOWN = 5


def features_of(frame: pd.DataFrame) -> Features:
    """Which kind of frame it is."""
    return "behaviour" if set(BEHAVIOUR_COLUMNS) <= set(frame.columns) else "table"


def table_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of a table that are features."""
    return [name for name in frame.columns if name not in RESERVED]


def with_behaviour(frame: pd.DataFrame) -> pd.DataFrame:
    """Transactions with behaviour features in place of the habits.

    Args:
        frame: n transactions: `user_id`, `occurred_at`, `amount`, `category`, `merchant`, and `habits`, as of
            a moment before each.
    """
    columns = (frame[name] for name in ("occurred_at", "amount", "category", "merchant", HABITS))
    found = [
        behaviour(
            Transaction(at.timestamp(), amount, category, merchant if isinstance(merchant, str) else None),
            Habits.read(habits if isinstance(habits, str) else None),
        )
        for at, amount, category, merchant, habits in zip(*columns, strict=True)
    ]
    values = pd.DataFrame([one.values for one in found], columns=list(OWN_FEATURES), index=frame.index)
    history = pd.Series([one.history for one in found], index=frame.index, dtype=object, name="history")
    return pd.concat([frame.drop(columns=HABITS), values, history], axis=1)


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the contract's types and, for transactions, with behaviour features.

    Raises:
        DataError: there is no row, or columns are missing or hold values that cannot be meant; names every
            column and check, with the number of rows and some of the values.
    """
    if not len(frame):
        raise DataError("there is no row", hint="give transactions, or a table of numbers")
    frame = frame.copy()
    if LABEL not in frame:
        raise DataError(
            f"the column {LABEL} is missing", hint="without labels it holds false; `finml` reads files so"
        )
    if frame[LABEL].isna().any():
        raise DataError(
            f"{LABEL} is empty in {int(frame[LABEL].isna().sum())} rows",
            hint="say false where nobody found anything",
        )
    for name, value in ((KIND, None), (WEIGHT, 1.0)):
        if name not in frame:
            frame[name] = value
    frame[KIND] = frame[KIND].astype(object).where(frame[KIND].notna(), None)
    if HABITS in frame:
        frame = with_behaviour(validated(transactions_schema(), frame))
    if features_of(frame) == "behaviour":
        return validated(behaviour_schema(), frame)
    if ORDER not in frame:
        frame[ORDER] = float("nan")
    return validated(table_schema(tuple(table_columns(frame))), frame)


def validated(contract: "pandera.DataFrameSchema", frame: pd.DataFrame) -> pd.DataFrame:
    """The frame coerced.

    Raises:
        DataError: as for `checked`.
    """
    import pandera.errors

    lacking = [name for name, column in contract.columns.items() if column.required and name not in frame]
    if lacking:
        raise DataError(
            f"columns are missing: {', '.join(lacking)}",
            hint="docs/models/anomaly.md says what each kind of file holds",
        )
    try:
        valid: pd.DataFrame = contract.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise DataError(
            f"the rows break the contract: {_found(error.failure_cases)}",
            hint="docs/models/anomaly.md says what each column means",
        ) from None
    return valid


@lru_cache(maxsize=1)
def transactions_schema() -> "pandera.DataFrameSchema":
    """The contract of transactions. Columns that it does not name are let through."""
    import pandera.pandas as pandera

    return pandera.DataFrameSchema(
        {
            "user_id": pandera.Column(str, pandera.Check.str_length(1, 64), nullable=False),
            "occurred_at": pandera.Column("datetime64[us, UTC]", nullable=False),
            "amount": pandera.Column(
                "float64", pandera.Check.in_range(LEAST_AMOUNT, MAX_AMOUNT), nullable=False
            ),
            "category": pandera.Column(str, pandera.Check.str_length(1, 256), nullable=False),
            "merchant": pandera.Column(object, nullable=True),
            LABEL: pandera.Column(bool, nullable=False),
            KIND: pandera.Column(object, nullable=True),
            WEIGHT: pandera.Column("float64", pandera.Check.gt(0), nullable=False),
        },
        coerce=True,
    )


@lru_cache(maxsize=1)
def behaviour_schema() -> "pandera.DataFrameSchema":
    """The contract of transactions with behaviour features."""
    import pandera.pandas as pandera

    possible = pandera.Check.in_range(0, 1e9)
    return transactions_schema().add_columns(
        {name: pandera.Column("float64", possible, nullable=False) for name in OWN_FEATURES}
        | {"history": pandera.Column(object, pandera.Check.isin(["ok", "short", "none"]), nullable=False)}
    )


def table_schema(columns: Iterable[str]) -> "pandera.DataFrameSchema":
    """The contract of a table of numbers, which may be missing."""
    import numpy as np
    import pandera.pandas as pandera

    def finite(values: "pd.Series[float]") -> "pd.Series[bool]":
        return ~values.isin([np.inf, -np.inf])

    number = pandera.Check(finite, error="must be finite")
    names = list(columns)
    if not names:
        raise DataError(
            "the table has no column of numbers", hint="docs/models/anomaly.md says what is read of a file"
        )
    return pandera.DataFrameSchema(
        {name: pandera.Column("float64", number, nullable=True) for name in names}
        | {
            LABEL: pandera.Column(bool, nullable=False),
            KIND: pandera.Column(object, nullable=True),
            WEIGHT: pandera.Column("float64", pandera.Check.gt(0), nullable=False),
            ORDER: pandera.Column("float64", nullable=True),
        },
        coerce=True,
    )


def _found(cases: pd.DataFrame) -> str:
    """Every failing column and check with its number of rows and some of its values."""
    parts = []
    for (column, check), rows in cases.groupby(["column", "check"], sort=True):
        values = ", ".join(repr(value)[:80] for value in rows["failure_case"].unique()[:SHOWN])
        parts.append(f"{column}: {check} ({len(rows)} rows: {values})")
    return "; ".join(parts)
