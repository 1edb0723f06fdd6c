"""Bringing raw rows to the types of their contract, value by value.

A value that cannot be read as its column's type becomes a missing one and is remembered with a reason, so one
bad value costs its own row and nothing else.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finml.ledger.checks import Failures, Mask
from finml.ledger.declaration import Column, TableContract

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = r"^[+-]?\d{1,18}(\.0*)?$"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"
_TIME = (
    r"^\d{4}-\d{2}-\d{2}"
    r"([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
)
_UTC_OFFSET = r"(:.*)(Z|[+-]00(:?00)?)$"
_TRUE, _FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")
_EXACT_IN_DOUBLE = 2**53
_WORDS = {
    "integer": "is not a whole number",
    "real": "is not a finite number",
    "timestamp": "is not a date and time",
    "flag": "is not true or false",
}


@dataclass(frozen=True)
class Conformed:
    """Rows with the contract's types.

    Attributes:
        rows: table of the contract's `arrow_schema`; what could not be read is missing.
        unreadable: the rows of each reason for which a value could not be read.
    """

    rows: "pa.Table"
    unreadable: Failures = field(default_factory=dict)


def conform(contract: TableContract, raw: "pa.Table") -> Conformed:
    """Bring rows to the contract's types.

    Args:
        contract: the table's contract.
        raw: rows that have at least the contract's columns, of any types.
    """
    import pyarrow as pa

    columns, unreadable = [], {}
    for column in contract.columns:
        values = _plain(raw.column(column.name).combine_chunks())
        typed = _read(column, values)
        lost = _mask(values.is_valid()) & ~_mask(typed.is_valid())
        if lost.any():
            unreadable[f"{column.name}: {_WORDS.get(column.kind, 'is not text')}"] = lost
        columns.append(typed)
    return Conformed(pa.table(columns, schema=contract.arrow_schema), unreadable)


def _read(column: Column, values: "pa.Array") -> "pa.Array":
    """Plain values in the column's type, missing where they cannot be read."""
    import pyarrow as pa

    if pa.types.is_null(values.type):
        return values.cast(column.arrow_type)
    match column.kind:
        case "integer":
            return _whole_numbers(values)
        case "real":
            return _numbers(values)
        case "timestamp":
            return _times(values)
        case "flag":
            return _flags(values)
        case _:
            return _texts(values)


def _plain(values: "pa.Array") -> "pa.Array":
    """The same values in one of the few types that the readers below know; blank text as missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        values = _decoded(values)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        values = values.cast(pa.string())
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            values = _decoded(values.cast(pa.binary()))
    elif pa.types.is_decimal(kind):
        values = values.cast(pa.string())
    if pa.types.is_string(values.type):
        values = _where(pc.not_equal(values, ""), values)
    return values


def _decoded(values: "pa.Array") -> "pa.Array":
    import pyarrow as pa

    return pa.array(
        [None if value is None else value.decode("utf-8", "replace") for value in values.to_pylist()],
        pa.string(),
    )


def _texts(values: "pa.Array") -> "pa.Array":
    """Text; whole numbers too, for many banks number their customers."""
    import pyarrow as pa

    if pa.types.is_string(values.type):
        return values
    if pa.types.is_integer(values.type):
        return values.cast(pa.string())
    return pa.nulls(len(values), pa.string())


def _whole_numbers(values: "pa.Array") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind):
        digits = pc.replace_substring_regex(_only(values, _WHOLE), r"^\+|\.0*$", "")
        return digits.cast(pa.int64())
    if pa.types.is_floating(kind):
        exact = pc.and_(pc.equal(values, pc.floor(values)), pc.less_equal(pc.abs(values), _EXACT_IN_DOUBLE))
        return _where(exact, values).cast(pa.int64())
    if kind == pa.uint64():
        return _where(pc.less_equal(values, pa.scalar(2**63 - 1, kind)), values).cast(pa.int64())
    return values.cast(pa.int64()) if pa.types.is_integer(kind) else pa.nulls(len(values), pa.int64())


def _numbers(values: "pa.Array") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind):
        values = pc.replace_substring_regex(_only(values, _NUMBER), r"^\+", "").cast(pa.float64())
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = values.cast(pa.float64(), safe=False)
    else:
        return pa.nulls(len(values), pa.float64())
    return _where(pc.is_finite(values), values)


def _flags(values: "pa.Array") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_boolean(kind):
        return values
    if pa.types.is_string(kind):
        words = pc.utf8_lower(values)
        true, false = pc.is_in(words, pa.array(_TRUE)), pc.is_in(words, pa.array(_FALSE))
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        true, false = pc.equal(values, 1), pc.equal(values, 0)
    else:
        return pa.nulls(len(values), pa.bool_())
    return _where(pc.or_(true, false), true)


def _times(values: "pa.Array") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind):
        return _parsed_times(_only(values, _TIME))
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("ms")).cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(kind):
        return pa.nulls(len(values), pa.timestamp("us"))
    # with or without a zone's name the numbers count from the same moment in UTC
    ticks = values.cast(pa.int64())
    per_unit = {"s": 1_000_000, "ms": 1_000}.get(kind.unit)
    if per_unit:
        ticks = pc.multiply(_where(pc.less(pc.abs(ticks), (2**63 - 1) // per_unit), ticks), per_unit)
    elif kind.unit == "ns":
        ticks = pc.divide(ticks, 1000)
    return ticks.cast(pa.timestamp("us"))


def _parsed_times(values: "pa.Array") -> "pa.Array":
    """ISO 8601 text as UTC.

    Arrow is fast but gives up on a whole array for one value with an offset or a day that no calendar has;
    DuckDB takes both.
    """
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(values, _UTC_OFFSET, r"\1")
    try:
        return plain.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("texts", pa.table({"value": plain}))
        query = "SELECT CAST(TRY_CAST(value AS TIMESTAMPTZ) AS TIMESTAMP) AS value FROM texts"
        table = connection.execute(query).to_arrow_table()
    return table.column("value").combine_chunks().cast(pa.timestamp("us"))


def _only(values: "pa.Array", pattern: str) -> "pa.Array":
    import pyarrow.compute as pc

    return _where(pc.match_substring_regex(values, pattern), values)


def _where(keep: "pa.Array", values: "pa.Array") -> "pa.Array":
    """`values`, missing wherever `keep` is not true."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.fill_null(keep, False), values, pa.scalar(None, values.type))


def _mask(values: "pa.Array") -> Mask:
    mask: Mask = values.to_numpy(zero_copy_only=False).astype(bool)
    return mask
