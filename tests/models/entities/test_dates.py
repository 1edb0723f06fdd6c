from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.entities.dates import dates, in_the_past
from finml.models.entities.periods import add_months

WEDNESDAY = date(2026, 5, 20)


def found(text: str, today: date = WEDNESDAY) -> dict[str, tuple[str | None, str | None]]:
    return {
        text[one.start : one.end]: (
            one.period.start and one.period.start.isoformat(),
            one.period.end and one.period.end.isoformat(),
        )
        for one in dates(text, today)
        if one.period
    }


@pytest.mark.parametrize(
    "text",
    [
        "may I see my balance",
        "can I sit in the sun",
        "a sat phone",
        "31/02/2026",
        "32nd street",
        "transfer 2019 rupees",
        "99999 weeks",
        "FY 2024-27",
        "24/7 support",
        "support on 24/7 basis",
        "1/2 of my salary",
        "on 1/2 of my salary",
        "3/4 done",
    ],
)
def test_what_is_no_date_is_not_read_as_one(text):
    assert dates(text, WEDNESDAY) == []


def test_two_dates_of_one_range_are_days_of_the_same_month():
    assert found("how much did I spend from the 3rd to the 6th of January") == {
        "3rd": ("2026-01-03", "2026-01-04"),
        "6th of January": ("2026-01-06", "2026-01-07"),
    }


def test_may_with_a_capital_or_behind_in_is_the_month():
    assert found("what did I spend in may")["may"] == ("2026-05-01", "2026-06-01")
    assert found("rent of May please")["May"] == ("2026-05-01", "2026-06-01")


def test_a_year_of_two_figures_is_read_behind_a_month():
    assert found("bought on 22 apr 23, is it here")["22 apr 23"] == ("2023-04-22", "2023-04-23")
    assert found("5 may 25,000 went")["5 may"] == ("2026-05-05", "2026-05-06")


def test_kal_is_either_day_and_says_so():
    (one,) = dates("kal", WEDNESDAY)
    other = one.period.alternatives[0]
    assert {one.period.start, other.start} == {date(2026, 5, 19), date(2026, 5, 21)}


def test_a_range_that_is_opened_opens_its_other_reading_too():
    (one,) = dates("kal se kitna kharch hua", WEDNESDAY)
    assert (one.relation, one.period.end) == ("since", date(2026, 5, 21))
    assert [other.start for other in one.period.alternatives] == [date(2026, 5, 21)]
    assert one.period.alternatives[0].end is None


@pytest.mark.parametrize(
    ("text", "words", "today", "exists"),
    [
        ("paid on 31st last month", "31st last month", date(2026, 5, 20), False),
        ("paid on 31st last month", "31st last month", date(2026, 6, 20), True),
        ("spent on 29 Feb last year", "29 Feb last year", date(2026, 5, 20), False),
        ("spent on 29 Feb last year", "29 Feb last year", date(2025, 5, 20), True),
        ("in 7950 years", "in 7950 years", date(2026, 5, 20), True),
        ("in 7950 years", "in 7950 years", date(2199, 5, 20), False),
        ("9999 years ago", "9999 years ago", WEDNESDAY, False),
        ("Diwali 2050", "Diwali 2050", WEDNESDAY, False),
        ("christmas 2050", "christmas 2050", WEDNESDAY, True),
    ],
)
def test_a_day_that_does_not_exist_is_found_without_a_meaning(text, words, today, exists):
    (one,) = dates(text, today)
    assert text[one.start : one.end] == words
    assert (one.period is not None) == exists


WRITTEN = st.one_of(
    st.builds(
        "{} {}".format, st.integers(1, 32), st.sampled_from(["last month", "tareekh", "Feb last year"])
    ),
    st.builds(
        "the {}th to the {}th of {}".format, *[st.integers(1, 32)] * 2, st.sampled_from(["Feb", "May"])
    ),
    st.builds("on {}/{}".format, st.integers(1, 32), st.integers(1, 13)),
    st.builds("{}{}".format, st.integers(1, 32), st.sampled_from(["st", "th", "th next month"])),
    st.builds(
        "{}{} {}{}".format,
        st.sampled_from(["", "in ", "last ", "next "]),
        st.integers(0, 9999),
        st.sampled_from(["days", "weeks", "months", "quarters", "years", "hours"]),
        st.sampled_from(["", " ago", " later"]),
    ),
    st.builds(
        "{} {}".format,
        st.sampled_from(["last", "this", "next", "past", "", "since", "by"]),
        st.sampled_from(["May", "Friday", "week", "year", "financial year", "29 Feb", "kal", "weekend"]),
    ),
    st.builds(
        "{} {}".format, st.sampled_from(["Diwali", "holi", "christmas", "Q2", "FY"]), st.integers(2000, 2060)
    ),
)
ANY_DAY = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@given(st.lists(WRITTEN, min_size=1, max_size=3).map(" and paid ".join), ANY_DAY, ANY_DAY)
def test_what_is_found_does_not_depend_on_the_day(text, today, other):
    def places(when: date) -> list[tuple[int, int, str]]:
        return [(one.start, one.end, one.rule) for one in dates(text, when)]

    assert places(today) == places(other)


def test_what_comes_again_and_again_has_no_interval():
    (one,) = dates("send rent on the 4th of each month", WEDNESDAY)
    assert (one.rule, one.period) == ("recurring", None)


def test_before_ends_where_the_date_begins():
    assert found("pay it before Friday") == {"Friday": (None, "2026-05-22")}


def test_a_leap_day_without_a_year_is_the_last_one_that_was():
    assert found("spent on 29 Feb")["29 Feb"] == ("2024-02-29", "2024-03-01")


def test_the_31st_is_of_a_month_that_has_one():
    assert found("paid on the 31st", date(2026, 3, 1))["31st"] == ("2026-01-31", "2026-02-01")


@pytest.mark.parametrize(
    ("text", "past"),
    [
        ("what did I spend on Monday", True),
        ("pay it on Monday", False),
        ("Monday", True),
        ("I will pay what was due on Monday", True),
        ("कल भेजो", False),
        ("कल भेजा था", True),
    ],
)
def test_the_tense_of_a_text(text, past):
    assert in_the_past(text) == past


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(-600, 600))
def test_months_are_added_as_the_calendar_has_them(when, months):
    moved = add_months(when, months)
    assert (moved.year * 12 + moved.month) - (when.year * 12 + when.month) == months
    assert moved.day <= when.day


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)))
def test_every_day_is_read_back_from_how_it_is_written(when):
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d %B %Y", "%B %d, %Y"):
        text = when.strftime(form)
        assert found(f"spent on {text}") == {text: (when.isoformat(), (when + timedelta(days=1)).isoformat())}


@given(
    st.dates(date(1950, 1, 1), date(2150, 1, 1)),
    st.sampled_from(
        ["today", "yesterday", "tomorrow", "last week", "next month", "this quarter", "kal", "aaj"]
    )
    | st.builds("{} {} ago".format, st.integers(1, 500), st.sampled_from(["days", "weeks", "months"])),
)
def test_an_interval_begins_before_it_ends(today, words):
    (one,) = dates(words, today)
    assert one.period.start < one.period.end
