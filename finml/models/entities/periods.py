"""Periods of whole days and the calendar arithmetic on them. The end of a period is exclusive."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

DAY = timedelta(days=1)
# India's financial year, from April to March, is named after the year it ends in
FIRST_MONTH_OF_FINANCIAL_YEAR = 4


class Grain(StrEnum):
    """How long a period is, in words."""

    DAY = "day"
    WEEKEND = "weekend"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FINANCIAL_YEAR = "financial_year"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to before `end`; `None` is no bound.

    Attributes:
        grain: what kind of period it is.
        alternatives: other readings, where the text does not say which is meant.
    """

    start: date | None
    end: date | None
    grain: Grain = Grain.SPAN
    alternatives: "tuple[Period, ...]" = ()


def day(when: date) -> Period:
    """One day."""
    return Period(when, when + DAY, Grain.DAY)


def add_months(when: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter.

    Raises:
        ValueError, OverflowError: the calendar does not reach that far.
    """
    place = when.year * 12 + when.month - 1 + months
    first = date(place // 12, place % 12 + 1, 1)
    last = _next_month(first) - DAY
    return first.replace(day=min(when.day, last.day))


def containing(when: date, grain: Grain) -> Period:
    """The calendar's day, week (from Monday), month, quarter or year that a day is in."""
    monday = when - when.weekday() * DAY
    first = when.replace(day=1)
    match grain:
        case Grain.WEEK:
            found = Period(monday, monday + 7 * DAY, grain)
        case Grain.WEEKEND:
            found = Period(monday + 5 * DAY, monday + 7 * DAY, grain)
        case Grain.MONTH:
            found = Period(first, _next_month(first), grain)
        case Grain.QUARTER:
            start = first.replace(month=when.month - (when.month - 1) % 3)
            found = Period(start, add_months(start, 3), grain)
        case Grain.YEAR:
            found = year(when.year)
        case Grain.FINANCIAL_YEAR:
            found = financial_year(when.year + (when.month >= FIRST_MONTH_OF_FINANCIAL_YEAR))
        case _:
            found = day(when)
    return found


def shifted(today: date, grain: Grain, steps: int) -> Period:
    """The period of a grain that lies a number of periods from today's: -1 is the last one, 1 the next."""
    match grain:
        case Grain.WEEK | Grain.WEEKEND:
            return containing(today + 7 * steps * DAY, grain)
        case Grain.MONTH | Grain.QUARTER:
            start = containing(today, grain).start
            months = 3 if grain is Grain.QUARTER else 1
            return containing(add_months(start or today, months * steps), grain)
        case Grain.YEAR:
            return year(today.year + steps)
        case Grain.FINANCIAL_YEAR:
            current = today.year + (today.month >= FIRST_MONTH_OF_FINANCIAL_YEAR)
            return financial_year(current + steps)
    return day(today + steps * DAY)


def stretch(today: date, grain: Grain, number: int) -> Period:
    """A length of time that ends with today (number below zero) or begins with it."""
    if number < 0:
        end = today + DAY
        return Period(_moved(end, grain, number), end)
    return Period(today, _moved(today, grain, number))


def year(number: int) -> Period:
    """A calendar year."""
    return Period(date(number, 1, 1), date(number + 1, 1, 1), Grain.YEAR)


def financial_year(ends_in: int) -> Period:
    """The financial year that ends in a year."""
    month = FIRST_MONTH_OF_FINANCIAL_YEAR
    return Period(date(ends_in - 1, month, 1), date(ends_in, month, 1), Grain.FINANCIAL_YEAR)


def quarter(number: int, of: Period) -> Period:
    """The first to fourth quarter of a year or of a financial year."""
    start = add_months(of.start or date.min, 3 * (number - 1))
    return Period(start, add_months(start, 3), Grain.QUARTER)


def nearest(candidates: list[Period], today: date, *, past: bool) -> Period:
    """Of the same thing in different years, the one that a text in past or future tense means.

    In the past it is the last one that has begun, else the first one that is not over. A single candidate, or
    none on the wanted side, is taken as it is.
    """
    ordered = sorted(candidates, key=lambda period: period.start or date.min)
    if past:
        begun = [period for period in ordered if (period.start or date.min) <= today]
        return begun[-1] if begun else ordered[0]
    left = [period for period in ordered if (period.end or date.max) > today]
    return left[0] if left else ordered[-1]


def since(period: Period, today: date) -> Period:
    """From a period's begin to the end of today; without end where it lies ahead."""
    ahead = period.start is not None and period.start > today
    alternatives = tuple(since(other, today) for other in period.alternatives)
    return replace(period, end=None if ahead else today + DAY, grain=Grain.SPAN, alternatives=alternatives)


def until(period: Period, *, inclusive: bool) -> Period:
    """Everything to a period's end, or to before its begin."""
    alternatives = tuple(until(other, inclusive=inclusive) for other in period.alternatives)
    end = period.end if inclusive else period.start
    return replace(period, start=None, end=end, grain=Grain.SPAN, alternatives=alternatives)


def _moved(when: date, grain: Grain, number: int) -> date:
    match grain:
        case Grain.WEEK | Grain.WEEKEND:
            return when + 7 * number * DAY
        case Grain.MONTH:
            return add_months(when, number)
        case Grain.QUARTER:
            return add_months(when, 3 * number)
        case Grain.YEAR | Grain.FINANCIAL_YEAR:
            return add_months(when, 12 * number)
    return when + number * DAY


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
