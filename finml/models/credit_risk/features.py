"""What a model's feature is: its column, the direction that its effect may have, the words for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from finml.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["currency", "count", "percent", "times", "days", "months", "status", "flag"]
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Feature:
    """One feature of the model.

    Attributes:
        name: its name in the model, and the column that it is read from unless `source` says otherwise.
        unit: how a value is written.
        sign: 1 where risk must not fall as the value rises, -1 where it must not rise, 0 where both are
            possible.
        topic: what it is about; features of one topic make one reason.
        words: sentence about a value, which stands at `{}`.
        zero: sentence for the value zero, or empty: as for any value.
        missing: sentence for a missing value.
        source: column of categories of which this feature is an indicator, or empty.
        category: the category that it indicates.
    """

    name: str
    unit: Unit
    sign: Literal[-1, 0, 1]
    topic: str
    words: str
    zero: str
    missing: str
    source: str = ""
    category: str = ""

    @cached_property
    def column(self) -> str:
        """Column or key that the value is read from."""
        return self.source or self.name

    @cached_property
    def label(self) -> str:
        """The name for people."""
        return self.name.replace("_", " ")

    def words_for(self, value: float) -> str:
        """The sentence about a value; NaN: missing."""
        if math.isnan(value):
            return self.missing
        if value == 0 and self.zero:
            return self.zero
        return self.words.format(self.written(value))

    def written(self, value: float) -> str:
        """A value with its unit."""
        match self.unit:
            case "currency":
                return f"{value:,.0f}"
            case "percent":
                return f"{_within(100 * value, 1)} %"
            case "times":
                return f"{_within(value, 0.01)} times"
            case "days" | "months":
                return _number(value, self.unit)
            case "status":
                return _status(value)
            case _:
                return f"{value:.0f}"

    def to_dict(self) -> dict[str, Any]:
        """The feature as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Feature":
        """The feature that `to_dict` gave."""
        return cls(**values)


LARGEST_TOLD = 10_000
LARGEST = float(np.finfo(np.float32).max)
# codes of a statement's repayment, from zero down; above it is the number of months late
_STATUSES = {0: "revolved", -1: "paid in full", -2: "not used"}


def _within(value: float, step: float) -> str:
    """A ratio to `step`, or the word that it is beyond what a reader can picture."""
    if abs(value) > LARGEST_TOLD:
        return f"{'more' if value > 0 else 'less'} than {'' if value > 0 else '-'}{LARGEST_TOLD:,}"
    if 0 < abs(value) < step / 2:
        return "nearly 0"
    return f"{value:.{0 if step >= 1 else 2}f}"


def _status(code: float) -> str:
    if code > 0:
        return f"{_number(code, 'months')} late"
    return _STATUSES.get(int(code), f"{code:g}")


def _number(value: float, unit: str) -> str:
    number = f"{value:.0f}"
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}"


def feature_matrix(frame: "pd.DataFrame", features: Sequence[Feature]) -> Matrix:
    """(n, k) values in the features' order, NaN where missing.

    Raises:
        DataError: a column is missing or holds something other than numbers; names each.
    """
    import pandas as pd

    lacking = sorted({feature.column for feature in features} - set(frame.columns))
    if lacking:
        raise DataError(
            f"columns are missing: {', '.join(lacking)}",
            hint="score frames made with the model's feature service, or give the columns with empty values",
        )
    matrix = np.empty((len(frame), len(features)), dtype=np.float32)
    wrong = []
    for place, feature in enumerate(features):
        values = frame[feature.column]
        if feature.category:
            values = (values == feature.category).astype(np.float32).where(values.notna())
        try:
            matrix[:, place] = _finite(pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan))
        except (ValueError, TypeError):
            wrong.append(feature.column)
    if wrong:
        raise DataError(f"columns hold something other than numbers: {', '.join(wrong)}")
    return matrix


def _finite(values: npt.NDArray[np.float64]) -> Matrix:
    """As float32, with what is beyond its range at the range's end: trees take no infinity. NaN stays."""
    return np.minimum(np.maximum(values, -LARGEST), LARGEST).astype(np.float32)


_MISSING = repeat(math.nan)


class RecordReader:
    """Makes the matrix of rows given as mappings, without pandas.

    Attributes:
        columns: the columns that are read.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.columns = list(dict.fromkeys(feature.column for feature in features))
        self._numbers = [feature.column for feature in features if not feature.category]
        indicators = [feature for feature in features if feature.category]
        self._categories: list[tuple[str, dict[Any, list[float]], int]] = []
        order = [place for place, feature in enumerate(features) if not feature.category]
        for source in dict.fromkeys(feature.source for feature in indicators):
            places = [place for place, feature in enumerate(features) if feature.source == source]
            names = [features[place].category for place in places]
            flags = {name: [float(name == other) for other in names] for name in names}
            self._categories.append((source, flags, len(names)))
            order += places
        # from the order in which a row is read to that of the features
        self._order = np.argsort(order)
        first = {feature.column: place for place, feature in reversed(list(enumerate(features)))}
        self._first = np.array([first[column] for column in self.columns], dtype=np.intp)
        self._names = np.array(self.columns, dtype=object)

    def matrix(self, records: Sequence[Mapping[str, Any]]) -> Matrix:
        """`feature_matrix` for mappings; a key that is absent, `None` or NaN is a missing value.

        Raises:
            DataError: a value is not a number.
        """
        if not records:
            return np.empty((0, len(self._order)), dtype=np.float32)
        try:
            values = np.array([self._row(record) for record in records], dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise DataError(f"a feature is not a number: {error}") from error
        return _finite(values.take(self._order, axis=1))

    def _row(self, record: Mapping[str, Any]) -> list[Any]:
        row = list(map(record.get, self._numbers, _MISSING))
        if None in row:
            # numpy takes five times as long for what is none than for what is no number
            row = [math.nan if value is None else value for value in row]
        for source, flags, width in self._categories:
            given = record.get(source)
            row += flags.get(given, [0.0] * width) if isinstance(given, str) else [math.nan] * width
        return row

    def missing(self, matrix: Matrix) -> list[list[str]]:
        """Of each row of a matrix, the columns that had no value."""
        absent = np.isnan(matrix.take(self._first, axis=1))
        return [self._names[row].tolist() for row in absent]
