"""What the readings of dates have in common."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from finml.models.entities.date_words import SHORT_OR_COMMON, STEPS, alternatives
from finml.models.entities.periods import Period

NOTHING = Period(None, None)
"""What a reading answers where its words are none of a date after all."""
# what comes before a name that is also a word, where it is a date
_INTRODUCED = re.compile(
    r"(?:\b(?:in|of|since|from|until|till|by|on|for|during|before|after|to|and|every|each|between|starting)|"
    rf"\b(?:{alternatives(STEPS)}))\s+$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may look at besides its match: the text, today, and whether the text speaks of the past."""

    text: str
    today: date
    past: bool


Reader = Callable[["re.Match[str]", Context], Period | None]


def introduced(before: str) -> bool:
    """Whether the words before a name or a number say that a date follows."""
    return bool(_INTRODUCED.search(before))


def is_meant(match: "re.Match[str]", name: str, context: Context) -> bool:
    """Whether a name that is a common word too (`may`, `sun`) is a date here."""
    written = match.group(name)
    if written.lower() not in SHORT_OR_COMMON:
        return True
    before = context.text[: match.start(name)]
    return (written[0].isupper() and bool(before.strip())) or bool(introduced(before))
