"""Checking labelled frames: what was spent on each series in each period."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
import structlog

from finml.errors import DataError

if TYPE_CHECKING:
    import pandera.pandas as pandera

log = structlog.get_logger(__name__)

SERIES, DATE, VALUE, USER = "series", "ds", "y", "user_id"
HISTORY = "spending"
NOT_REGRESSORS = frozenset({SERIES, DATE, VALUE, USER, HISTORY, "event_timestamp", "created_timestamp"})
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        SERIES: ("series", "category", "unique_id"),
        DATE: ("ds", "date", "month", "week", "day"),
        VALUE: ("y", "amount", "spent", "value"),
    }
)
"""Names that a file's columns may have; the value's may go on with a unit, as in `y_nzd_million`."""
EARLIEST, LATEST = pd.Timestamp("1970-01-01"), pd.Timestamp("2100-01-01")
MOST_VALUE = 1e15
MOST_SERIES = 1000
MOST_REGRESSORS = 20
SHOWN = 5


@lru_cache(maxsize=1)
def schema() -> "pandera.DataFrameSchema":
    """The contract of a labelled frame; numeric columns that it does not name are regressors."""
    import pandera.pandas as pandera

    name = [
        pandera.Check.str_length(1, 64),
        pandera.Check.str_matches(r"^[^\x00-\x1f\x7f]*$", error="must not hold control characters"),
    ]
    return pandera.DataFrameSchema(
        {
            SERIES: pandera.Column(str, name, nullable=False),
            DATE: pandera.Column(
                "datetime64[ns]",
                pandera.Check.in_range(EARLIEST, LATEST, error=f"must lie from {EARLIEST:%Y} to {LATEST:%Y}"),
                nullable=False,
            ),
            VALUE: pandera.Column(
                "float64",
                pandera.Check.in_range(-MOST_VALUE, MOST_VALUE, error="must be finite and below 1e15"),
                nullable=True,
            ),
            USER: pandera.Column(object, pandera.Check.str_length(0, 64), nullable=True, required=False),
        },
        coerce=True,
    )


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the contract's types; without `user_id` all rows are about the population.

    Raises:
        DataError: columns are missing or hold values that cannot be meant; names every column and check.
    """
    import pandera.errors

    lacking = [name for name in (SERIES, DATE, VALUE) if name not in frame]
    if lacking:
        raise DataError(
            f"columns are missing from the rows of spending: {', '.join(lacking)}",
            hint="a row has series, ds (the day a period begins), y (what was spent in it)",
        )
    if not len(frame):
        raise DataError("there is no row of spending", hint="give at least one row with series, ds and y")
    if frame[SERIES].isna().any():
        raise DataError(
            f"{SERIES} is empty in {int(frame[SERIES].isna().sum())} rows", hint="name the series of each row"
        )
    try:
        valid: pd.DataFrame = schema().validate(frame.assign(**{DATE: _naive(frame[DATE])}), lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise DataError(
            f"the rows of spending break the contract: {_found(error.failure_cases)}",
            hint="docs/models/spending.md says what each column means",
        ) from None
    # an empty id is no one's: the population's rows come out of a feature store with one
    valid[USER] = (
        valid[USER].where(valid[USER].notna() & (valid[USER] != ""), None) if USER in valid else None
    )
    if valid[VALUE].isna().all():
        raise DataError(f"{VALUE} is empty in every row", hint="give what was spent, as a number")
    if valid[SERIES].nunique() > MOST_SERIES:
        raise DataError(
            f"there are {valid[SERIES].nunique():,} series, more than {MOST_SERIES:,}",
            hint="forecast categories, not single items",
        )
    if len(regressors(valid)) > MOST_REGRESSORS:
        raise DataError(
            f"there are {len(regressors(valid))} numeric columns beside y, more than {MOST_REGRESSORS}",
            hint="keep those that are known for the future",
        )
    return valid


def regressors(frame: pd.DataFrame) -> tuple[str, ...]:
    """Numeric columns beside those that the contract names, in order."""
    return tuple(
        str(name)
        for name, kind in frame.dtypes.items()
        if name not in NOT_REGRESSORS and pd.api.types.is_numeric_dtype(kind)
    )


def population(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows about everyone together."""
    return frame[frame[USER].isna()]


def users(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows about single users."""
    return frame[frame[USER].notna() & frame[VALUE].notna()]


def read(file: Path) -> pd.DataFrame:
    """Rows of spending from a Parquet or CSV file, checked.

    The columns may be named as in `NAMES`; which ones were taken is logged. Other text columns are left out,
    other numeric ones are regressors.

    Raises:
        DataError: it cannot be read, a column is missing or could be meant twice, or rows break the contract.
    """
    try:
        match file.suffix.lower():
            case ".parquet":
                frame = pd.read_parquet(file)
            case ".csv":
                frame = pd.read_csv(file)
            case suffix:
                raise DataError(
                    f"{file} is a {suffix or 'nameless'} file",
                    hint="rows of spending are read from .parquet and .csv",
                )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read: {error}", hint="see that it is whole, and in UTF-8"
        ) from error
    taken = {wanted: _column(frame, wanted, file) for wanted in NAMES}
    log.info("columns_taken", file=file.name, **taken)
    frame = frame.rename(columns={given: wanted for wanted, given in taken.items()})
    if USER in frame:
        frame[USER] = frame[USER].astype(object).where(frame[USER].notna(), None).map(_text)
    frame[SERIES] = frame[SERIES].map(_text)
    kept = [name for name in frame if name in NOT_REGRESSORS]
    return checked(frame[[*kept, *regressors(frame)]])


def _column(frame: pd.DataFrame, wanted: str, file: Path) -> str:
    """The file's column that is meant by one of the contract."""
    by_name = {str(name).strip().lower(): str(name) for name in frame.columns}
    for name in NAMES[wanted]:
        if name in by_name:
            return by_name[name]
    units = [
        given for name, given in by_name.items() if name.startswith(tuple(f"{n}_" for n in NAMES[VALUE]))
    ]
    if wanted == VALUE and len(units) == 1:
        return units[0]
    raise DataError(
        f"{file} has no column for {wanted}"
        if not (wanted == VALUE and units)
        else f"{file} has several columns that could be y: {', '.join(units)}",
        hint=f"call it one of: {', '.join(NAMES[wanted])}; the file has {', '.join(map(str, frame.columns))}",
    )


def _text(value: object) -> object:
    return None if value is None or value != value else str(value)  # noqa: PLR0124  # NaN


def _naive(dates: "pd.Series[Any]") -> "pd.Series[Any]":
    """Days without time zone; text is read as ISO 8601, since 01/02 means two days."""
    if pd.api.types.is_numeric_dtype(dates):
        raise DataError(f"{DATE} holds numbers", hint="write dates as 2026-05-01, or months as 2026-05")
    try:
        parsed = pd.to_datetime(dates, format="ISO8601", utc=True)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{DATE} holds something that is no date: {str(error).partition(',')[0]}",
            hint="write dates as 2026-05-01, or months as 2026-05",
        ) from None
    naive: pd.Series[Any] = parsed.dt.tz_localize(None).dt.normalize().astype("datetime64[ns]")
    return naive


def _found(cases: pd.DataFrame) -> str:
    """Every failing column and check with its number of rows and some of its values."""
    parts = []
    for (column, check), rows in cases.groupby(["column", "check"], sort=True):
        values: Sequence[str] = [_shown(value) for value in rows["failure_case"].unique()[:SHOWN]]
        parts.append(f"{column}: {check} ({len(rows)} rows: {', '.join(values)})")
    return "; ".join(parts)


def _shown(value: object) -> str:
    return repr(value)[:70] if isinstance(value, str) else str(value)
