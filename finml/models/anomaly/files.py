"""Reading labelled files: transactions, whose habits are computed from the file itself, or numbers.

A file with a user, a time, an amount and a category is taken for transactions, every other one for a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import structlog

from finml.errors import DataError
from finml.models.anomaly.contract import KIND, LABEL, ORDER, WEIGHT
from finml.models.anomaly.frames import checked, transactions_schema, validated, with_behaviour

TRANSACTION_NAMES: Mapping[str, Sequence[str]] = {
    "user_id": ("user_id", "card_id", "card", "account_id", "customer_id"),
    "occurred_at": ("occurred_at", "timestamp", "datetime", "date"),
    "amount": ("amount",),
    "category": ("category",),
}
"""What makes a file one of transactions: one column of each of these, by the first name that is there."""
TRANSACTION_COLUMNS = frozenset(
    {*TRANSACTION_NAMES, "merchant", "direction", "channel", "known_at", LABEL, KIND, WEIGHT}
)
LABEL_NAMES = (LABEL, "class", "label", "is_fraud", "fraud", "target")
TIME_NAMES = ("time", "occurred_at", "event_timestamp", "timestamp", "datetime", "date")
ROW_NAMES = ("id", "row_id", "index", "unnamed: 0")
"""Columns that number the rows; they say nothing about them."""
YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
# rows whose habits are computed at once, so that memory does not grow with the file
CHUNK = 20_000
MOST_A_DAY = 600
"""Minutes after noon that are still of the same day, with room."""

log = structlog.get_logger(__name__)


def read(file: Path) -> pd.DataFrame:
    """A frame that `checked` takes, from a Parquet or CSV file (which may be gzipped).

    Raises:
        DataError: it cannot be read, or breaks the contract.
    """
    table = _table(file)
    if not len(table):
        raise DataError(f"{file} has no row", hint="give transactions, or a table of numbers")
    names = {str(name).lower(): str(name) for name in reversed(list(table.columns))}
    found = {
        column: next((names[name] for name in known if name in names), None)
        for column, known in TRANSACTION_NAMES.items()
    }
    label = next((names[name] for name in LABEL_NAMES if name in names), None)
    if label is None:
        log.warning("no_label_column", file=str(file), looked_for=list(LABEL_NAMES))
    labels = pd.Series(False, table.index) if label is None else _flags(table[label], label)
    lacking = [column for column, name in found.items() if name is None]
    if lacking:
        log.info("read_as_table", file=str(file), not_transactions_without=lacking)
        return _numbers(table, names, label, labels)
    renamed = table.rename(columns={str(name): column for column, name in found.items()})
    log.info("read_as_transactions", file=str(file), rows=len(table))
    return _transactions(renamed.assign(**{LABEL: labels}))


def _table(file: Path) -> pd.DataFrame:
    try:
        match "".join(file.suffixes[-2:]).lower():
            case name if name.endswith(".parquet"):
                return pd.read_parquet(file)
            case name if name.endswith((".csv", ".csv.gz")):
                as_text = dict.fromkeys((*TRANSACTION_NAMES["user_id"], "merchant", "category", KIND), str)
                return pd.read_csv(file, dtype=as_text, low_memory=False)
            case suffix:
                raise DataError(
                    f"{file} is a {suffix or 'nameless'} file",
                    hint="rows are read from .parquet, .csv and .csv.gz",
                )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read: {error}", hint="see that it is whole, and in UTF-8"
        ) from error


def _flags(values: pd.Series, name: str) -> "pd.Series[bool]":
    """Labels as flags; those that are 0, 1, true, false, yes or no."""
    words = values.astype(str).str.strip().str.lower()
    wrong = ~words.isin([*YES, *NO])
    if wrong.any():
        shown = ", ".join(repr(value) for value in values[wrong].unique()[:5])
        raise DataError(
            f"the label {name} is neither 0 nor 1 in {int(wrong.sum())} rows: {shown}",
            hint="1 is an anomaly, 0 is none",
        )
    return words.isin(YES)


def _numbers(
    table: pd.DataFrame, names: Mapping[str, str], label: str | None, labels: "pd.Series[bool]"
) -> pd.DataFrame:
    """A table's numeric columns, its labels, and the time that orders its rows where there is one."""
    time = next((names[name] for name in TIME_NAMES if name in names and names[name] != label), None)
    left_out = {label, time, WEIGHT, KIND, *(names[name] for name in ROW_NAMES if name in names)}
    numeric = table.drop(columns=[name for name in table.columns if name in left_out])
    numeric = numeric.select_dtypes(["number", "bool"]).astype("float64")
    ignored = [str(name) for name in table.columns if name not in left_out and name not in numeric]
    if ignored:
        log.warning("columns_that_are_no_numbers_are_left_out", columns=ignored)
    numeric.columns = numeric.columns.map(str)
    order = pd.Series(float("nan"), table.index) if time is None else _order(table[time], time)
    kind = table.get(KIND)
    return checked(numeric.assign(**{LABEL: labels, KIND: kind, ORDER: order}).reset_index(drop=True))


