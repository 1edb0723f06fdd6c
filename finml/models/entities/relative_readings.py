"""From a date that is named from today, as a rule matched it, to the days that it means."""

import re
from functools import wraps

from finml.models.entities.date_context import NOTHING, Context, Reader, is_meant
from finml.models.entities.date_words import (
    DAYS,
    EITHER_WAY,
    STEPS,
    UNITS,
    WEEKDAYS,
)
from finml.models.entities.numerals import quantity
from finml.models.entities.periods import (
    DAY,
    Grain,
    Period,
    containing,
    day,
    shifted,
    stretch,
)
from finml.models.entities.pieces import pieces


def _count(words: str) -> int:
    if words.isdecimal():
        return int(words)
    # the number is read as before a multiple, so that `do` and `a` count
    asked = f"{words} thousand"
    read = quantity(asked, pieces(asked), 0)
    return int(read.value / 1000) if read else 0


def _as_far_as_the_calendar_goes(read: Reader) -> Reader:
    """The same reading with `None` for days that no calendar has, so that a span never depends on today."""

    @wraps(read)
    def reading(match: "re.Match[str]", context: Context) -> Period | None:
        try:
            return read(match, context)
        except (ValueError, OverflowError):
            return None

    return reading


def weekday(match: "re.Match[str]", context: Context) -> Period:
    """The nearest day of that name, back or ahead, in the week that is named or that the tense asks for."""
    if not is_meant(match, "weekday", context):
        return NOTHING
    wanted = WEEKDAYS[match["weekday"].lower()]
    week = match["before_week"] or match["week"]
    if week:
        monday = shifted(context.today, Grain.WEEK, STEPS[week.lower()]).start
        return day((monday or context.today) + wanted * DAY)
    ahead = (wanted - context.today.weekday()) % 7
    step = STEPS[match["step"].lower()] if match["step"] else None
    match step:
        case -1:
            return day(context.today + (ahead - 7) * DAY)
        case 1:
            return day(context.today + (ahead or 7) * DAY)
        case 0:
            return day(context.today + ahead * DAY)
    return day(context.today + (ahead - 7 if context.past and ahead else ahead) * DAY)


def named_day(match: "re.Match[str]", context: Context) -> Period:
    """So many days from today."""
    return day(context.today + DAYS[" ".join(match.group().lower().split())] * DAY)


def either_way(match: "re.Match[str]", context: Context) -> Period:
    """`kal` is yesterday or tomorrow: the tense decides, and the other reading is given too."""
    days = EITHER_WAY[match.group().lower()]
    before, after = day(context.today - days * DAY), day(context.today + days * DAY)
    chosen, other = (before, after) if context.past else (after, before)
    return Period(chosen.start, chosen.end, chosen.grain, alternatives=(other,))


def stepped(match: "re.Match[str]", context: Context) -> Period:
    """The last week is the calendar's; the past week is the last seven days."""
    unit = UNITS[" ".join(match["unit"].lower().split())]
    if match["step"].lower() == "past":
        return stretch(context.today, unit, -1)
    return shifted(context.today, unit, STEPS[match["step"].lower()])


def before_last(match: "re.Match[str]", context: Context) -> Period:
    """The one before the last one."""
    return shifted(context.today, UNITS[match["unit"].lower()], -2)


@_as_far_as_the_calendar_goes
def length_of_time(match: "re.Match[str]", context: Context) -> Period:
    """So many days, weeks … that end with today or begin with it."""
    step, number = STEPS[match["step"].lower()], _count(match["count"].lower())
    if not step or not number:
        return NOTHING
    return stretch(context.today, UNITS[match["unit"].lower()], step * number)


@_as_far_as_the_calendar_goes
def hours(match: "re.Match[str]", context: Context) -> Period:
    """So many hours back, widened to whole days: a ledger books by the day."""
    days = -(-_count(match["count"].lower()) // 24)
    return Period(context.today - days * DAY, context.today + DAY)


@_as_far_as_the_calendar_goes
def ago(match: "re.Match[str]", context: Context) -> Period:
    """The day, week, month … that lies so many back."""
    return shifted(context.today, UNITS[match["unit"].lower()], -_count(match["count"].lower()))


@_as_far_as_the_calendar_goes
def ahead(match: "re.Match[str]", context: Context) -> Period:
    """The day, week, month … that lies so many ahead."""
    return shifted(context.today, UNITS[match["unit"].lower()], _count(match["count"].lower()))


def edge(match: "re.Match[str]", context: Context) -> Period:
    """The first or last day of a week, month or year."""
    unit = UNITS[match["unit"].lower()]
    whole = shifted(context.today, unit, STEPS[match["step"].lower()] if match["step"] else 0)
    if whole.start is None or whole.end is None:
        return NOTHING
    return day(whole.end - DAY if match["edge"].lower() == "end" else whole.start)


def to_date(match: "re.Match[str]", context: Context) -> Period:
    """From where the period that is named began to the end of today."""
    unit = match["unit"]
    grain = UNITS[unit.lower()] if unit else Grain.YEAR if match.group().lower() == "ytd" else Grain.MONTH
    return Period(containing(context.today, grain).start, context.today + DAY)


def again_and_again(match: "re.Match[str]", context: Context) -> None:
    """No period: it comes again and again."""
    return
