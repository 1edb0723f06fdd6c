"""From a date of the calendar, as a rule matched it, to the days that it means."""

import re
from datetime import date

from finml.models.entities.date_context import NOTHING, Context, introduced, is_meant
from finml.models.entities.date_words import (
    ALSO_CALLED,
    FESTIVALS,
    MONTHS,
    SAME_DAY_EACH_YEAR,
    STEPS,
    alternatives,
)
from finml.models.entities.periods import (
    Grain,
    Period,
    add_months,
    containing,
    day,
    financial_year,
    nearest,
    quarter,
    shifted,
    year,
)

# two figures with a slash may be a share, or all day and night: words beside them must say that it is a day
_DAY_FOLLOWS = re.compile(
    r"\b(?:on|since|from|until|till|by|before|after|between|to|and|dated?|due)\s+(?:the\s+)?$", re.IGNORECASE
)
_DAY_AHEAD = re.compile(r"\s+(?:ko|को|se|से|tak|तक)\b", re.IGNORECASE)
_PART_AHEAD = re.compile(r"\s+(?:of|share|support|service|basis|helpline|part|portion)\b", re.IGNORECASE)
_ORDINAL_OF_A_PAIR = re.compile(
    rf"\s+(?:to|and|till|until)\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{alternatives(MONTHS)})\b",
    re.IGNORECASE,
)


LEAP_YEAR = 2000


def _full_year(text: str) -> int:
    number = int(text.lstrip("'"))
    return number + 2000 if number < 70 else number + 1900 if number < 100 else number


def _day_of(of_year: int, month: int, of_month: int) -> Period | None:
    """A day of one month, `None` where it has no such day."""
    try:
        return day(date(of_year, month, of_month))
    except ValueError:
        return None


def _each_year(month: int, of_month: int, context: Context) -> Period:
    """A day of the year that the text's tense asks for. The 29th of February may be years away."""
    found = []
    for number in range(context.today.year - 4, context.today.year + 5):
        try:
            found.append(day(date(number, month, of_month)))
        except ValueError:
            continue
    if not found:
        raise ValueError("no such day")
    return nearest(found, context.today, past=context.past)


def iso(match: "re.Match[str]", context: Context) -> Period:
    """The year first, as in 2026-05-12."""
    return day(date(int(match["year"]), int(match["month"]), int(match["day"])))


def numeric(match: "re.Match[str]", context: Context) -> Period:
    """Day first, as in India and Europe."""
    return day(date(_full_year(match["year"]), int(match["month"]), int(match["day"])))


def day_slash_month(match: "re.Match[str]", context: Context) -> Period:
    """A day of the year that the tense asks for, where the words beside it say that it is one."""
    before, after = context.text[: match.start()], context.text[match.end() :]
    is_day = _DAY_FOLLOWS.search(before) or _DAY_AHEAD.match(after)
    if not is_day or _PART_AHEAD.match(after):
        return NOTHING
    return _each_year(int(match["month"]), int(match["day"]), context)


def month_slash_year(match: "re.Match[str]", context: Context) -> Period:
    """A whole month, as in 05/2026."""
    return containing(date(int(match["year"]), int(match["month"]), 1), Grain.MONTH)


def day_of_month_name(match: "re.Match[str]", context: Context) -> Period | None:
    """A day with its month by name: of the year that is named, or that the tense asks for."""
    month, of_month = MONTHS[match["month"].lower()], int(match["day"])
    if match["year"]:
        return day(date(_full_year(match["year"]), month, of_month))
    if match["step"]:
        # raises where no year has such a day
        date(LEAP_YEAR, month, of_month)
        return _day_of(context.today.year + STEPS[match["step"].lower()], month, of_month)
    return _each_year(month, of_month, context)


def month_name(match: "re.Match[str]", context: Context) -> Period:
    """A month, of a year that is named (`Jan 2025`, `October last year`) or that the tense asks for."""
    month = MONTHS[match["month"].lower()]
    if match["year"]:
        return containing(date(_full_year(match["year"]), month, 1), Grain.MONTH)
    if match["of_step"]:
        return containing(date(context.today.year + STEPS[match["of_step"].lower()], month, 1), Grain.MONTH)
    if not is_meant(match, "month", context):
        return NOTHING
    years = range(context.today.year - 1, context.today.year + 2)
    months = [containing(date(number, month, 1), Grain.MONTH) for number in years]
    step = STEPS[match["step"].lower()] if match["step"] else None
    if step == 0:
        return months[1]
    if step is not None:
        # neither last May nor next May is the May that is
        months = [period for period in months if period != containing(context.today, Grain.MONTH)]
    return nearest(months, context.today, past=context.past if step is None else step < 0)


def ordinal(match: "re.Match[str]", context: Context) -> Period | None:
    """The 4th: of May in `the 4th to the 9th of May`, else of the month that the tense asks for."""
    of_month = int(match["day"])
    if not 1 <= of_month <= 31:
        return NOTHING
    later = _ORDINAL_OF_A_PAIR.match(context.text, match.end())
    if later:
        return _each_year(MONTHS[later["month"].lower()], of_month, context)
    if match.groupdict().get("step"):
        first = shifted(context.today, Grain.MONTH, STEPS[match["step"].lower()]).start or context.today
        return _day_of(first.year, first.month, of_month)
    found = []
    for months in range(-2, 3):
        first = add_months(context.today.replace(day=1), months)
        try:
            found.append(day(first.replace(day=of_month)))
        except ValueError:
            continue
    return nearest(found, context.today, past=context.past)


def named_financial_year(match: "re.Match[str]", context: Context) -> Period:
    """`FY 2024-25` and `FY25` both end in 2025."""
    first, second = _full_year(match["year"]), match["second"]
    if second is None:
        return financial_year(first)
    if int(second) % 100 != (first + 1) % 100:
        raise ValueError("not two years in a row")
    return financial_year(first + 1)


def named_quarter(match: "re.Match[str]", context: Context) -> Period:
    """A quarter of a calendar year, or of a financial year where that is said."""
    of = financial_year if match["financial"] else year
    return quarter(int(match["quarter"]), of(_full_year(match["year"])))


def named_year(match: "re.Match[str]", context: Context) -> Period:
    """A year alone could be an amount: only one that is introduced is read."""
    return year(int(match["year"])) if introduced(context.text[: match.start()]) else NOTHING


def festival(match: "re.Match[str]", context: Context) -> Period | None:
    """The day of a festival in the year that is named or that the tense asks for.

    `None` for a year that is not in the table of festivals.
    """
    name = " ".join(match["name"].lower().split())
    name = ALSO_CALLED.get(name, name)
    found = [day(when) for when in FESTIVALS.get(name, ())]
    if name in SAME_DAY_EACH_YEAR:
        this = int(match["year"] or context.today.year)
        years = range(this - 1, this + 2)
        found = [day(date(number, *SAME_DAY_EACH_YEAR[name])) for number in years]
    if match["year"]:
        found = [period for period in found if str(period.start)[:4] == match["year"]]
    if not found:
        return None
    return nearest(found, context.today, past=context.past)