def _order(values: pd.Series, name: str) -> "pd.Series[float]":
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64")
    moments = _moments(values, name)
    return (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds()


def _moments(values: pd.Series, name: str) -> "pd.Series[pd.Timestamp]":
    moments = pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601")
    wrong = moments.isna()
    if wrong.any():
        shown = ", ".join(repr(value) for value in values[wrong].unique()[:5])
        raise DataError(
            f"{name} is no time in {int(wrong.sum())} rows: {shown}",
            hint="give ISO 8601, as in 2025-03-31T18:05",
        )
    return moments.astype("datetime64[us, UTC]")


def _apart(moments: "pd.Series[pd.Timestamp]", users: pd.Series) -> "pd.Series[pd.Timestamp]":
    """The moments; where all are mere dates, a user's debits of a day a minute apart from noon on.

    At one and the same moment none of them would be part of another's history, and neither a payment made
    twice nor ten on one day could be seen. Their order is the file's.
    """
    if not (moments == moments.dt.normalize()).all():
        return moments
    log.warning("dates_without_time", rows=len(moments), taken_as="a minute apart from noon on")
    place = moments.groupby([users, moments]).cumcount()
    return moments + pd.Timedelta("12h") + pd.to_timedelta(place.clip(upper=MOST_A_DAY), unit="min")


def _transactions(table: pd.DataFrame) -> pd.DataFrame:
    """The debits with behaviour features; credits are neither judged nor habits, whatever they hold."""
    # features that a file brings, as one that finml wrote does, are computed anew
    table = _debits(table[[name for name in table if name in TRANSACTION_COLUMNS]])
    table["occurred_at"] = _apart(_moments(table["occurred_at"], "occurred_at"), table["user_id"])
    table["known_at"] = (
        _moments(table["known_at"], "known_at") if "known_at" in table else table["occurred_at"]
    )
    for name, value in (("merchant", None), (KIND, None), (WEIGHT, 1.0)):
        if name not in table:
            table[name] = value
    table["merchant"] = table["merchant"].astype(object).where(table["merchant"].notna(), None)
    table[KIND] = table[KIND].astype(object).where(table[KIND].notna(), None)
    table = validated(transactions_schema(), table)
    parts = [checked(with_behaviour(part)) for part in _with_habits(table)]
    kept = ["user_id", "occurred_at", "amount", "category", "merchant", LABEL, KIND, WEIGHT]
    together = pd.concat(parts)
    return together[[*kept, *[name for name in together if name not in table.columns]]].sort_index(
        ignore_index=True
    )


def _debits(table: pd.DataFrame) -> pd.DataFrame:
    """The rows where money is spent; all of them where no direction is told."""
    direction = table["direction"] if "direction" in table else pd.Series("debit", table.index)
    strange = sorted(set(direction) - {"debit", "credit"}, key=str)
    if strange:
        raise DataError(
            f"direction holds {', '.join(map(repr, strange[:5]))}",
            hint="it is debit or credit; refunds are credit",
        )
    debits = table[direction == "debit"].reset_index(drop=True).assign(direction="debit")
    if debits.empty:
        raise DataError("there is no debit", hint="direction says debit where money is spent")
    if len(debits) < len(table):
        log.info("credits_are_left_out", rows=len(table) - len(debits))
    return debits


def _with_habits(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The debits, some at a time, each with its user's habits as of the last whole second before it."""
    from finml.features.engine import duckdb_engine
    from finml.features.transaction_habits import transaction_habits

    moved = table[["user_id", "category", "merchant", "direction"]].assign(
        occurred_at=table["occurred_at"].dt.tz_localize(None),
        known_at=table["known_at"].dt.tz_localize(None),
        amount_minor=(table["amount"] * 100).round().astype("int64"),
    )
    before = table["occurred_at"].dt.tz_localize(None) - pd.Timedelta("1us")
    debits = table.assign(event_timestamp=before.dt.floor("s"))
    keys = debits[["user_id", "event_timestamp"]].drop_duplicates(ignore_index=True)
    with duckdb_engine() as backend:
        movements = backend.create_table("movements", moved.astype({"merchant": "string"}))
        for start in range(0, len(keys), CHUNK):
            asked = backend.create_table("asked", keys.iloc[start : start + CHUNK], overwrite=True)
            habits = transaction_habits(movements, asked).to_pandas()
            part = debits.reset_index().merge(habits, on=["user_id", "event_timestamp"]).set_index("index")
            yield part.drop(columns="event_timestamp")
            log.info("habits_computed", moments=min(start + CHUNK, len(keys)), of=len(keys))
