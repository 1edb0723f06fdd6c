"""Reading a ledger, batch by batch, from wherever its URL says it is.

    with open_source(url) as source:
        for batch in source.batches("users", since=None, batch_rows=200_000):
            ...

A source hands over what it finds: nothing is checked or converted here but what is needed to hand it over.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.urls import parse_url

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 200_000


@dataclass(frozen=True)
class Header:
    """Where rows of a table come from, and which columns they have there.

    Attributes:
        place: a table's or file's name, as a user knows it.
        columns: the columns' names, in order.
    """

    place: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class BrokenLine:
    """A line of a text file that cannot be split into the table's columns."""

    words: str
    text: str


@dataclass(frozen=True)
class RawBatch:
    """Rows as they were found.

    Attributes:
        rows: Arrow table of the contract's columns, as far as the source has them, with the source's types.
        broken: lines that could not be made rows.
    """

    rows: "pa.Table"
    broken: tuple[BrokenLine, ...] = ()


class LedgerSource(ABC):
    """A ledger to read. Made by `open_source`, used as a context manager.

    Attributes:
        place: the ledger's URL without user and password.
    """

    place: str

    def tables(self) -> list[str]:
        """The ledger tables that are there, parents before children."""
        return [table for table in TABLES if self.headers(table)]

    @abstractmethod
    def headers(self, table: str) -> list[Header]:
        """Places that hold rows of `table`, with their columns; empty if there is no such table.

        Raises:
            ContractError: a file is empty or unreadable.
        """

    def has_rows(self, table: str) -> bool:
        """Whether there is anything in `table` at all."""
        return any(batch.rows.num_rows or batch.broken for batch in self.batches(table, None, 1000))

    @abstractmethod
    def strangers(self) -> list[str]:
        """Names of tables or files that belong to no ledger table."""

    @abstractmethod
    def generation(self) -> str | None:
        """What differs each time finml writes the ledger anew; `None` for a ledger that is not finml's."""

    @staticmethod
    def wanted_columns(table: str, there: Collection[str]) -> list[str]:
        """The contract's columns that are `there`; others are never read, so never end up in quarantine."""
        return [name for name in CONTRACTS[table].column_names if name in there]

    @abstractmethod
    def batches(
        self, table: str, since: datetime | None, batch_rows: int = BATCH_ROWS, keys: Sequence[str] = ()
    ) -> Iterator[RawBatch]:
        """Rows of `table`, in batches that are read as they are asked for.

        Args:
            table: one of `tables()`.
            since: leave out rows that were last changed before this naive UTC time, where the source can
                tell; one that cannot hands over all rows, and rows without a readable time always come.
            batch_rows: rows a batch, about.
            keys: primary keys of rows that are wanted whenever they changed.

        Raises:
            ContractError: the table cannot be read to its end.
            SourceError: the connection is lost.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(url: str) -> LedgerSource:
    """Open the ledger at `url` for reading.

    Args:
        url: PostgreSQL, SQLite or DuckDB URL, or a folder with `<table>.parquet`, `<table>.csv` or a folder
            `<table>/` of such files for each table.

    Raises:
        SourceError: nothing is there, it cannot be reached, or it holds no ledger table; the message says
            what to do and never shows a password.
    """
    target = parse_url(url)
    match target.kind:
        case "folder":
            from finml.ledger.sources.folder import FolderSource

            return FolderSource(target)
        case "duckdb":
            from finml.ledger.sources.duckdb import DuckDBSource

            return DuckDBSource(target)
        case "sqlite" | "postgresql":
            from finml.ledger.sources.sql import SqlSource

            return SqlSource(target)
