"""Labelled texts: the files they are read from, the contract they must keep, and what training leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import structlog

from finml.errors import DataError
from finml.models.intent.contract import LABEL, OUT_OF_SCOPE, SEPARATOR, TEXT
from finml.models.intent.texts import LEAST_LENGTH, MOST_LENGTH, fault, hashes

if TYPE_CHECKING:
    import pandera.pandas as pandera

SHOWN = 5
LEAST_EXAMPLES = 5
"""Texts that an intent needs to be learnt and measured."""
LONGEST_LABEL = 100

log = structlog.get_logger(__name__)


@lru_cache(maxsize=1)
def schema() -> "pandera.DataFrameSchema":
    """The contract of a labelled frame. Columns that it does not name are let through."""
    import pandera.pandas as pandera

    def readable(values: "pd.Series[str]") -> "pd.Series[bool]":
        return values.map(fault) == ""

    def labels(values: "pd.Series[str]") -> "pd.Series[bool]":
        return values.map(_plain_labels)

    def alone(values: "pd.Series[str]") -> "pd.Series[bool]":
        return values.map(lambda joined: joined == OUT_OF_SCOPE or OUT_OF_SCOPE not in split_labels(joined))

    length = f"must have {LEAST_LENGTH} to {MOST_LENGTH} characters"
    return pandera.DataFrameSchema(
        {
            TEXT: pandera.Column(
                str,
                [
                    pandera.Check.str_length(LEAST_LENGTH, MOST_LENGTH, error=length),
                    pandera.Check(
                        readable, error="must hold neither control characters nor half a surrogate pair"
                    ),
                ],
            ),
            LABEL: pandera.Column(
                str,
                [
                    pandera.Check(
                        labels, error=f"must be labels of up to {LONGEST_LABEL} characters, joined by |"
                    ),
                    pandera.Check(alone, error=f"{OUT_OF_SCOPE} must stand alone"),
                ],
            ),
        }
    )


def _joined(cell: object) -> object:
    """A list of labels as one string; anything else as it is."""
    labels = cell.tolist() if hasattr(cell, "tolist") else cell
    if isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels):
        return SEPARATOR.join(labels)
    return cell


def split_labels(joined: str) -> list[str]:
    """The labels of a text, sorted, each once."""
    return sorted({label.strip() for label in joined.split(SEPARATOR)})


def _plain_labels(joined: str) -> bool:
    return all(0 < len(label) <= LONGEST_LABEL and label.isprintable() for label in split_labels(joined))


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with stripped texts and, where there are several, sorted labels.

    Texts that occur with different labels are told in the log; training leaves them out.

    Raises:
        DataError: columns are missing or hold values that cannot be meant; names every column and check, with
            the number of rows and some of the values.
    """
    import pandera.errors

    lacking = [name for name in (TEXT, LABEL) if name not in frame]
    if lacking:
        raise DataError(
            f"columns are missing from the labelled texts: {', '.join(lacking)}",
            hint=f"a table of labelled texts has the columns {TEXT} and {LABEL}",
        )
    if not len(frame):
        raise DataError("there is no labelled text", hint="give texts with their intents")
    empty = [name for name in (TEXT, LABEL) if frame[name].isna().any()]
    if empty:
        counts = ", ".join(f"{name} in {int(frame[name].isna().sum())} rows" for name in empty)
        raise DataError(f"empty: {counts}", hint="leave out texts without label, and labels without text")
    frame = frame.assign(**{LABEL: frame[LABEL].map(_joined)})
    odd = {name: int((~frame[name].map(lambda cell: isinstance(cell, str))).sum()) for name in (TEXT, LABEL)}
    if any(odd.values()):
        counts = ", ".join(f"{name} in {number} rows" for name, number in odd.items() if number)
        raise DataError(
            f"not text: {counts}", hint="texts and labels are strings; several labels may be a list"
        )
    stripped = frame.assign(**{name: frame[name].astype(str).str.strip() for name in (TEXT, LABEL)})
    try:
        valid: pd.DataFrame = schema().validate(stripped, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise DataError(
            f"the labelled texts break the contract: {_found(error.failure_cases)}",
            hint="correct these rows, or leave them out",
        ) from None
    valid[LABEL] = valid[LABEL].map(lambda joined: SEPARATOR.join(split_labels(joined)))
    contradicted = valid[contradictory(valid)]
    if len(contradicted):
        log.warning(
            "contradictory_labels",
            rows=len(contradicted),
            # places, not texts: what users type is personal
            places=contradicted.index[:SHOWN].tolist(),
            hint="training leaves these texts out",
        )
    return valid


def contradictory(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows have a text that occurs with other labels too. Texts are compared normalized."""
    key = pd.Series(hashes(frame[TEXT]), index=frame.index)
    return frame[LABEL].groupby(key).transform("nunique") > 1


@dataclass(frozen=True)
class Selection:
    """What training takes of a frame.

    Attributes:
        frame: the rows taken: one a text.
        repeated: rows that say again what another one says.
        contradictory: rows whose text has other labels elsewhere.
    """

    frame: pd.DataFrame
    repeated: int
    contradictory: int


def selection(frame: pd.DataFrame) -> Selection:
    """What training takes of a checked frame.

    Raises:
        DataError: fewer than two intents, or intents with too few texts; names each with its number.
    """
    bad = contradictory(frame)
    agreed = frame[~bad]
    kept = agreed[~pd.Series(hashes(agreed[TEXT]), index=agreed.index).duplicated()]
    labels = kept[LABEL].str.split(SEPARATOR, regex=False).explode()
    known = frame[LABEL].str.split(SEPARATOR, regex=False).explode().unique()
    # an intent all of whose texts contradict others is one with no text, not one that is not there
    counts = labels.value_counts().reindex([name for name in known if name != OUT_OF_SCOPE], fill_value=0)
    rare = counts[counts < LEAST_EXAMPLES].sort_index()
    if len(rare):
        named = ", ".join(f"{name} ({number})" for name, number in rare.items())
        raise DataError(
            f"too few different texts of: {named}",
            hint=f"an intent needs {LEAST_EXAMPLES} texts to train on; add some, or leave it out",
        )
    if len(counts) < 2:
        raise DataError("the texts have fewer than two intents", hint="there must be something to tell apart")
    return Selection(kept.reset_index(drop=True), len(agreed) - len(kept), int(bad.sum()))


def read(file: Path, companions: Mapping[str, Path]) -> pd.DataFrame:
    """Labelled texts of a CSV, Parquet or JSONL file, checked.

    Args:
        file: the file; its columns `text` and `intent` are read, several intents of a text joined by `|`.
        companions: `out_of_scope`: a file of texts that are out of scope, whatever its own labels say.

    Raises:
        DataError: a file cannot be read, or breaks the contract.
    """
    rows = _table(file)
    for outside in companions.values():
        table = _table(outside)
        rows = pd.concat([rows, table.assign(**{LABEL: OUT_OF_SCOPE})], ignore_index=True)
    return checked(rows[[name for name in (TEXT, LABEL) if name in rows]])


def messages(tables: Path) -> pd.DataFrame:
    """The labelled messages of a ledger, by the time they were written: `text`, `intent`.

    Raises:
        DataError: there is none; says what to do.
    """
    file = tables / "messages.parquet"
    try:
        rows = pd.read_parquet(file, columns=["text", "intents", "written_at", "message_id"])
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read: {error}", hint="export the ledger again: `finml data ingest`"
        ) from error
    labelled = rows[rows["intents"].notna()].sort_values(["written_at", "message_id"])
    if labelled.empty:
        raise DataError(
            "the ledger has no labelled message",
            hint="fill the table messages with texts and their intents, or train on a file: --data FILE",
        )
    return labelled[["text", "intents"]].rename(columns={"intents": LABEL}).reset_index(drop=True)


def _table(file: Path) -> pd.DataFrame:
    try:
        match file.suffix.lower():
            case ".parquet":
                return pd.read_parquet(file)
            case ".csv":
                # "null" and "NA" are words that a person can write
                return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""])
            case ".jsonl" | ".ndjson":
                return pd.read_json(file, lines=True, dtype=False)
            case suffix:
                raise DataError(
                    f"{file} is a {suffix or 'nameless'} file",
                    hint="labelled texts are read from .csv, .parquet and .jsonl",
                )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read: {error}", hint="see that it is whole, and in UTF-8"
        ) from error


def _found(cases: pd.DataFrame) -> str:
    """Every failing column and check with its number of rows and some of its values."""
    parts = []
    for (column, check), rows in cases.groupby(["column", "check"], sort=True):
        values = ", ".join(repr(str(value)[:60]) for value in rows["failure_case"].unique()[:SHOWN])
        parts.append(f"{column}: {check} ({len(rows)} rows: {values})")
    return "; ".join(parts)
