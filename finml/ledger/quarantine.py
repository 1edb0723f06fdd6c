"""Rows that broke their contract: why, and what they held, as JSON."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from finml.ledger.checks import MISSING, Failures
from finml.ledger.source import BrokenLine

if TYPE_CHECKING:
    import pyarrow as pa


def merged(unreadable: Failures, broken: Failures) -> Failures:
    """Both kinds of failures, without calling a value missing that was there and could not be read."""
    columns = {reason.partition(": ")[0]: mask for reason, mask in unreadable.items()}
    reasons = dict(unreadable)
    for reason, mask in broken.items():
        column, _, words = reason.partition(": ")
        left = mask & ~columns[column] if words == MISSING and column in columns else mask
        if left.any():
            reasons[reason] = left
    return reasons


def reasons_by_row(failures: Failures, size: int) -> list[list[str] | None]:
    """For each of `size` rows its reasons, or `None` for a row without fault."""
    reasons: list[list[str] | None] = [None] * size
    for reason, mask in failures.items():
        for index in np.flatnonzero(mask):
            found = reasons[index]
            if found is None:
                reasons[index] = [reason]
            else:
                found.append(reason)
    return reasons


def rows_as_json(rows: "pa.Table") -> list[str]:
    """Raw rows as JSON objects, with every value in a shape that JSON has."""
    import pyarrow as pa

    columns = {}
    for name in rows.column_names:
        values = rows.column(name)
        if pa.types.is_temporal(values.type):
            # Arrow's times reach further than Python's
            values = values.cast(pa.string())
        columns[name] = [_plain(value) for value in _values(values)]
    names = list(columns)
    return [
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str)
        for row in zip(*columns.values(), strict=True)
    ]


def line_as_json(line: BrokenLine) -> str:
    """A line that could not be made a row as a JSON object."""
    return json.dumps({"line": line.text}, ensure_ascii=False)


def _values(values: "pa.ChunkedArray") -> list[Any]:
    import pyarrow as pa

    try:
        return values.to_pylist()  # type: ignore[no-any-return] # pyarrow ships no types
    except UnicodeDecodeError:
        return values.cast(pa.binary()).to_pylist()  # type: ignore[no-any-return] # as above


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a source holds
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
