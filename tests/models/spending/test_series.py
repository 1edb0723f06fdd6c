import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.spending.periods import DAILY, FREQUENCIES, MONTHLY, WEEKLY
from finml.models.spending.series import Series
from tests.models.spending.months import daily, monthly, weekly


def series(dates, values=None, **columns) -> Series:
    rows = pd.DataFrame({"ds": pd.to_datetime(dates), "y": values or np.ones(len(dates)), **columns})
    return Series.of("s", rows, tuple(columns))


@pytest.mark.parametrize(
    ("rows", "frequency"), [(monthly("a", 20), MONTHLY), (weekly(20), WEEKLY), (daily(40), DAILY)]
)
def test_the_frequency_is_found(rows, frequency):
    found = Series.of("s", rows.sample(frac=1, random_state=1))
    assert found.frequency is frequency
    assert found.values.tolist() == rows["y"].tolist()
    assert found.notes == ()


def test_month_ends_are_months():
    found = series(pd.date_range("2024-01-31", periods=5, freq="ME"))
    assert found.frequency is MONTHLY
    assert [str(day) for day in found.dates[:2]] == ["2024-01-01", "2024-02-01"]


def test_dates_without_rhythm_are_summed_by_month_and_said_so():
    found = series(["2024-01-03", "2024-01-19", "2024-02-28", "2024-03-01", "2024-03-02"], [1, 2, 3, 4, 5])
    assert found.frequency is MONTHLY
    assert found.values.tolist() == [3, 3, 9]
    assert found.notes == ("the dates are irregular, so values are summed by month",)


def test_rows_of_one_day_are_added_up_and_said_so():
    found = series(["2024-01-01", "2024-02-01", "2024-02-01", "2024-03-01"], [1, 2, 3, 4])
    assert found.values.tolist() == [1, 5, 4]
    assert found.notes == ("1 row shares its day with another and was added up",)


def test_gaps_stay_missing_and_are_told():
    dates = [f"2024-{month:02}-01" for month in (1, 2, 7, 8)]
    found = series(dates, [1, 2, 7, 8])
    assert np.isnan(found.values[2:6]).all()
    assert (found.n, len(found.values)) == (4, 8)
    assert found.notes == (
        "4 of 8 months are missing (2024-03, 2024-04, 2024-05 and 1 more) and were left out",
    )


def test_regressors_go_on_beyond_the_values():
    dates = pd.date_range("2024-01-01", periods=6, freq="MS")
    found = series(dates, [1, 2, 3, 4, np.nan, np.nan], index=[5.0, 6, 7, 8, 9, 10], flat=np.ones(6))
    assert len(found.values) == 4
    assert found.regressors["given_index"].tolist() == [5, 6, 7, 8, 9, 10]
    assert found.notes == ("regressor flat never changes and was left out",)


def test_a_head_knows_regressors_no_further_ahead_than_the_whole():
    dates = pd.date_range("2024-01-01", periods=6, freq="MS")
    rows = pd.DataFrame({"ds": dates, "y": [1.0] * 5 + [np.nan], "index": [5.0, 6, 7, 8, 9, 10]})
    head = Series.of("s", rows, ("index",)).head(3)
    assert head.regressors["given_index"].tolist() == [5, 6, 7, 8]
    assert len(head.regressor_dates) == 4
    assert Series.of("s", rows.head(5), ("index",)).head(3).regressors["given_index"].tolist() == [5, 6, 7]


def test_a_regressor_with_gaps_is_left_out_and_told():
    dates = pd.date_range("2024-01-01", periods=3, freq="MS")
    assert series(dates, index=[1.0, np.nan, 2.0]).notes == ("regressor index has gaps and was left out",)


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0, 5.0], [0.0] * 30, [1.0, 2.0]])
def test_errors_can_always_be_scaled(values):
    found = series(pd.date_range("2022-01-01", periods=len(values), freq="MS"), values)
    assert found.unit() > 0
    assert found.naive_error() > 0


def test_the_scale_is_the_error_of_the_last_season():
    values = [float(k % 12) + 2 * (k // 12) for k in range(36)]
    found = series(pd.date_range("2022-01-01", periods=36, freq="MS"), values)
    assert found.naive_error() == 2


@given(
    st.sampled_from(list(FREQUENCIES.values())),
    st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2050-01-01").date()),
    st.integers(1, 400),
)
def test_periods_are_counted_as_they_are_laid_out(frequency, first, periods):
    anchor = np.datetime64(first, "D")
    starts = frequency.range(anchor, periods)
    assert frequency.between(starts[0], starts).tolist() == list(range(periods))
    assert (frequency.after(starts[:-1]) == starts[1:]).all()
    last_days = frequency.after(starts) - 1
    assert (frequency.start_of(starts[0], last_days) == starts).all()
