"""A contract as a Pandera schema, and what a frame breaks of it, row by row."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from finml.errors import ContractError
from finml.ledger.annotations import FAULTS, faults
from finml.ledger.currencies import CURRENCIES
from finml.ledger.declaration import (
    EARLIEST_YEAR,
    LAST_DUE_YEARS,
    MAX_ID_LENGTH,
    Annotation,
    Column,
    Order,
    TableContract,
)

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pandera
    import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Failures = dict[str, Mask]
"""For each reason, as `column: words`, the rows of a batch that it holds for."""

Rule = tuple[str, Callable[[Any], Any]]
"""What must hold, in words, and a function of a Series that says for which values it does."""

MISSING = "must not be missing"
REPLACEMENT = "\ufffd"
"""What bytes that are not UTF-8 are decoded to; in a bank's data it can mean nothing else."""

_CONTROL = r"[\x00-\x1f\x7f]"


def dataframe_schema(contract: TableContract, now: datetime) -> "pandera.DataFrameSchema":
    """The contract as a Pandera schema for frames that `to_frame` made. See `TableContract.schema`."""
    import pandera.pandas as pandera

    return pandera.DataFrameSchema(
        {
            column.name: pandera.Column(
                _dtype(column),
                _column_checks(column, now),
                nullable=column.nullable,
                description=column.words,
            )
            for column in contract.columns
        },
        checks=[
            *(_order_check(order) for order in contract.orders),
            *(check for one in contract.annotations for check in _annotation_checks(one)),
        ],
        strict=True,
        name=contract.name,
    )


def to_frame(rows: "pa.Table") -> "pd.DataFrame":
    """Typed Arrow rows as a DataFrame in which a missing value is never a number.

    Args:
        rows: table of a contract's `arrow_schema`.
    """
    import pandas as pd
    import pyarrow as pa

    types = {
        pa.string(): pd.StringDtype("pyarrow"),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    return rows.to_pandas(types_mapper=types.get)  # type: ignore[no-any-return] # pyarrow ships no types


def failures(schema: "pandera.DataFrameSchema", frame: "pd.DataFrame") -> Failures:
    """All that `frame` breaks of `schema`, found in one pass.

    Raises:
        ContractError: the frame as a whole does not fit: a column or a type is wrong.
    """
    import pandera.errors

    try:
        schema.validate(frame, lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as found:
        reasons: Failures = {}
        for error in found.schema_errors:
            reason, mask = _reason(error, len(frame))
            reasons[reason] = reasons[reason] | mask if reason in reasons else mask
        return reasons
    return {}


def _reason(error: "pandera.errors.SchemaError", size: int) -> tuple[str, Mask]:
    code = error.reason_code.name
    if code == "SERIES_CONTAINS_NULLS":
        mask = np.zeros(size, dtype=bool)
        mask[error.failure_cases["index"].to_numpy(dtype=np.int64)] = True
        return f"{error.schema.name}: {MISSING}", mask
    if code != "DATAFRAME_CHECK" or error.check_output is None:
        raise ContractError(f"{error.schema.name}: {error}", hint="the frame was not made by to_frame")
    # the check's own output names every row; Pandera's failure cases are cut to one, for they are slow
    passed = error.check_output.reindex(range(size)).astype("boolean")
    # missing values are not checked: Pandera leaves them out of the output, or missing in it
    return f"{error.check.name}: {error.check.error}", ~passed.fillna(True).to_numpy(dtype=bool)


def _dtype(column: Column) -> Any:  # noqa: ANN401 - Pandera takes dtypes of many classes
    import pandas as pd

    match column.kind:
        case "timestamp":
            return "datetime64[us]"
        case "integer":
            return pd.Int64Dtype()
        case "real":
            return "float64"
        case "flag":
            return pd.BooleanDtype()
        case _:
            return pd.StringDtype("pyarrow")


def _column_checks(column: Column, now: datetime) -> list["pandera.Check"]:
    return [_check(column.name, words, holds) for words, holds in _rules(column, now)]


def _rules(column: Column, now: datetime) -> list[Rule]:
    rules: list[Rule] = []
    match column.kind:
        case "id":
            rules = [*_text_rules(MAX_ID_LENGTH), _without(r"^\s|\s$", "must not begin or end with a space")]
        case "text":
            rules = _text_rules(column.longest)
            if (pattern := column.pattern) is not None:
                rules.append((pattern.words, lambda s: s.str.contains(pattern.regex, regex=True)))
        case "enum":
            rules = [(f"must be one of {', '.join(column.values)}", lambda s: s.isin(column.values))]
        case "currency":
            rules = [("must be an ISO 4217 code", lambda s: s.isin(CURRENCIES))]
        case "timestamp":
            rules = _time_rules(column, now)
        case "integer" | "real":
            rules = _range_rules(column)
    return rules


def _text_rules(length: int) -> list[Rule]:
    return [
        (f"must have at most {length} characters", lambda s: s.str.len() <= length),
        _without(_CONTROL, "must not hold control characters"),
        _without(REPLACEMENT, "holds bytes that are not UTF-8"),
    ]


def _without(forbidden: str, words: str) -> Rule:
    return words, lambda s: ~s.str.contains(forbidden, regex=True)


def _time_rules(column: Column, now: datetime) -> list[Rule]:
    earliest = datetime(EARLIEST_YEAR, 1, 1)
    latest = now.replace(year=now.year + LAST_DUE_YEARS, month=1, day=1) if column.future else now
    words = f"must not lie after {latest.year}" if column.future else "must not lie in the future"
    return [
        (f"must not lie before {EARLIEST_YEAR}", lambda s: s >= earliest),
        (words, lambda s: s <= latest),
    ]


def _range_rules(column: Column) -> list[Rule]:
    rules: list[Rule] = []
    if (minimum := column.minimum) is not None:
        rules.append((f"must be at least {minimum}", lambda s: s >= minimum))
    if (maximum := column.maximum) is not None:
        rules.append((f"must be at most {maximum}", lambda s: s <= maximum))
    return rules


def _order_check(order: Order) -> "pandera.Check":
    def holds(frame: "pd.DataFrame") -> "pd.Series[bool]":
        earlier, later = frame[order.earlier], frame[order.later]
        in_order = earlier < later if order.strict else earlier <= later
        return in_order | earlier.isna() | later.isna()

    return _check(order.earlier, order.words, holds)


def _annotation_checks(annotation: Annotation) -> list["pandera.Check"]:
    """One check a fault, so that a report names it."""
    import pandas as pd

    def without(fault: str) -> Callable[["pd.DataFrame"], "pd.Series[bool]"]:
        def holds(frame: "pd.DataFrame") -> "pd.Series[bool]":
            found = faults(frame[annotation.column], frame[annotation.of])
            return pd.Series([one != fault for one in found], index=frame.index, dtype=bool)

        return holds

    return [_check(annotation.column, words, without(words)) for words in FAULTS]


def _check(column: str, words: str, holds: Callable[[Any], Any]) -> "pandera.Check":
    import pandera.pandas as pandera

    return pandera.Check(holds, name=column, error=words, n_failure_cases=1)
