"""Values of any type become the contract's types, or a reason."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.ledger.conform import conform
from finml.ledger.declaration import Column, Kind, TableContract
from finml.ledger.quarantine import merged, rows_as_json


def read(kind: Kind, values: pa.Array) -> tuple[list[Any], list[int]]:
    """What a column of `kind` makes of `values`, and which of them it cannot read."""
    columns = (Column("x", kind, "a value"),)
    done = conform(TableContract("t", "x", "x", columns, {}, ()), pa.table({"x": values}))
    unread = [int(index) for mask in done.unreadable.values() for index in mask.nonzero()[0]]
    return done.rows.column("x").to_pylist(), unread


FIRST = datetime(2024, 1, 1)
CASES: list[tuple[Kind, pa.Array, list[Any], list[int]]] = [
    (
        "integer",
        pa.array(["1", "-5", "+7", "3.0", "3.5", "1e3", "", " 4", "9" * 19]),
        [1, -5, 7, 3] + [None] * 5,
        [4, 5, 7, 8],
    ),
    ("integer", pa.array([1.0, 2.5, float("nan"), float("inf"), 1e17, None]), [1] + [None] * 5, [1, 2, 3, 4]),
    ("integer", pa.array([Decimal("1.00"), Decimal("2.50"), None]), [1, None, None], [1]),
    ("integer", pa.array([2**64 - 1, 1], pa.uint64()), [None, 1], [0]),
    ("integer", pa.array([True, None]), [None, None], [0]),
    ("integer", pa.array([1], pa.int8()), [1], []),
    (
        "real",
        pa.array(["0.1", "nan", "inf", "1e400", "-.5", "+2", "x"]),
        [0.1, None, None, None, -0.5, 2.0, None],
        [1, 2, 3, 6],
    ),
    ("real", pa.array([1, 2]), [1.0, 2.0], []),
    ("real", pa.array([float("nan"), float("-inf"), 0.1]), [None, None, 0.1], [0, 1]),
    ("real", pa.array([date(2024, 1, 1)]), [None], [0]),
    ("flag", pa.array(["TRUE", "f", "yes", "0", "2"]), [True, False, True, False, None], [4]),
    ("flag", pa.array([0, 1, 2, None]), [False, True, None, None], [2]),
    ("flag", pa.array([0.0, 1.0, float("nan")]), [False, True, None], [2]),
    ("flag", pa.array([True, None]), [True, None], []),
    ("flag", pa.array([FIRST]), [None], [0]),
    (
        "timestamp",
        pa.array(["2024-01-01", "2024-01-01 00:00", "2024-01-01T00:00:00.000000Z", "2024-01-01T00:00:00+00"]),
        [FIRST] * 4,
        [],
    ),
    (
        "timestamp",
        pa.array(["2024-01-01 05:30:00+05:30", "2023-12-31T19:00:00-0500", "2024-01-01T00:00:00.0000009"]),
        [FIRST] * 3,
        [],
    ),
    (
        "timestamp",
        pa.array(["2024-02-30", "2024-01-01T25:00:00", "20240101", "infinity", "now", "2024-00-00"]),
        [None] * 6,
        [0, 1, 2, 3, 4, 5],
    ),
    ("timestamp", pa.array([date(2024, 1, 1)]), [FIRST], []),
    ("timestamp", pa.array([date(2024, 1, 1)], pa.date64()), [FIRST], []),
    ("timestamp", pa.array([FIRST], pa.timestamp("s")), [FIRST], []),
    ("timestamp", pa.array([FIRST], pa.timestamp("ms")), [FIRST], []),
    ("timestamp", pa.array([FIRST], pa.timestamp("ns")), [FIRST], []),
    ("timestamp", pa.array([FIRST.replace(tzinfo=UTC)], pa.timestamp("us", "Asia/Kolkata")), [FIRST], []),
    ("timestamp", pa.array([2**62], pa.timestamp("s")), [None], [0]),
    ("timestamp", pa.array([1_700_000_000]), [None], [0]),
    ("id", pa.array([12, None]), ["12", None], []),
    ("id", pa.array([1.5]), [None], [0]),
    ("id", pa.array([b"caf\xe9", b"", b"ok"]), ["caf\ufffd", None, "ok"], []),
    ("text", pa.array(["a", "", None]).dictionary_encode(), ["a", None, None], []),
    ("text", pa.array(["a"], pa.large_string()), ["a"], []),
    ("text", pa.array(["a"], pa.string_view()), ["a"], []),
    ("text", pa.nulls(2), [None, None], []),
    ("enum", pa.array([["a"], None]), [None, None], [0]),
]


@pytest.mark.parametrize(("kind", "values", "expected", "unread"), CASES)
def test_reading(kind: Kind, values: pa.Array, expected: list[Any], unread: list[int]) -> None:
    assert read(kind, values) == (expected, unread)


def test_text_of_bytes_that_are_not_utf8() -> None:
    offsets, content = pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xe9b")
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, content])
    assert read("text", broken) == (["a\ufffd", "b"], [])
    assert rows_as_json(pa.table({"x": broken})) == ['{"x": "a\ufffd"}', '{"x": "b"}']


moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(st.tuples(moments, st.none() | offsets), min_size=1))
def test_any_time_as_text_is_that_time_in_utc(values: list[tuple[datetime, timezone | None]]) -> None:
    texts = [
        (moment if zone is None else moment.replace(tzinfo=UTC).astimezone(zone)).isoformat()
        for moment, zone in values
    ]
    assert read("timestamp", pa.array(texts)) == ([moment for moment, _ in values], [])


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1))
def test_any_whole_number_as_text_is_that_number(values: list[int]) -> None:
    assert read("integer", pa.array([str(value) for value in values])) == (values, [])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_any_number_as_text_is_that_number(values: list[float]) -> None:
    assert read("real", pa.array([repr(value) for value in values])) == (values, [])


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_no_text_is_lost(values: list[str]) -> None:
    assert read("text", pa.array(values)) == (values, [])


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_no_text_at_all_breaks_a_reader(values: list[str]) -> None:
    for kind in ("integer", "real", "timestamp", "flag"):
        found, unread = read(kind, pa.array(values, pa.string()))  # type: ignore[arg-type] # kinds are literals
        for index, value in enumerate(values):
            assert (found[index] is None) == (index in unread or value == "")


def test_a_value_that_could_not_be_read_is_not_also_missing() -> None:
    import numpy as np

    first, both = np.array([True, False]), np.array([True, True])
    found = merged({"x: is not a whole number": first}, {"x: must not be missing": both, "y: z": first})
    assert {reason: mask.tolist() for reason, mask in found.items()} == {
        "x: is not a whole number": [True, False],
        "x: must not be missing": [False, True],
        "y: z": [True, False],
    }
    assert "x: must not be missing" not in merged({"x: a": both}, {"x: must not be missing": both})
