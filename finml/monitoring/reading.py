"""Reads the inference log back as a table."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finml.errors import MonitoringError
from finml.monitoring.rows import COLUMNS, SAME_PREDICTION, listed, schema
from finml.monitoring.sinks import TABLE, connect, folder, is_postgresql, moment
from finml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DAY = "date="
ATTEMPTS = 5


def read(
    settings: Settings,
    since: datetime | None = None,
    until: datetime | None = None,
    model: str | None = None,
    *,
    columns: Sequence[str] = COLUMNS,
) -> "pd.DataFrame":
    """Logged predictions, the oldest first.

    Args:
        settings: name the log.
        since: first moment; UTC where it has no offset.
        until: first moment that is left out.
        model: one model only.
        columns: of `finml.monitoring.rows.COLUMNS`; texts of inputs and outputs are most of the log.

    Returns:
        One row a prediction. `at` is in UTC, `inputs`, `features` and `output` are JSON texts; the types are
        the same for an empty log.

    Raises:
        MonitoringError: nothing is logged by the settings, or the log cannot be read.
    """
    unknown = set(columns) - set(COLUMNS)
    if unknown:
        raise MonitoringError(f"the inference log has no columns {', '.join(sorted(unknown))}")
    url = settings.inference_log.get_secret_value()
    begin, end = (moment(when) if when else None for when in (since, until))
    if is_postgresql(url):
        table = _from_postgres(url, begin, end, model, columns)
    elif url:
        raise MonitoringError(
            "predictions are not logged", hint="unset FINML_INFERENCE_LOG, or set it to a PostgreSQL URL"
        )
    else:
        table = _from_parquet(folder(settings), begin, end, model, columns)
    found: pd.DataFrame = table.to_pandas()
    return found


def days(root: Path, since: datetime | None = None, until: datetime | None = None) -> Iterator[Path]:
    """Folders of the days that hold predictions of a period, the oldest first."""
    for day in sorted(root.glob(f"{DAY}*")):
        begin = moment(datetime.fromisoformat(day.name.removeprefix(DAY)))
        if (until is None or begin < until) and (since is None or begin + timedelta(days=1) > since):
            yield day


def _conditions(
    since: datetime | None, until: datetime | None, model: str | None, placeholder: str
) -> tuple[str, list[Any]]:
    wanted = (('"at" >=', since), ('"at" <', until), ("model =", model))
    given = [(text, value) for text, value in wanted if value is not None]
    clause = " AND ".join(f"{text} {placeholder}" for text, _ in given)
    return f"WHERE {clause}" if clause else "", [value for _, value in given]


def _query(source: str, clause: str, columns: Sequence[str]) -> str:
    """One row a prediction, however often it was written."""
    once = f"SELECT DISTINCT ON ({listed(SAME_PREDICTION)}) * FROM {source} {clause}"  # noqa: S608  # nosec B608  # made of constants
    return (
        f"SELECT {listed(columns)} FROM ({once}) AS logged "  # noqa: S608  # nosec B608  # made of constants
        f"ORDER BY {listed(('at', 'request_id', 'position'))}"
    )


def _from_parquet(
    root: Path, since: datetime | None, until: datetime | None, model: str | None, columns: Sequence[str]
) -> "pa.Table":
    import duckdb

    clause, values = _conditions(since, until, model, "?")
    types = pa_types(columns)
    for attempt in range(ATTEMPTS):
        files = [str(file) for day in days(root, since, until) for file in sorted(day.glob("*.parquet"))]
        if not files:
            return types.empty_table()
        source = "read_parquet(?, union_by_name = true, hive_partitioning = false)"
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            try:
                found = connection.execute(_query(source, clause, columns), [files, *values])
                return found.to_arrow_table().cast(types)
            except duckdb.IOException as error:
                # a compaction may have replaced files since they were listed
                if attempt == ATTEMPTS - 1:
                    raise MonitoringError(
                        "the inference log cannot be read", hint=f"check the files in {root}: {error}"
                    ) from None
        time.sleep(0.1 * attempt)
    raise AssertionError("unreachable")


def _from_postgres(
    url: str, since: datetime | None, until: datetime | None, model: str | None, columns: Sequence[str]
) -> "pa.Table":
    import psycopg
    import pyarrow as pa

    clause, values = _conditions(since, until, model, "%s")
    types = pa_types(columns)
    try:
        with connect(url) as connection:
            rows = connection.execute(_query(TABLE, clause, columns).encode(), values).fetchall()
    except psycopg.errors.UndefinedTable:
        return types.empty_table()
    except psycopg.Error as error:
        raise MonitoringError(
            f"the inference log in PostgreSQL cannot be read ({error.sqlstate or type(error).__name__})",
            hint="check FINML_INFERENCE_LOG and the server",
        ) from None
    if not rows:
        return types.empty_table()
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), types, strict=True)],
        schema=types,
    )


def pa_types(columns: Sequence[str]) -> "pa.Schema":
    """Types of some columns."""
    import pyarrow as pa

    return pa.schema([schema().field(name) for name in columns])
