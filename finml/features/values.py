"""Feast's stored values, read without making a message of each.

Feast keeps a value as a protocol buffer of its own. One that holds a double is always nine bytes: the field's
key and the number, little-endian. A row of those is read by one call, anything else by Feast's class.
"""

import math
import struct
from array import array
from collections.abc import Sequence
from functools import cache

from feast.protos.feast.types.Value_pb2 import Value

Stored = bytes | None
"""A serialized value; `None` or empty where there is none."""

MISSING = math.nan
_NAN = Value(double_val=MISSING).SerializeToString()
_KEY, _BYTES = _NAN[:1], len(_NAN)


def numbers(values: Sequence[Stored]) -> "array[float]":
    """The numbers of a row; NaN where there is none, or none can be said."""
    count = len(values)
    joined = b"".join([value or _NAN for value in values])
    if len(joined) == count * _BYTES and joined[::_BYTES] == _KEY * count:
        return array("d", _row(count).unpack(joined))
    return array("d", map(_number, values))


def text(value: Stored) -> str | None:
    """A text; `None` where there is none."""
    message = Value.FromString(value or b"")
    return str(message.string_val) if message.WhichOneof("val") == "string_val" else None


def _number(value: Stored) -> float:
    message = Value.FromString(value or b"")
    # an unset value reads as 0.0
    return float(message.double_val) if message.WhichOneof("val") == "double_val" else MISSING


@cache
def _row(count: int) -> struct.Struct:
    return struct.Struct("<" + "xd" * count)
