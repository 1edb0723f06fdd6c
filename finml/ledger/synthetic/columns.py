"""Columns of Arrow tables made from arrays of numbers, without a Python object a row."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from finml.ledger.synthetic.draws import Bools, Ints

Table = Any
"""A `pyarrow.Table`; pyarrow ships no types."""
Column = Any
"""A `pyarrow.Array`."""


def ids(prefix: str, numbers: Ints, digits: int = 8) -> Column:
    """Identifiers such as `u00000012`."""
    return pc.binary_join_element_wise(
        prefix, pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), digits, "0"), ""
    )


def moments(times: Ints, missing: Bools | None = None) -> Column:
    """Timestamps from microseconds since 1970; null where `missing`."""
    return pa.array(times, mask=missing).cast(pa.timestamp("us"))


def amounts(minor: Ints, missing: Bools) -> Column:
    """Amounts in minor units; null where `missing`."""
    return pa.array(minor, mask=missing)


def words(vocabulary: Sequence[str], positions: Ints) -> Column:
    """Words of a vocabulary by position; null where the position is negative."""
    indices = pa.array(positions.astype("int32"), mask=positions < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(vocabulary, pa.string()))


def constant(word: str, size: int) -> Column:
    """The same word in every row."""
    return pa.repeat(word, size)
