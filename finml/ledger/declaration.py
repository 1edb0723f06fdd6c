"""What a table of the ledger is declared with: columns, the order of times, annotations, keys.

A declaration is data; the Pandera schema, the Arrow schema and the SQL column types are made from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    import pandera.pandas as pandera
    import pyarrow as pa

Kind = Literal["id", "text", "enum", "currency", "timestamp", "integer", "real", "flag"]

MAX_ID_LENGTH = 64
MAX_TEXT_LENGTH = 256
EARLIEST_YEAR = 1900
LAST_DUE_YEARS = 60
"""How far ahead a due date may lie: a term of 600 months, and room."""

_SQL_TYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "id": "TEXT",
        "text": "TEXT",
        "enum": "TEXT",
        "currency": "TEXT",
        "timestamp": "TIMESTAMP",
        "integer": "BIGINT",
        "real": "DOUBLE PRECISION",
        "flag": "BOOLEAN",
    }
)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Pattern:
    """A regular expression that a text has to match as a whole or in part, and the rule in words."""

    regex: str
    words: str


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: the column's name.
        kind: what its values are; decides type and standing checks.
        words: meaning and unit.
        nullable: whether a value may be missing.
        values: the allowed values of an `enum`.
        minimum: least value allowed, itself included.
        maximum: greatest value allowed, itself included.
        future: whether a timestamp may lie after the moment of ingestion.
        longest: most characters that a `text` may have.
        pattern: what a `text` has to match.
    """

    name: str
    kind: Kind
    words: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    future: bool = False
    longest: int = MAX_TEXT_LENGTH
    pattern: Pattern | None = None

    @property
    def sql_type(self) -> str:
        """Column type that PostgreSQL, SQLite and DuckDB all understand."""
        return _SQL_TYPES[self.kind]

    @property
    def arrow_type(self) -> "pa.DataType":
        """Arrow type of a validated column."""
        import pyarrow as pa

        match self.kind:
            case "timestamp":
                return pa.timestamp("us")
            case "integer":
                return pa.int64()
            case "real":
                return pa.float64()
            case "flag":
                return pa.bool_()
            case _:
                return pa.string()


@dataclass(frozen=True)
class Order:
    """Two times of a row, of which one may not come before the other. Missing times break no order."""

    earlier: str
    later: str
    strict: bool = False

    @property
    def words(self) -> str:
        """The rule as a sentence that a report can show."""
        return f"must be {'before' if self.strict else 'at or before'} {self.later}"


@dataclass(frozen=True)
class Annotation:
    """A column that marks parts of a text in another column of the same row.

    It holds a JSON list of `{"start": 3, "end": 9, "label": "MONEY"}`, from the first character to the one
    behind the last, counted in Unicode characters from 0. A missing list is a text nobody has annotated, an
    empty one a text with nothing in it.
    """

    column: str
    of: str


@dataclass(frozen=True)
class TableContract:
    """What one table must hold.

    Attributes:
        name: the table's name.
        primary_key: column whose values are unique in the table.
        event_time: column that says when the thing happened.
        columns: all columns, primary key first.
        foreign_keys: parent table by column.
        orders: rules on the order of a row's times.
        annotations: columns that mark parts of a row's text.
        required: whether a ledger without a row in this table cannot be meant.
        optional: whether the table lies beside the bank's books: a ledger without it is as good as one in
            which it is empty, and its rows say nothing of how far the books go.
    """

    name: str
    primary_key: str
    event_time: str
    columns: tuple[Column, ...]
    foreign_keys: Mapping[str, str]
    orders: tuple[Order, ...]
    annotations: tuple[Annotation, ...] = ()
    required: bool = False
    optional: bool = False

    def __post_init__(self) -> None:
        for identifier in (self.name, *self.column_names):
            if not _IDENTIFIER.fullmatch(identifier):
                raise ValueError(f"{identifier!r} cannot be the name of a table or column")

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` if there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def arrow_schema(self) -> "pa.Schema":
        """Arrow schema of the validated table."""
        import pyarrow as pa

        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    def schema(self, now: "datetime") -> "pandera.DataFrameSchema":
        """The contract as a Pandera schema, for frames made from a table of `arrow_schema`.

        Args:
            now: naive UTC time after which nothing can have happened yet.
        """
        from finml.ledger.checks import dataframe_schema

        return dataframe_schema(self, now)
