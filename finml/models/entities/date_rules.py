"""The rules by which dates are read: a regular expression each, and a function from its match to a period."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from finml.models.entities.date_words import (
    ALSO_CALLED,
    DAYS,
    EITHER_WAY,
    FESTIVALS,
    MONTHS,
    SAME_DAY_EACH_YEAR,
    SHORT_OR_COMMON,
    STEPS,
    UNITS,
    WEEKDAYS,
    alternatives,
)
from finml.models.entities.numerals import pieces, quantity
from finml.models.entities.periods import (
    DAY,
    Grain,
    Period,
    add_months,
    containing,
    day,
    financial_year,
    nearest,
    quarter,
    shifted,
    stretch,
    year,
)

NOTHING = Period(None, None)
"""What a rule answers where its words are none of a date after all."""

_MONTH, _WEEKDAY = alternatives(MONTHS), alternatives(WEEKDAYS)
_STEP, _UNIT = alternatives(STEPS), alternatives(UNITS)
_PLAIN_UNIT = alternatives(word for word, grain in UNITS.items() if grain is not Grain.FINANCIAL_YEAR)
_COUNT = (
    r"\d{1,4}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"ek|do|teen|char|paanch|chhe|saat|aath|nau|das|एक|दो|तीन|चार|पाँच|पांच|छह|सात|आठ|नौ|दस"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:\d{4}|'?\d{2}(?![\d,.]))"
# what comes before a name that is also a word, where it is a date
_INTRODUCED = re.compile(
    r"(?:\b(?:in|of|since|from|until|till|by|on|for|during|before|after|to|and|every|each|between|starting)|"
    rf"\b(?:{_STEP}))\s+$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may look at besides its match: the text, today, and whether the text speaks of the past."""

    text: str
    today: date
    past: bool


Reader = Callable[["re.Match[str]", Context], Period | None]


def _count(words: str) -> int:
    if words.isdecimal():
        return int(words)
    # the number is read as before a multiple, so that `do` and `a` count
    asked = f"{words} thousand"
    read = quantity(asked, pieces(asked), 0)
    return int(read.value / 1000) if read else 0


def _full_year(text: str) -> int:
    number = int(text.lstrip("'"))
    return number + 2000 if number < 70 else number + 1900 if number < 100 else number


def _is_meant(match: "re.Match[str]", name: str, context: Context) -> bool:
    """Whether a name that is a common word too (`may`, `sun`) is a date here."""
    written = match.group(name)
    if written.lower() not in SHORT_OR_COMMON:
        return True
    before = context.text[: match.start(name)]
    return (written[0].isupper() and bool(before.strip())) or bool(_INTRODUCED.search(before))


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


def _iso(match: "re.Match[str]", context: Context) -> Period:
    return day(date(int(match["year"]), int(match["month"]), int(match["day"])))


def _numeric(match: "re.Match[str]", context: Context) -> Period:
    """Day first, as in India and Europe."""
    return day(date(_full_year(match["year"]), int(match["month"]), int(match["day"])))


def _day_slash_month(match: "re.Match[str]", context: Context) -> Period:
    return _each_year(int(match["month"]), int(match["day"]), context)


def _month_slash_year(match: "re.Match[str]", context: Context) -> Period:
    return containing(date(int(match["year"]), int(match["month"]), 1), Grain.MONTH)


def _day_of_month_name(match: "re.Match[str]", context: Context) -> Period:
    month, of_month = MONTHS[match["month"].lower()], int(match["day"])
    if match["year"]:
        return day(date(_full_year(match["year"]), month, of_month))
    if match["step"]:
        return day(date(context.today.year + STEPS[match["step"].lower()], month, of_month))
    return _each_year(month, of_month, context)


def _month_name(match: "re.Match[str]", context: Context) -> Period:
    """A month, of a year that is named (`Jan 2025`, `October last year`) or that the tense asks for."""
    month = MONTHS[match["month"].lower()]
    if match["year"]:
        return containing(date(_full_year(match["year"]), month, 1), Grain.MONTH)
    if match["of_step"]:
        return containing(date(context.today.year + STEPS[match["of_step"].lower()], month, 1), Grain.MONTH)
    if not _is_meant(match, "month", context):
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


def _weekday(match: "re.Match[str]", context: Context) -> Period:
    if not _is_meant(match, "weekday", context):
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


def _named_day(match: "re.Match[str]", context: Context) -> Period:
    return day(context.today + DAYS[" ".join(match.group().lower().split())] * DAY)


def _either_way(match: "re.Match[str]", context: Context) -> Period:
    """`kal` is yesterday or tomorrow: the tense decides, and the other reading is given too."""
    days = EITHER_WAY[match.group().lower()]
    before, after = day(context.today - days * DAY), day(context.today + days * DAY)
    chosen, other = (before, after) if context.past else (after, before)
    return Period(chosen.start, chosen.end, chosen.grain, alternatives=(other,))


