"""Where rows of the inference log are written: Parquet files, or PostgreSQL."""

import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from finml.errors import MonitoringError, SettingsError
from finml.monitoring.rows import COLUMNS, listed
from finml.private_files import private_file, private_folder
from finml.settings import Settings

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

OFF = "off"
TABLE = "finml_inference_log"
WAIT_S = 10
# rows between two chances for other threads
ROWS_AT_ONCE = 64

TYPES = {"at": "timestamptz", "shadow": "boolean", "position": "integer", "latency_ms": "double precision"}
DECLARED = ", ".join(f'"{name}" {TYPES.get(name, "text")}' for name in COLUMNS)
CREATE = f"CREATE TABLE IF NOT EXISTS {TABLE} ({DECLARED})"
INDEXES = (
    f'CREATE INDEX IF NOT EXISTS {TABLE}_at ON {TABLE} (model, "at")',
    f"CREATE INDEX IF NOT EXISTS {TABLE}_request_id ON {TABLE} (request_id)",
)


class SinkUnavailableError(MonitoringError):
    """Rows cannot be written now; they may be later."""


class RowsRefusedError(MonitoringError):
    """The rows themselves are refused, and would be again."""


class Sink(Protocol):
    """Where rows are written."""

    def write(self, rows: "pa.Table") -> None:
        """Write all rows, so that they outlive this process.

        Raises:
            SinkUnavailableError: they may be written later.
            RowsRefusedError: they never will.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def folder(settings: Settings) -> Path:
    """Folder of the Parquet files."""
    return settings.home / "inference_log"


def sink_of(settings: Settings) -> Sink | None:
    """The sink that the settings name; `None` where nothing is logged. Connects to nothing.

    Raises:
        SettingsError: the setting is neither empty nor `off` nor a PostgreSQL URL.
    """
    url = settings.inference_log.get_secret_value()
    if url == OFF:
        return None
    if not url:
        return ParquetSink(folder(settings))
    if is_postgresql(url):
        return PostgresSink(url)
    raise SettingsError(
        "FINML_INFERENCE_LOG is neither `off` nor a PostgreSQL URL",
        hint="postgresql://user:password@host:5432/database, or empty for Parquet files",
    )


def is_postgresql(url: str) -> bool:
    """Whether a URL is one of PostgreSQL."""
    return url.startswith(("postgresql://", "postgres://"))


class ParquetSink:
    """One file a write, below a folder a day; no file is ever seen half-written.

    Names hold a random part, so that processes never share one, even where each is process 1 of its
    container.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._number = 0

    def write(self, rows: "pa.Table") -> None:
        """Write the rows and have the disk keep them.

        Raises:
            SinkUnavailableError: the disk is full, or the folder cannot be written to.
        """
        for day, part in _by_day(rows):
            target = self.root / f"date={day}" / f"{self._process}-{self._number}.parquet"
            try:
                write_parquet(part, target)
            except OSError as error:
                raise SinkUnavailableError(
                    f"the inference log cannot be written: {error.strerror or type(error).__name__}",
                    hint=f"check {self.root} and its disk",
                ) from None
            self._number += 1

    def close(self) -> None:
        """Nothing is open between two writes."""


def write_parquet(rows: "pa.Table", target: Path) -> None:
    """Write a file for its owner alone, there as a whole or not at all, which survives a loss of power.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow.parquet as pq

    beside = target.with_suffix(".part")
    private_folder(target.parent)
    try:
        private_file(beside)
        pq.write_table(rows, beside, compression="zstd")
        sync(beside)
        beside.replace(target)
        # its name too
        sync(target.parent)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def sync(file: Path) -> None:
    """Have the disk keep what is written to a file, or the names in a folder."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _by_day(rows: "pa.Table") -> Iterator[tuple[date, "pa.Table"]]:
    import pyarrow.compute as pc

    days = pc.floor_temporal(rows["at"], unit="day")
    for day in pc.unique(days).to_pylist():
        yield day.date(), rows.filter(pc.equal(days, day))


class PostgresSink:
    """One transaction a write, by COPY; the table is made where it is missing.

    Where a connection breaks during a commit nobody knows whether it took place. The rows are then written
    again, and readers take them for one.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def write(self, rows: "pa.Table") -> None:
        """Write the rows in one transaction.

        Raises:
            SinkUnavailableError: the server cannot be reached, or lets us not write.
            RowsRefusedError: it can take no such row.
        """
        import psycopg

        try:
            connection = self._connection or self._connect()
            statement = f"COPY {TABLE} ({listed(COLUMNS)}) FROM STDIN"
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(statement) as copy:
                for place, row in enumerate(_tuples(rows)):
                    copy.write_row(row)
                    if place % ROWS_AT_ONCE == 0:
                        time.sleep(0)
        except psycopg.DataError as error:
            raise RowsRefusedError(
                f"PostgreSQL refuses rows of the inference log ({error.sqlstate})"
            ) from None
        except (psycopg.Error, OSError) as error:
            # its message may quote a row
            self.close()
            state = getattr(error, "sqlstate", None) or type(error).__name__
            raise SinkUnavailableError(
                f"PostgreSQL takes no rows of the inference log ({state})",
                hint="check FINML_INFERENCE_LOG, the server, and that its user may create and fill a table",
            ) from None

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        connection = connect(self._url)
        self._connection = connection
        connection.execute(CREATE)
        for statement in INDEXES:
            connection.execute(statement)
        return connection


def connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection on which nothing takes longer than `WAIT_S`.

    Raises:
        psycopg.OperationalError: there is none to be had.
    """
    import psycopg

    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=WAIT_S,
        tcp_user_timeout=WAIT_S * 1000,
        options=f"-c statement_timeout={WAIT_S * 1000} -c client_min_messages=warning",
        application_name="finml",
    )


def _tuples(rows: "pa.Table") -> Iterator[tuple[Any, ...]]:
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def moment(when: datetime) -> datetime:
    """`when` in UTC; without an offset it is UTC already."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
