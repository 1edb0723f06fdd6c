import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError, UsageError
from finml.models.spending.calendar import DayTable, is_holiday
from finml.models.spending.periods import DAILY, MONTHLY, WEEKLY


@pytest.fixture(scope="module")
def table() -> DayTable:
    return DayTable.covering(np.datetime64("2023-01-01"), np.datetime64("2027-12-31"))


def months(*names: str) -> np.ndarray:
    return np.array([f"{name}-01" for name in names], dtype="datetime64[D]")


def test_diwali_moves_between_october_and_november(table):
    # 2023-11-12, 2024-10-31, 2025-10-20: two weeks before it and a day after
    found = table.features(MONTHLY, months("2023-10", "2023-11", "2024-10", "2024-11", "2025-10", "2025-11"))
    assert found["diwali"].tolist() == [3, 13, 15, 1, 16, 0]


def test_salaries_come_on_the_last_working_day(table):
    # 2024-03-29 is Good Friday, so salaries of March come on the 28th; those of April on the 30th
    days = np.arange("2024-03-26", "2024-05-05", dtype="datetime64[D]")
    paid = days[table.features(DAILY, days)["salary_days"] > 0]
    assert [str(day) for day in paid] == [
        "2024-03-28", "2024-03-29", "2024-03-30", "2024-03-31",
        "2024-04-30", "2024-05-01", "2024-05-02", "2024-05-03",
    ]  # fmt: skip


def test_weekdays_of_a_month_are_counted_against_its_sundays(table):
    for name in ("2024-02", "2024-03", "2025-02", "2023-07"):
        days = pd.date_range(f"{name}-01", periods=pd.Period(name).days_in_month)
        counts = np.bincount(days.dayofweek, minlength=7)
        found = table.features(MONTHLY, months(name))
        assert [found[day][0] for day in ("mondays", "fridays", "saturdays")] == [
            counts[0] - counts[6], counts[4] - counts[6], counts[5] - counts[6]
        ]  # fmt: skip


def test_weeks_and_days_add_up_to_months(table):
    days = np.arange("2024-01-01", "2024-01-29", dtype="datetime64[D]")
    by_week = table.features(WEEKLY, days[::7])["public_holidays"]
    assert by_week.sum() == table.features(DAILY, days)["public_holidays"].sum() == 1  # Republic Day


def test_single_days_have_a_column_a_holiday(table):
    found = table.features(DAILY, np.array(["2024-10-31", "2024-11-01"], dtype="datetime64[D]"))
    assert found["Diwali_delim_+0"].tolist() == [1, 0]
    assert [is_holiday(name) for name in ("Diwali_delim_+0", "eid", "fridays", "salary_days")] == [
        True, True, False, False
    ]  # fmt: skip


def test_a_table_reads_back_as_it_was(table):
    again = DayTable.from_dict(table.to_dict())
    dates = months("2023-01", "2025-10", "2027-11")
    for frequency in (MONTHLY, DAILY):
        before, after = table.features(frequency, dates), again.features(frequency, dates)
        assert {name: values.tolist() for name, values in before.items()} == {
            name: values.tolist() for name, values in after.items()
        }
    assert again.last == table.last


@pytest.mark.parametrize("name", ["2022-12", "2028-01", "1970-01", "2099-12"])
def test_a_period_outside_the_table_is_an_error(table, name):
    with pytest.raises(
        DataError, match=f"from {name}-01 on lies outside the calendar, which reaches from 2023"
    ):
        table.features(MONTHLY, months("2024-01", name))


def test_the_ends_of_the_table_can_be_asked(table):
    assert table.features(MONTHLY, months("2023-01", "2027-12"))["public_holidays"].tolist() == [1, 1]


def test_an_unknown_country_is_refused():
    with pytest.raises(UsageError, match="no holidays are known of country 'XX'"):
        DayTable.covering(np.datetime64("2024-01-01"), np.datetime64("2024-12-31"), "XX")
