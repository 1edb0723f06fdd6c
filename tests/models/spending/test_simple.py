import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.spending.blending import Blend, recent_level
from finml.models.spending.series import Series
from finml.models.spending.simple import Pattern, simple_kinds
from tests.models.spending.months import daily, monthly


def series(values: list[float]) -> Series:
    ds = pd.date_range("2020-01-01", periods=len(values), freq="MS")
    return Series.of("s", pd.DataFrame({"ds": ds, "y": values}))


@pytest.mark.parametrize(
    ("values", "kinds", "why"),
    [
        ([1.0], ("mean",), "1 month of history; Prophet needs 15"),
        ([1.0] * 14, ("seasonal_naive", "mean"), "14 months of history; Prophet needs 15"),
        ([1.0] * 15, (), ""),
        ([0.0, 0.0, 9.0] * 8, ("seasonal_naive", "mean"), "67% of the months have no spending"),
    ],
)
def test_a_simpler_method_is_taken_for_a_reason(values, kinds, why):
    assert simple_kinds(series(values)) == (kinds, why)


def test_the_last_season_comes_again_and_grows():
    pattern = Pattern.seasonal(series([float(k + 1) for k in range(12)] + [1.1 * (k + 1) for k in range(12)]))
    assert pattern.growth == pytest.approx(1.1)
    assert pattern.at(np.array([1, 12, 13])).tolist() == pytest.approx([1.1 * 1.1, 12 * 1.21, 1.1**3])


def test_growth_is_kept_within_reason():
    assert Pattern.seasonal(series([1.0] * 12 + [100.0] * 12)).growth == 1.5
    assert Pattern.seasonal(series([0.0] * 12 + [100.0] * 12)).growth == 1.0


def test_a_missing_month_of_the_last_season_is_filled():
    rows = monthly("a", 24, noise=0).drop(index=15)
    found = Pattern.seasonal(Series.of("s", rows)).at(np.arange(1, 13))
    assert np.isfinite(found).all()
    assert found[3] == pytest.approx(rows["y"].tail(11).mean() * Pattern.seasonal(Series.of("s", rows)).growth)


def test_a_day_of_the_week_is_the_mean_of_four():
    found = Pattern.seasonal(Series.of("s", daily(70)))
    saturday = int(np.argmax(found.values))
    assert (np.datetime64("2024-01-01") + 70 + saturday).astype("datetime64[D]").item().weekday() == 5


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5), st.integers(1, 60))
def test_a_blend_lies_between_what_is_blended(level, damping, weight, step):
    steps = np.array([step])
    path, trend, pattern = np.array([100.0]), np.array([90.0]), Pattern((40.0,), 1.0)
    found = Blend(level, True, damping, weight).apply(path, trend, pattern, steps, floor=False)[0]
    moved = 100 + level * damping ** (step - 1) * 90
    assert min(moved, 40) - 1e-9 <= found <= max(moved, 40) + 1e-9


def test_the_newest_residuals_weigh_most():
    path = np.full(4, 10.0)
    level = recent_level(np.array([10, np.nan, 10, 12.0]), path, path, 0.5, relative=False)
    assert level == pytest.approx(2 / (1 + 0.5 + 0.25))
    assert recent_level(np.array([1.0, 2, 3, 4]), path, path, 0.0, relative=True) == 0
