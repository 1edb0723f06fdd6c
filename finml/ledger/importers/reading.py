"""Reading the files of a public data set strictly.

A file that is not what the importer was written for is refused with the file, the column and the first bad
row: a data set that is read wrongly makes a model that is wrong without anyone noticing.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import ContractError, LedgerError, SourceError
from finml.ledger.writer import LedgerWriter

Int64s = npt.NDArray[np.int64]


def find_file(folder: Path, names: Sequence[str]) -> Path:
    """The first of `names` that `folder` holds.

    Raises:
        SourceError: the folder does not exist or holds none of the files.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder", hint="name the folder that holds the data set's files")
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise SourceError(
        f"{folder} holds no {' or '.join(names)}", hint="docs/data.md lists the files an import reads"
    )


def read_text_table(
    path: Path, columns: Sequence[str], *, separator: str, rename: Callable[[str], str] = str.strip
) -> pd.DataFrame:
    """Read a delimited file as text, every cell a stripped string (empty where there is no value).

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        columns: names that must be there, after `rename`; other columns are dropped.
        separator: the delimiter.
        rename: turns a header cell into the name that the importer uses.

    Raises:
        ContractError: the file is empty, not text, not a table, or lacks a column.
    """
    try:
        frame = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        raise ContractError(f"{path.name} is empty", hint="download the data set again") from None
    except UnicodeDecodeError as error:
        raise ContractError(
            f"{path.name} is not UTF-8 text: byte {error.start} cannot be read", hint="save the file as UTF-8"
        ) from None
    except pd.errors.ParserError as error:
        raise ContractError(
            f"{path.name} is not a table: {error}", hint="download the data set again"
        ) from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise ContractError(
            f"{path.name}: rows have more cells than the header", hint="download the data set again"
        )
    frame.columns = pd.Index([rename(str(name)) for name in frame.columns])
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ContractError(
            f"{path.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            hint="docs/data.md lists the columns an import reads",
        )
    if frame.empty:
        raise ContractError(f"{path.name} has a header and no rows", hint="download the data set again")
    chosen = frame.loc[:, list(columns)]
    if chosen.columns.duplicated().any():
        raise ContractError(f"{path.name} has a column twice", hint="download the data set again")
    return pd.DataFrame({name: chosen[name].fillna("").str.strip() for name in columns})


def refuse(bad: "pd.Series[bool]", values: "pd.Series[str]", path: Path, problem: str) -> None:
    """Refuse the file when any row is `bad`.

    Raises:
        LedgerError: at least one is; names the file, the column, how many and the first of them.
    """
    if not bad.any():
        return
    position = int(np.flatnonzero(bad.to_numpy())[0])
    raise LedgerError(
        f"{path.name}: {values.name} {problem} in {int(bad.sum())} row(s); "
        f"the first is line {position + 2}: {values.iloc[position]!r}",
        hint="correct or remove these rows, or download the data set again",
    )


def integers(frame: pd.DataFrame, column: str, path: Path, low: int, high: int) -> Int64s:
    """A column as whole numbers between `low` and `high`, both included; `3` and `3.0` are the same.

    Raises:
        LedgerError: a value is none.
    """
    numbers = pd.to_numeric(frame[column], errors="coerce")
    refuse(
        ~(numbers.between(low, high) & (numbers % 1 == 0)),
        frame[column],
        path,
        f"is no whole number {low}..{high}",
    )
    return np.asarray(numbers, dtype=np.int64)


def minor_units(frame: pd.DataFrame, column: str, path: Path) -> Int64s:
    """A column of amounts in major units as whole hundredths. Amounts may be negative.

    Raises:
        LedgerError: a value is no amount, or is beyond 10^11.
    """
    numbers = pd.to_numeric(frame[column], errors="coerce")
    refuse(~numbers.abs().le(1e11), frame[column], path, "is no amount")
    minor: Int64s = np.rint(numbers.to_numpy(np.float64) * 100).astype(np.int64)
    return minor


def unique(frame: pd.DataFrame, column: str, path: Path) -> None:
    """Check that no value of a column comes twice.

    Raises:
        LedgerError: one does.
    """
    refuse(frame[column].duplicated(), frame[column], path, "comes twice")


def known(values: "pd.Series[str]", allowed: "pd.Series[str]", path: Path, what: str) -> None:
    """Check that every value is one of `allowed`.

    Raises:
        LedgerError: one is not; `what` says what it should have been.
    """
    refuse(~values.isin(allowed), values, path, f"is {what} that the data set does not have")


def write_tables(writer: LedgerWriter, tables: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Write tables in the given order (parents first) and return their row counts."""
    for name, frame in tables.items():
        writer.write(name, frame)
    return {name: len(frame) for name, frame in tables.items()}
