import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.spending.blending import Blend, last_season, recent_level
from finml.models.spending.periods import MONTHLY
from finml.models.spending.series import Series
from finml.models.spending.simple import Pattern, simple_kinds
from tests.models.spending.months import daily, monthly


def series(values: list[float]) -> Series:
    ds = pd.date_range("2020-01-01", periods=len(values), freq="MS")
    return Series.of("s", pd.DataFrame({"ds": ds, "y": values}))


@pytest.mark.parametrize(
    ("values", "kinds", "why"),
    [
        ([1.0], ("mean", "recent_level"), "1 month of history; Prophet needs 8"),
        ([1.0] * 7, ("mean", "recent_level"), "7 months of history; Prophet needs 8"),
        ([1.0] * 8, (), ""),
        (
            [0.0, 0.0, 9.0] * 8,
            ("seasonal_naive", "mean", "recent_level"),
            "67% of the months have no spending",
        ),
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
    assert found[3] == pytest.approx(
        rows["y"].tail(11).mean() * Pattern.seasonal(Series.of("s", rows)).growth
    )


def test_a_day_of_the_week_is_the_mean_of_four():
    found = Pattern.seasonal(Series.of("s", daily(70)))
    saturday = int(np.argmax(found.values))
    assert (np.datetime64("2024-01-01") + 70 + saturday).astype("datetime64[D]").item().weekday() == 5


@given(st.floats(-1, 1), st.lists(st.floats(-1, 1), min_size=12, max_size=12), st.integers(1, 60))
def test_what_is_added_fades_but_for_the_season(level, season, step):
    blend = Blend(level, True, 0.9, tuple(season))
    added = blend.added(np.array([90.0]), np.array([step]))[0]
    assert added == pytest.approx(90 * (level * 0.9 ** (step - 1) + season[(step - 1) % 12]))
    assert Blend.from_dict(json.loads(json.dumps(dataclasses.asdict(blend)))) == blend


def test_the_newest_residuals_weigh_most():
    missed = np.array([0, np.nan, 0, 2.0])
    assert recent_level(missed, 0.5) == pytest.approx(2 / (1 + 0.5 + 0.25))
    assert recent_level(missed, 0.0) == 0


def test_the_last_season_s_residuals_come_at_their_month():
    missed = np.zeros(30)
    missed[-12] = 0.4  # a year before the first month to come
    missed[-3] = np.nan
    assert last_season(missed, MONTHLY).tolist() == [0.4] + [0.0] * 11
    blend = Blend.of(missed, MONTHLY, 0.0, 0.5, relative=False)
    assert blend.added(np.ones(3), np.array([1, 2, 13])).tolist() == [0.2, 0, 0.2]
    assert last_season(missed[-5:], MONTHLY).tolist() == [0.0] * 12
