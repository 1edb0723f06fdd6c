"""Annotated texts: what a line must hold, and what is wrong with one that does not.

A line of annotated JSONL is `{"text": …, "spans": [{"start", "end", "label"}, …]}`, with offsets in
characters and an exclusive end; `entities` is read as `spans` is. `annotated` lists the types that were
looked for, where that was not all of them. A line `{"merchant": …}` names a merchant of the catalogue.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from finml.models.entities.contract import LABELS, MOST_CHARACTERS
from finml.models.entities.texts import CONTROL, has_control

TEXT, MERCHANT, BROKEN = "text", "merchant", "broken"
"""Roles of a row; a broken one stands for a line that could not be read."""
MOST_MERCHANT_CHARACTERS = 256
_WORD_MARKS = tuple((int(low, 16), int(high, 16)) for low, high in (("900", "963"), ("970", "97f")))


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a text with its type."""

    start: int
    end: int
    label: str


def spans_of(written: str) -> list[Span]:
    """The spans of a row that has no problem, sorted."""
    return sorted(Span(one["start"], one["end"], one["label"]) for one in json.loads(written))


def labels_of(written: str | None) -> frozenset[str]:
    """The types that were looked for in a row: all of them where it does not say."""
    return frozenset(LABELS) if written is None else frozenset(json.loads(written))


def problem(role: str, text: object, spans: object, annotated: object) -> str:
    """What is wrong with a row, or nothing.

    Args:
        role: `text`, `merchant` or `broken`.
        text: the text, or the merchant's name.
        spans: JSON list of spans.
        annotated: JSON list of types, or `None`.
    """
    if role not in {TEXT, MERCHANT}:
        return "the line is not a JSON object"
    if not isinstance(text, str) or not text.strip():
        return "the text is missing, blank or not Unicode"
    most = MOST_MERCHANT_CHARACTERS if role == MERCHANT else MOST_CHARACTERS
    if len(text) > most:
        return f"the text has {len(text):,} characters, at most {most} are read"
    if has_control(text):
        return f"the text {CONTROL}"
    try:
        return "" if role == MERCHANT else _spans_problem(text, spans, annotated)
    except RecursionError:
        return "the spans are nested too deeply"


def _spans_problem(text: str, spans: object, annotated: object) -> str:
    """What is wrong with the spans of a text that is right."""
    if annotated is not None and not isinstance(annotated, str):
        return "annotated is not a list of types"
    try:
        listed = json.loads(spans) if isinstance(spans, str) else None
        looked_for = json.loads(annotated) if isinstance(annotated, str) else None
    except ValueError:
        return "the spans are not JSON"
    if not isinstance(listed, list):
        return "the spans are not a list"
    unknown = _unknown_labels(looked_for)
    if unknown:
        return unknown
    found = [why for span in listed if (why := _span_problem(text, span))]
    return "; ".join(found or _between(text, listed, looked_for))


def _unknown_labels(looked_for: object) -> str:
    if looked_for is None:
        return ""
    if not isinstance(looked_for, list) or not all(isinstance(label, str) for label in looked_for):
        return "annotated is not a list of types"
    unknown = sorted(set(looked_for) - set(LABELS))
    return f"unknown types are annotated: {', '.join(unknown)}" if unknown else ""


def _span_problem(text: str, span: object) -> str:
    """What is wrong with one span by itself."""
    if not isinstance(span, Mapping) or not {"start", "end", "label"} <= set(span):
        return "a span lacks start, end or label"
    if span["label"] not in LABELS:
        return f"unknown label {str(span['label'])[:40]!r}"
    start, end = span["start"], span["end"]
    if not all(isinstance(place, int) and not isinstance(place, bool) for place in (start, end)):
        return f"the offsets {start!r} and {end!r} are no whole numbers"
    return _offsets_problem(text, start, end, _named(span))


def _offsets_problem(text: str, start: int, end: int, where: str) -> str:
    """What is wrong with the place of a span, which `where` names."""
    if start == end:
        return f"{where} is empty"
    if not 0 <= start < end <= len(text):
        return f"{where} is out of range, the text has {len(text)} characters"
    written = text[start:end]
    if written != written.strip():
        return f"{where} {written!r} begins or ends with blanks"
    if _inside_word(text, start) or _inside_word(text, end):
        return f"{where} {written!r} splits a word"
    return ""


def _between(text: str, spans: Sequence[Mapping[str, Any]], looked_for: Sequence[str] | None) -> list[str]:
    """What is wrong with spans, each right by itself, together."""
    ordered = sorted(spans, key=lambda span: (span["start"], span["end"]))
    found = [
        f"{_named(one)} and {_named(other)} overlap"
        for one, other in pairwise(ordered)
        if other["start"] < one["end"]
    ]
    if looked_for is not None:
        found += [
            f"{one['label']} is not among the annotated types"
            for one in ordered
            if one["label"] not in looked_for
        ]
    return found


def _named(span: Mapping[str, Any]) -> str:
    return f"{span['label']} {span['start']}-{span['end']}"


def _inside_word(text: str, place: int) -> bool:
    """Whether a word or a figure goes on across a place. A figure ends where letters begin, as in `500k`."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if before.isdigit() or after.isdigit():
        return before.isdigit() and after.isdigit()
    return _in_word(before) and _in_word(after)


def _in_word(character: str) -> bool:
    return character.isalnum() or any(low <= ord(character) <= high for low, high in _WORD_MARKS)
