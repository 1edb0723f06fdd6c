"""Dates and periods in a text: where they are, and which days they mean.

`RULES` says what can be read. Rules are tried at every place; of readings that overlap, the longest wins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from finml.models.entities.date_context import NOTHING, Context, Reader
from finml.models.entities.date_rules import RULES
from finml.models.entities.date_words import FUTURE_TENSE, PAST_TENSE
from finml.models.entities.periods import Period, since, until
from finml.models.entities.pieces import LEFT, RIGHT

# Words around a date that make an open interval of it. `from` and `se` do so unless a second date follows.
_SINCE = re.compile(rf"{LEFT}(?:since|starting(?:\s+from|\s+on)?|from)\s+(?:the\s+)?$", re.IGNORECASE)
_UNTIL = re.compile(rf"{LEFT}(?:until|till|til|by|up\s?to|through)\s+(?:the\s+)?$", re.IGNORECASE)
_BEFORE = re.compile(rf"{LEFT}before\s+(?:the\s+)?$", re.IGNORECASE)
_SINCE_AFTER = re.compile(rf"\s+(?:se|से|onwards?){RIGHT}(?!\s+\S+\s+(?:tak|तक))", re.IGNORECASE)
_UNTIL_AFTER = re.compile(rf"\s+(?:tak|तक){RIGHT}", re.IGNORECASE)
_SECOND_DATE = re.compile(r"\s+(?:to|till|until|and|-)\s", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+[\u0900-\u0963\w]*")


@dataclass(frozen=True, slots=True)
class Dated:
    """A date or period found in a text.

    Attributes:
        rule: name of the rule that read it.
        period: the days that it means; `None` for one that comes again and again, as in `every month`, or
            that does not exist as seen from today, as the 31st of a last month that has 30 days.
        relation: `since`, `until` or `before`, where a word beside it opens the interval.
    """

    start: int
    end: int
    rule: str
    period: Period | None
    relation: str = ""


def dates(text: str, today: date) -> list[Dated]:
    """All dates and periods of a text from left to right, none overlapping another.

    Args:
        text: what was typed.
        today: the day at the asker's place; what is found does not depend on it, what it means does.
    """
    context = Context(text, today, past=in_the_past(text))
    readings = sorted(
        _readings(context), key=lambda found: (found.start - found.end, found.start, found.rule)
    )
    taken: list[Dated] = []
    for reading in readings:
        if all(reading.end <= other.start or reading.start >= other.end for other in taken):
            taken.append(reading)
    return [_opened(text, found, today) for found in sorted(taken, key=lambda found: found.start)]


def in_the_past(text: str) -> bool:
    """Whether a text speaks of what was. One that does not say does: a ledger holds nothing else."""
    words = {word.lower() for word in _WORDS.findall(text)}
    return bool(words & PAST_TENSE) or not words & FUTURE_TENSE


def _readings(context: Context) -> Iterator[Dated]:
    for name, pattern, read in _rules():
        for match in pattern.finditer(context.text):
            try:
                period = read(match, context)
            except (ValueError, OverflowError):
                # the 31st of February, or a year that no calendar has, whatever the day is
                continue
            if period is not NOTHING:
                yield Dated(*match.span(), name, period)


def _opened(text: str, found: Dated, today: date) -> Dated:
    if found.period is None:
        return found
    before, after = text[: found.start], text[found.end :]
    period, relation = found.period, ""
    if _UNTIL.search(before) or _UNTIL_AFTER.match(after):
        period, relation = until(found.period, inclusive=True), "until"
    elif _BEFORE.search(before):
        period, relation = until(found.period, inclusive=False), "before"
    elif (_SINCE.search(before) and not _SECOND_DATE.match(after)) or _SINCE_AFTER.match(after):
        period, relation = since(found.period, today), "since"
    return Dated(found.start, found.end, found.rule, period, relation)


@lru_cache(maxsize=1)
def _rules() -> list[tuple[str, "re.Pattern[str]", Reader]]:
    return [(name, re.compile(LEFT + pattern + RIGHT, re.IGNORECASE), read) for name, pattern, read in RULES]
