"""JSON texts made of columns: equal values give equal bytes.

Every list has an order of its own, and every number is an integer or rounded to six digits, so that no order
of rows or operations shows.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

DIGITS = 6


def json_text(value: "ir.Value") -> "ir.Value":
    """A string in quotes, with everything escaped that must be; `null` where it is missing."""
    import ibis

    def to_json(text: str) -> str: ...  # type: ignore[empty-body] # DuckDB's own

    return ibis.udf.scalar.builtin(to_json)(value).fill_null("null")


def json_number(value: "ir.Value") -> "ir.Value":
    """An integer as it is, a float64 rounded; `null` where it is missing."""
    rounded = value.round(DIGITS) if value.type().is_floating() else value
    return rounded.cast("string").fill_null("null")


def json_list(values: "Sequence[ir.Value]") -> "ir.Value":
    """Texts that are JSON already, as one list."""
    return "[" + _joined(values) + "]"


def json_entry(name: "ir.Value", value: "ir.Value") -> "ir.Value":
    """An entry of an object: a name that is a string, and a text that is JSON already."""
    return json_text(name) + ":" + value


def json_object(entries: "ir.Value") -> "ir.Value":
    """Entries, already joined by commas, as an object; an empty one where they are missing."""
    return "{" + entries.fill_null("") + "}"


def json_record(fields: "Mapping[str, ir.Value]") -> "ir.Value":
    """Texts that are JSON already, as an object with fixed names."""
    entries = [f'"{name}":' + text for name, text in fields.items()]
    return "{" + _joined(entries) + "}"


def _joined(values: "Sequence[ir.Value]") -> "ir.Value":
    first, *others = values
    text = first
    for other in others:
        text = text + "," + other
    return text


def deviation(value: "ir.Value") -> "ir.Value":
    """The median absolute deviation of a group, not scaled; missing for an empty one."""
    import ibis

    def mad(number: float) -> float: ...  # type: ignore[empty-body] # DuckDB's own

    return ibis.udf.agg.builtin(mad)(value)
