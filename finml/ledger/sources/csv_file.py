"""Reading a CSV file as text, line by line faults included.

All values come as strings: a single bad value must cost its own row, not the file. Bytes that are not UTF-8
become U+FFFD, which the contract's checks find.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finml.errors import ContractError
from finml.ledger.source import BrokenLine, RawBatch

_BLOCK_BYTES = 8 << 20
_HEADER_BYTES = 64 << 10
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class _Utf8Reader(io.RawIOBase):
    """A binary file whose bytes are always UTF-8, whatever the file holds."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        while not self._left and not self._ended:
            chunk = self._file.read(len(buffer))
            self._ended = not chunk
            self._left = self._decoder.decode(chunk, final=self._ended).encode()
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def csv_columns(path: Path, name: str) -> tuple[str, ...]:
    """Names in the header of a CSV file.

    Args:
        path: the file.
        name: how the user knows it.

    Raises:
        ContractError: the file is empty, cannot be read, or is no comma-separated UTF-8 text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_BYTES)
    except OSError as error:
        raise _unreadable(name, error) from error
    if not start.strip():
        raise ContractError(f"{name} is empty", hint="deliver at least the header line")
    if start.startswith(_UTF16_MARKS):
        raise ContractError(f"{name} is UTF-16", hint="deliver CSV files in UTF-8")
    try:
        names = next(csv.reader(io.StringIO(start.decode("utf-8-sig", errors="replace"))))
    except csv.Error:
        raise ContractError(f"{name} is no comma-separated text", hint="deliver CSV files in UTF-8") from None
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ContractError(
            f"{name} has columns twice: {', '.join(repeated)}", hint="give each column its own name"
        )
    return tuple(names)


def csv_batches(path: Path, name: str, wanted: list[str], batch_rows: int) -> Iterator[RawBatch]:
    """Rows of a CSV file, all values as strings; an empty value is a missing one.

    Args:
        path: the file.
        name: how the user knows it.
        wanted: the columns to read.
        batch_rows: rows a batch, at most.

    Raises:
        ContractError: the file cannot be read to its end.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    broken: list[BrokenLine] = []

    def keep_aside(row: Any) -> str:  # noqa: ANN401 - a pyarrow.csv.InvalidRow
        words = f"line has {row.actual_columns} values, the header {row.expected_columns}"
        broken.append(BrokenLine(words, row.text))
        return "skip"

    try:
        with io.BufferedReader(_Utf8Reader(path.open("rb")), _BLOCK_BYTES) as file:
            reader = arrow_csv.open_csv(
                file,
                read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_aside),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            for block in reader:
                for start in range(0, max(block.num_rows, 1), batch_rows):
                    rows = pa.Table.from_batches([block.slice(start, batch_rows)])
                    yield RawBatch(rows, tuple(broken))
                    broken.clear()
            if broken:
                yield RawBatch(reader.schema.empty_table(), tuple(broken))
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> ContractError:
    first_line = str(error).splitlines()[0]
    return ContractError(
        f"{name} cannot be read: {first_line}", hint="is it comma-separated text with all quotes closed?"
    )
