"""When snapshots are taken."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import UsageError
from finml.features.calendar import CALENDARS, moments, whole_second

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1))


def test_months_end_on_their_last_day() -> None:
    found = moments("month_end", datetime(2023, 12, 31, 23, 59, 59), datetime(2024, 3, 31, 23, 59, 58))
    assert [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in found] == [
        "2023-12-31 23:59:59",
        "2024-01-31 23:59:59",
        "2024-02-29 23:59:59",
    ]


@given(start=TIMES, days=st.integers(0, 400), calendar=st.sampled_from(CALENDARS))
def test_moments_lie_between_the_ends_in_order_and_on_whole_seconds(
    start: datetime, days: int, calendar: str
) -> None:
    end = start + timedelta(days=days)
    found = moments(calendar, start, end)
    assert found == sorted(set(found))
    assert all(start <= moment <= end and moment.microsecond == 0 for moment in found)
    assert set(found) <= set(moments("day", start, end))


@given(moment=TIMES)
def test_a_whole_second_is_never_before_the_moment(moment: datetime) -> None:
    whole = whole_second(moment)
    assert timedelta() <= whole - moment < timedelta(seconds=1)
    assert whole.microsecond == 0


def test_an_unknown_calendar_names_those_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        moments("fortnight", datetime(2024, 1, 1), datetime(2024, 2, 1))
    assert "month_end, week_end, day" in refused.value.hint
