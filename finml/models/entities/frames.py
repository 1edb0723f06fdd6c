"""Frames of annotated texts: reading them from files and ledgers, checking them, splitting them.

Columns: `role` (`text` or `merchant`), `text`, `spans` (JSON), `annotated` (JSON, empty: every type), `line`,
`language` (empty where unknown), `problem` (empty: the row can be used).
"""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from finml.errors import DataError
from finml.models.entities.annotations import BROKEN, MERCHANT, TEXT, problem
from finml.models.entities.texts import hashes

COLUMNS = ("role", "text", "spans", "annotated", "line", "language", "problem")
HELD_OUT = 0.2
SHOWN = 10
MOST_LINES = 2**53


def read(file: Path) -> pd.DataFrame:
    """Annotated texts of a JSONL file, or of a Parquet file with a frame's columns.

    A row that breaks the contract is kept with its `problem`: training leaves it out and counts it,
    evaluation refuses the file.

    Raises:
        DataError: the file cannot be read or is of another kind.
    """
    try:
        match file.suffix.lower():
            case ".jsonl":
                frame = _from_lines(file.read_text(encoding="utf-8-sig"))
            case ".parquet":
                frame = pd.read_parquet(file)
            case suffix:
                raise DataError(
                    f"{file} is a {suffix or 'nameless'} file",
                    hint="annotated texts are read from .jsonl and .parquet; see docs/models/entities.md",
                )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read: {error}", hint="see that it is whole, and in UTF-8"
        ) from error
    return checked(frame)


def from_ledger(tables: Path) -> pd.DataFrame:
    """The annotated messages of a ledger, and its merchants.

    Raises:
        DataError: there is no annotated message.
    """
    file = tables / "messages.parquet"
    messages = (
        pd.read_parquet(file, columns=["text", "spans", "language"]) if file.is_file() else pd.DataFrame()
    )
    annotated = messages[messages["spans"].notna()] if len(messages) else messages
    if annotated.empty:
        raise DataError(
            "the ledger holds no annotated message",
            hint="fill the table messages with texts and their spans, or train by --data FILE",
        )
    paid = pd.read_parquet(tables / "transactions.parquet", columns=["merchant"])["merchant"]
    rows = annotated.assign(role=TEXT, annotated=None, line=range(1, len(annotated) + 1))
    names = pd.DataFrame({"text": sorted(set(paid.dropna()))}).assign(role=MERCHANT, spans="[]")
    return pd.concat([rows, names], ignore_index=True)


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with all `COLUMNS`, `problem` filled in anew.

    Raises:
        DataError: `text` or `spans` is missing, or no row can be used.
    """
    lacking = [name for name in ("text", "spans") if name not in frame]
    if lacking:
        raise DataError(
            f"columns are missing from the annotated texts: {', '.join(lacking)}",
            hint='a line holds {"text": …, "spans": [{"start": …, "end": …, "label": …}]}',
        )
    rows = frame.reset_index(drop=True)
    given = {name: rows[name] if name in rows else pd.Series([None] * len(rows)) for name in COLUMNS}
    filled = pd.DataFrame(
        {
            "role": _filled(given["role"], TEXT).astype(str),
            "text": _filled(given["text"], None),
            "spans": _filled(given["spans"], None),
            "annotated": _filled(given["annotated"], None),
            # a row whose line cannot be read is named by its place
            "line": [
                place if line is None else line for place, line in enumerate(_lines(given["line"]), start=1)
            ],
            "language": _filled(given["language"], "").astype(str),
        }
    )
    filled["problem"] = [
        "the number of its line is no whole number" if line is None else problem(*row)
        for line, row in zip(
            _lines(given["line"]),
            filled[["role", "text", "spans", "annotated"]].itertuples(index=False, name=None),
            strict=True,
        )
    ]
    usable = (filled["problem"] == "") & (filled["role"] == TEXT)
    if not usable.any():
        wrong = words(filled)
        raise DataError(
            f"no annotated text can be used{': ' + wrong if wrong else ''}",
            hint="offsets are in characters and the end is exclusive; see docs/models/entities.md",
        )
    return filled


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold out about a fifth of the texts, the same ones for every version; none is trained on too.

    A hash of the text decides, without regard to case, punctuation and blanks. Merchants, and rows that
    cannot be used, go with the part to train on.
    """
    held_out = (
        (frame["role"] == TEXT)
        & (frame["problem"] == "")
        & pd.Series([place(text) < HELD_OUT for text in frame["text"]], index=frame.index)
    )
    return frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)


def place(text: object, salt: str = "") -> float:
    """Where a text falls between 0 and 1; case, punctuation and blanks make no difference."""
    return float(hashes([str(text)], salt)[0]) / 2.0**64


def words(frame: pd.DataFrame) -> str:
    """The problems of a frame's rows, the first of them with their lines."""
    wrong = frame[frame["problem"] != ""]
    listed = [f"line {row.line}: {row.problem}" for row in wrong.head(SHOWN).itertuples()]
    more = len(wrong) - len(listed)
    return "; ".join(listed) + (f"; and {more:,} more" if more > 0 else "")


def _from_lines(contents: str) -> pd.DataFrame:
    """One row a line; a line that is no object gets a row whose problem says so."""
    rows: list[dict[str, Any]] = []
    # not by str.splitlines, which cuts at characters that a text may hold
    for number, line in enumerate(contents.split("\n"), start=1):
        if line.strip():
            rows.append({"line": number, **_from_line(line)})
    if not rows:
        raise DataError("the file holds no line", hint='a line holds {"text": …, "spans": […]}')
    return pd.DataFrame(rows, columns=["line", "role", "text", "spans", "annotated", "language"])


def _from_line(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
        return _from_document(read) if isinstance(read, dict) else {"role": BROKEN}
    except (ValueError, RecursionError):
        # no JSON, or nested deeper than can be read
        return {"role": BROKEN}


def _from_document(read: dict[str, Any]) -> dict[str, Any]:
    if "merchant" in read:
        return {"role": MERCHANT, "text": _unicode(read["merchant"]), "spans": "[]"}
    spans = read.get("spans", read.get("entities"))
    return {
        "role": TEXT,
        "text": _unicode(read.get("text")),
        "spans": None if spans is None else json.dumps(spans),
        "annotated": json.dumps(read["annotated"]) if read.get("annotated") is not None else None,
        "language": _unicode(read.get("language")),
    }


def _filled(column: "pd.Series[Any]", instead: str | None) -> "pd.Series[Any]":
    """The values of a column of any type, `instead` where there is none."""
    values = [value if there else instead for value, there in zip(column, column.notna(), strict=True)]
    return pd.Series(values, dtype=object, index=column.index)


def _lines(column: "pd.Series[Any]") -> list[int | None]:
    """Numbers of lines, 0 where none is given, `None` for what is no whole number."""
    numbers = pd.to_numeric(_filled(column, "0"), errors="coerce")
    return [
        int(number) if math.isfinite(number) and number == int(number) and abs(number) < MOST_LINES else None
        for number in numbers
    ]


def _unicode(text: object) -> str | None:
    """The text, or `None` for what is none, such as half of a surrogate pair: no file could keep it."""
    try:
        return text if isinstance(text, str) and text.encode("utf-8") is not None else None
    except UnicodeEncodeError:
        return None
