"""Public annotated sentences as annotated JSONL: NLU++ (banking), SGD (Banks_1), Rasa's financial demo.

Each set has types of its own; `SOURCES` says what becomes of each. Which types a set looked for at all is
written to every line, so that a type it never marked is not taken for one that is not there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from finml.errors import DataError
from finml.models.entities.contract import LABELS

SourceName = Literal["nlupp", "sgd", "rasa"]


@dataclass(frozen=True)
class Source:
    """A public data set.

    Attributes:
        title: its name.
        files: pattern of its files' names.
        labels: its types with ours, `None` for one that is left out.
        reasons: why, for those left out.
    """

    title: str
    files: str
    labels: Mapping[str, str | None]
    reasons: Mapping[str, str]

    @property
    def annotated(self) -> list[str]:
        """Our types that the set marks wherever they occur."""
        return [label for label in LABELS if label in self.labels.values()]


_TIME = "a time of day, which is no type here"
SOURCES: Mapping[SourceName, Source] = {
    "nlupp": Source(
        "NLU++, banking",
        "fold*.json",
        {
            "amount_of_money": "MONEY",
            "date": "DATE",
            "date_from": "DATE",
            "date_to": "DATE",
            "date_period": "DATE",
            "person_name": "PERSON",
            "company_name": "MERCHANT",
            "shopping_category": "CATEGORY",
            "time": None,
            "time_from": None,
            "time_to": None,
            "time_period": None,
            "number": None,
        },
        {
            **dict.fromkeys(("time", "time_from", "time_to"), _TIME),
            "time_period": "hours and minutes, which a ledger does not book by",
            "number": "a number of things",
        },
    ),
    "sgd": Source(
        "SGD, Banks_1",
        "*.jsonl",
        {"amount": "MONEY", "balance": "MONEY", "recipient_account_name": "PERSON"},
        {},
    ),
    "rasa": Source(
        "Rasa financial demo",
        "*.jsonl",
        {
            "account_type": "ACCOUNT",
            "credit_card": "CARD",
            "vendor_name": "MERCHANT",
            "PERSON": "PERSON",
            "amount-of-money": None,
        },
        {"amount-of-money": "words such as `minimum balance`; amounts in figures are not marked"},
    ),
}


def convert(name: SourceName, folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of annotated JSONL that a data set becomes, in the order of its files.

    Args:
        name: the data set.
        folder: where its files lie.

    Raises:
        DataError: there is no file, one is of another kind, or it has a type that the mapping does not name.
    """
    source = SOURCES[name]
    files = sorted(folder.glob(source.files))
    if not files:
        raise DataError(
            f"{folder} holds no file {source.files}", hint=f"name the folder with the files of {source.title}"
        )
    for file in files:
        try:
            for text, spans in _read(name, file):
                yield {"text": text, "spans": _mapped(source, file, spans), "annotated": source.annotated}
        except (
            OSError,
            UnicodeDecodeError,
            json.JSONDecodeError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:
            raise DataError(
                f"{file} is not a file of {source.title}: {type(error).__name__}: {error}",
                hint="see docs/models/entities.md for the files that each importer reads",
            ) from error


def write(name: SourceName, folder: Path, output: Path) -> int:
    """Write a data set as annotated JSONL and say how many lines there are.

    The file appears complete or not at all.

    Raises:
        DataError: see `convert`.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f"{output.name}.part")
    lines = 0
    try:
        with beside.open("w", encoding="utf-8") as file:
            for line in convert(name, folder):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                lines += 1
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
    return lines


def mapping_table() -> str:
    """The mapping of all sets' types as a Markdown table."""
    rows = ["| data set | its type | here |", "|---|---|---|"]
    for source in SOURCES.values():
        for theirs, ours in source.labels.items():
            rows.append(f"| {source.title} | `{theirs}` | {ours or f'left out: {source.reasons[theirs]}'} |")
    return "\n".join(rows) + "\n"


def _read(name: SourceName, file: Path) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
    """Texts with (start, end, their type)."""
    contents = file.read_text(encoding="utf-8")
    if name == "nlupp":
        for example in json.loads(contents):
            slots = example.get("slots", {})
            yield example["text"], [(*slot["span"], kind) for kind, slot in slots.items()]
        return
    text, kind = ("utterance", "slot") if name == "sgd" else ("text", "label")
    for line in filter(str.strip, contents.split("\n")):
        example = json.loads(line)
        yield example[text], [(span["start"], span["end"], span[kind]) for span in example["spans"]]


def _mapped(source: Source, file: Path, spans: list[tuple[int, int, str]]) -> list[dict[str, Any]]:
    unknown = sorted({kind for *_, kind in spans} - set(source.labels))
    if unknown:
        raise DataError(
            f"{file} has types that are not mapped: {', '.join(unknown)}",
            hint=f"mapped are {', '.join(source.labels)}",
        )
    return [
        {"start": start, "end": end, "label": source.labels[kind]}
        for start, end, kind in sorted(spans)
        if source.labels[kind]
    ]
