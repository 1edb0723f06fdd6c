"""Checking labelled frames: the rows that the model is trained and measured on."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.errors import DataError
from finml.models.credit_risk.contract import FEATURES, LABEL, PROTECTED

if TYPE_CHECKING:
    import pandera.pandas as pandera

SHOWN = 5


@lru_cache(maxsize=1)
def schema() -> "pandera.DataFrameSchema":
    """The contract of a labelled frame. Columns that it does not name are let through."""
    import numpy as np
    import pandera.pandas as pandera

    def finite(values: "pd.Series[float]") -> "pd.Series[bool]":
        return ~values.isin([np.inf, -np.inf])

    number = pandera.Check(finite, error="must be finite")
    indicators = {feature.column: feature for feature in FEATURES if feature.category}
    kinds = [feature.category for feature in FEATURES if feature.category]
    columns: dict[str, Any] = {
        "user_id": pandera.Column(str, pandera.Check.str_length(1, 64), nullable=False),
        "event_timestamp": pandera.Column("datetime64[us, UTC]", nullable=False),
        LABEL: pandera.Column(bool, nullable=False),
        **{
            feature.column: pandera.Column("float64", number, nullable=True)
            for feature in FEATURES
            if not feature.category
        },
        **{column: pandera.Column(object, pandera.Check.isin(kinds), nullable=True) for column in indicators},
        **{
            column: pandera.Column(
                "float64" if name == "age" else object,
                pandera.Check.in_range(0, 150) if name == "age" else None,
                nullable=True,
                required=False,
            )
            for name, column in PROTECTED.items()
        },
    }
    columns["loan_amount"] = pandera.Column("float64", [number, pandera.Check.gt(0)], nullable=False)
    return pandera.DataFrameSchema(columns, coerce=True)


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the contract's types.

    Raises:
        DataError: columns are missing or hold values that cannot be meant; names every column and check, with
            the number of rows and some of the values.
    """
    import pandera.errors

    contract = schema()
    lacking = [name for name, column in contract.columns.items() if column.required and name not in frame]
    if lacking:
        raise DataError(
            f"columns are missing from the labelled rows: {', '.join(lacking)}",
            hint="take the rows from the feature service, or add the columns with empty values",
        )
    if not len(frame):
        raise DataError("there is no labelled row", hint="give loans whose outcome is known")
    if frame[LABEL].isna().any():
        raise DataError(
            f"{LABEL} is empty in {int(frame[LABEL].isna().sum())} rows",
            hint="leave out rows without outcome",
        )
    try:
        valid: pd.DataFrame = contract.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise DataError(
            f"the labelled rows break the contract: {_found(error.failure_cases)}",
            hint="finml/models/credit_risk/declared.py says what each column means",
        ) from None
    return valid


def _found(cases: pd.DataFrame) -> str:
    """Every failing column and check with its number of rows and some of its values."""
    parts = []
    for (column, check), rows in cases.groupby(["column", "check"], sort=True):
        values = ", ".join(repr(value) for value in rows["failure_case"].unique()[:SHOWN])
        parts.append(f"{column}: {check} ({len(rows)} rows: {values})")
    return "; ".join(parts)


def read(file: Path) -> pd.DataFrame:
    """Labelled rows from a Parquet or CSV file with the columns of a training frame, checked.

    Raises:
        DataError: it cannot be read, or breaks the contract.
    """
    try:
        match file.suffix.lower():
            case ".parquet":
                frame = pd.read_parquet(file)
            case ".csv":
                frame = pd.read_csv(file, dtype={"user_id": str})
            case suffix:
                raise DataError(
                    f"{file} is a {suffix or 'nameless'} file",
                    hint="labelled rows are read from .parquet and .csv",
                )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read: {error}", hint="see that it is whole, and in UTF-8"
        ) from error
    return checked(frame)
