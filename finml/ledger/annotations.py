"""Annotated parts of a text: the JSON of a span list, read and judged."""

import json
from collections.abc import Iterable

BROKEN = 'must be a JSON list of {"start", "end", "label"}'
OUTSIDE = "must lie within the text, end behind start"
FAULTS = (BROKEN, OUTSIDE)

_KEYS = {"start", "end", "label"}


def faults(spans: Iterable[object], texts: Iterable[object]) -> list[str | None]:
    """What is wrong with each row's span list: one of `FAULTS`, or `None`.

    Args:
        spans: span lists as JSON; what is not text is not judged, for the value is missing.
        texts: the texts that they mark; what is not text is judged by its list alone.
    """
    return [_fault(listed, text) for listed, text in zip(spans, texts, strict=True)]


def _fault(listed: object, text: object) -> str | None:
    if not isinstance(listed, str):
        return None
    try:
        spans = json.loads(listed)
    except (ValueError, RecursionError):
        return BROKEN
    if not isinstance(spans, list) or not all(map(_is_span, spans)):
        return BROKEN
    if not isinstance(text, str):
        return None
    within = all(0 <= span["start"] < span["end"] <= len(text) for span in spans)
    return None if within else OUTSIDE


def _is_span(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == _KEYS
        # true and false are whole numbers to Python
        and all(type(value[end]) is int for end in ("start", "end"))
        and isinstance(value["label"], str)
        and bool(value["label"].strip())
    )
