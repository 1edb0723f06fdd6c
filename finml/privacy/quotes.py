"""What an answer quotes of a text, masked by what is masked in the text.

A word alone does not say that it is a part of a card's number or a password; the text that it stands in does.
"""

import re
from collections.abc import Mapping
from typing import Any

MASKED = "<masked>"
PLACEHOLDER = re.compile(r"<[a-z_]+>")
# of what quotes: where it stands and what it is, in our words
SAFE_KEYS = frozenset({"start", "end", "type", "source", "rule", "kept", "contribution"})

Span = tuple[int, int]


def masked_spans(text: str, masked: str) -> list[Span]:
    """Where `text` is masked in `masked`: offsets in characters, the end exclusive.

    What lies outside of them stands in `masked` as it is, so that nothing is shown that is not shown there.
    """
    first, *others = PLACEHOLDER.split(masked)
    unknown = [(0, len(text))]
    if not text.startswith(first) or not text.endswith((others or [first])[-1]):
        return unknown
    spans: list[Span] = []
    place = len(first)
    for number, piece in enumerate(others, start=1):
        # something was there, so that a piece begins a character later at the earliest
        found = text.find(piece, place + 1) if number < len(others) else len(text) - len(piece)
        if found < place:
            return unknown
        spans.append((place, found))
        place = found + len(piece)
    return spans


def mask_quotes(answer: Any, spans: list[Span]) -> Any:  # noqa: ANN401  # JSON data
    """An answer as JSON data, in which whatever quotes a masked span of a text says no more than where.

    Args:
        answer: mappings with `start` and `end` quote what stands there, and say what they take it for.
        spans: see `masked_spans`.
    """
    if isinstance(answer, list):
        return [mask_quotes(one, spans) for one in answer]
    if not isinstance(answer, Mapping):
        return answer
    start, end = answer.get("start"), answer.get("end")
    if type(start) is int and type(end) is int:
        if any(start < until and since < end for since, until in spans):
            return {key: item if key in SAFE_KEYS else hidden(item) for key, item in answer.items()}
        return answer
    return {key: mask_quotes(item, spans) for key, item in answer.items()}


def hidden(item: object) -> str | None:
    """What stands in the place of a quote, or of what was made of it."""
    return MASKED if isinstance(item, str) else None