def _stepped(match: "re.Match[str]", context: Context) -> Period:
    """The last week is the calendar's; the past week is the last seven days."""
    unit = UNITS[" ".join(match["unit"].lower().split())]
    if match["step"].lower() == "past":
        return stretch(context.today, unit, -1)
    return shifted(context.today, unit, STEPS[match["step"].lower()])


def _before_last(match: "re.Match[str]", context: Context) -> Period:
    return shifted(context.today, UNITS[match["unit"].lower()], -2)


def _stretch(match: "re.Match[str]", context: Context) -> Period:
    step, number = STEPS[match["step"].lower()], _count(match["count"].lower())
    if not step or not number:
        return NOTHING
    return stretch(context.today, UNITS[match["unit"].lower()], step * number)


def _hours(match: "re.Match[str]", context: Context) -> Period:
    """So many hours back, widened to whole days: a ledger books by the day."""
    days = -(-_count(match["count"].lower()) // 24)
    return Period(context.today - days * DAY, context.today + DAY)


def _ago(match: "re.Match[str]", context: Context) -> Period:
    return shifted(context.today, UNITS[match["unit"].lower()], -_count(match["count"].lower()))


def _ahead(match: "re.Match[str]", context: Context) -> Period:
    return shifted(context.today, UNITS[match["unit"].lower()], _count(match["count"].lower()))


def _financial_year(match: "re.Match[str]", context: Context) -> Period:
    """`FY 2024-25` and `FY25` both end in 2025."""
    first, second = _full_year(match["year"]), match["second"]
    if second is None:
        return financial_year(first)
    if int(second) % 100 != (first + 1) % 100:
        raise ValueError("not two years in a row")
    return financial_year(first + 1)


def _quarter(match: "re.Match[str]", context: Context) -> Period:
    of = financial_year if match["financial"] else year
    return quarter(int(match["quarter"]), of(_full_year(match["year"])))


def _year(match: "re.Match[str]", context: Context) -> Period:
    """A year alone could be an amount: only one that is introduced is read."""
    return year(int(match["year"])) if _INTRODUCED.search(context.text[: match.start()]) else NOTHING


def _ordinal(match: "re.Match[str]", context: Context) -> Period:
    """The 4th: of May in `the 4th to the 9th of May`, else of the month that the tense asks for."""
    of_month = int(match["day"])
    if not 1 <= of_month <= 31:
        return NOTHING
    later = _ORDINAL_OF_A_PAIR.match(context.text, match.end())
    if later:
        return _each_year(MONTHS[later["month"].lower()], of_month, context)
    if match.groupdict().get("step"):
        first = shifted(context.today, Grain.MONTH, STEPS[match["step"].lower()]).start or context.today
        return day(first.replace(day=of_month))
    found = []
    for months in range(-2, 3):
        first = add_months(context.today.replace(day=1), months)
        try:
            found.append(day(first.replace(day=of_month)))
        except ValueError:
            continue
    return nearest(found, context.today, past=context.past)


def _edge(match: "re.Match[str]", context: Context) -> Period:
    unit = UNITS[match["unit"].lower()]
    whole = shifted(context.today, unit, STEPS[match["step"].lower()] if match["step"] else 0)
    if whole.start is None or whole.end is None:
        return NOTHING
    return day(whole.end - DAY if match["edge"].lower() == "end" else whole.start)


def _to_date(match: "re.Match[str]", context: Context) -> Period:
    unit = match["unit"]
    grain = UNITS[unit.lower()] if unit else Grain.YEAR if match.group().lower() == "ytd" else Grain.MONTH
    return Period(containing(context.today, grain).start, context.today + DAY)


def _festival(match: "re.Match[str]", context: Context) -> Period:
    name = " ".join(match["name"].lower().split())
    name = ALSO_CALLED.get(name, name)
    found = [day(when) for when in FESTIVALS.get(name, ())]
    if name in SAME_DAY_EACH_YEAR:
        years = range(context.today.year - 1, context.today.year + 2)
        found = [day(date(number, *SAME_DAY_EACH_YEAR[name])) for number in years]
    if match["year"]:
        found = [period for period in found if str(period.start)[:4] == match["year"]]
    if not found:
        raise ValueError("not in the table of festivals")
    return nearest(found, context.today, past=context.past)


def _again_and_again(match: "re.Match[str]", context: Context) -> None:
    return None


_ORDINAL_OF_A_PAIR = re.compile(
    rf"\s+(?:to|and|till|until)\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})\b",
    re.IGNORECASE,
)

RULES: tuple[tuple[str, str, Reader], ...] = (
    ("iso_date", r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", _iso),
    ("numeric_date", r"(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>\d{4}|\d{2})", _numeric),
    ("day_and_month", r"(?<!/)(?P<day>\d{1,2})/(?P<month>\d{1,2})(?!/)", _day_slash_month),
    ("month_and_year", r"(?<![\d/])(?P<month>\d{1,2})/(?P<year>(?:19|20)\d{2})", _month_slash_year),
    (
        "day_of_month",
        rf"(?:(?:{_WEEKDAY}),?\s+(?:the\s+)?)?{_DAY}[\s-]+(?:of\s+)?(?P<month>{_MONTH})"
        rf"(?:[\s,-]+(?P<year>{_YEAR})|\s+(?P<step>last|this|next)\s+year)?",
        _day_of_month_name,
    ),
    (
        "day_of_month",
        rf"(?:(?:{_WEEKDAY}),?\s+)?(?P<month>{_MONTH})[\s-]+(?:the\s+)?{_DAY}"
        rf"(?:(?:\s*,\s*|\s+)(?P<year>{_YEAR})|\s+(?P<step>last|this|next)\s+year)?",
        _day_of_month_name,
    ),
    (
        "month",
        rf"(?:(?P<step>{_STEP})\s+)?(?P<month>{_MONTH})"
        rf"(?:[\s,-]+(?:of\s+)?(?P<year>{_YEAR})|\s+(?P<of_step>last|this|next)\s+year)?",
        _month_name,
    ),
    (
        "weekday",
        rf"(?:(?P<before_week>last|this|next)\s+week\s+)?(?:(?P<step>{_STEP})\s+)?(?P<weekday>{_WEEKDAY})"
        r"(?:\s+(?P<week>last|this|next)\s+week)?",
        _weekday,
    ),
    ("named_day", rf"(?:{alternatives(DAYS)})", _named_day),
    ("kal", rf"(?:{alternatives(EITHER_WAY)})", _either_way),
    ("relative_period", rf"(?P<step>{_STEP})\s+(?P<unit>{_UNIT})", _stepped),
    ("before_last", r"(?P<unit>week|month|quarter|year)\s+before\s+last", _before_last),
    ("length_of_time", rf"(?P<step>{_STEP})\s+(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})", _stretch),
    ("hours", rf"(?:last|past|pichle|pichhle)\s+(?P<count>{_COUNT})\s+(?:hours?|hrs?|ghante)", _hours),
    ("ago", rf"(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})\s+(?:ago|back|earlier|pehle|pahle|पहले)", _ago),
    ("ahead", rf"in\s+(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})(?:'\s+time)?", _ahead),
    (
        "ahead",
        rf"(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})\s+(?:from\s+now|from\s+today|later|baad|बाद)",
        _ahead,
    ),
    (
        "financial_year",
        r"(?:fy|financial\s+year|fiscal\s+year)[\s-]?(?P<year>20\d{2}|\d{2})(?:\s?[-/]\s?(?P<second>\d{4}|\d{2}))?",
        _financial_year,
    ),
    (
        "quarter",
        r"q(?P<quarter>[1-4])[\s,-]*(?:of\s+)?(?P<financial>fy\s?)?(?P<year>20\d{2}|'?\d{2})",
        _quarter,
    ),
    ("year", r"(?P<year>(?:19[5-9]|20[0-4])\d)", _year),
    ("ordinal_day", r"(?:(?P<step>last)\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)", _ordinal),
    ("ordinal_day", r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?P<step>this|last|next)\s+month", _ordinal),
    ("ordinal_day", r"(?P<day>\d{1,2})\s+(?:tareekh|tarikh|tareek|तारीख)", _ordinal),
    (
        "edge",
        r"(?P<edge>end|beginning|start)\s+of\s+(?:the\s+)?(?:(?P<step>last|this|next)\s+)?(?P<unit>month|year|week)",
        _edge,
    ),
    ("edge", r"(?P<unit>month|year|week)\s+(?P<edge>end)(?P<step>)", _edge),
    ("edge", r"(?P<unit>mahine|saal|hafte)\s+ke\s+(?P<edge>end)(?P<step>)", _edge),
    ("to_date", r"(?:(?P<unit>week|month|quarter|year)\s+to\s+date|ytd|mtd)", _to_date),
    (
        "festival",
        rf"(?P<name>{alternatives([*FESTIVALS, *SAME_DAY_EACH_YEAR, *ALSO_CALLED])})(?:\s+(?P<year>20\d{{2}}))?",
        _festival,
    ),
    (
        "recurring",
        rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|(?:first|last)\s+(?:{_WEEKDAY}))\s+of\s+(?:each|every)\s+(?:month|year|week)",
        _again_and_again,
    ),
)
