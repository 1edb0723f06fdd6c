"""When features are snapshotted.

A snapshot is taken in the last second of a day, so that it holds everything that happened on that day and
nothing of the next, and so that stores with whole seconds keep its time exactly.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from finml.errors import UsageError

CALENDARS = ("month_end", "week_end", "day")
LAST_SECOND = time(23, 59, 59)
SUNDAY = 6


def moments(calendar: str, start: datetime, end: datetime) -> list[datetime]:
    """Times of the snapshots between two naive UTC times, both included, in order.

    Args:
        calendar: `month_end`, `week_end` (Sundays) or `day`.
        start: no snapshot is before it.
        end: no snapshot is after it.

    Raises:
        UsageError: there is no such calendar.
    """
    if calendar not in CALENDARS:
        raise UsageError(f"no calendar is called {calendar!r}", hint=f"calendars: {', '.join(CALENDARS)}")
    return [moment for moment in _days(start, end) if start <= moment <= end and _is_taken(calendar, moment)]


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start.date()
    while day <= end.date():
        yield datetime.combine(day, LAST_SECOND)
        day += timedelta(days=1)


def _is_taken(calendar: str, moment: datetime) -> bool:
    if calendar == "month_end":
        return (moment + timedelta(days=1)).day == 1
    return calendar == "day" or moment.weekday() == SUNDAY


def whole_second(moment: datetime) -> datetime:
    """`moment`, or the next whole second after it."""
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)
