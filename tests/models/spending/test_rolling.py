import numpy as np
import pytest

from finml.models.spending.calendar import DayTable
from finml.models.spending.fitting import LONG_VARIANTS, SHORT_VARIANTS, variants
from finml.models.spending.rolling import BLENDS, choices, choose, origins, prophet_errors, simple_errors
from finml.models.spending.series import Series
from tests.models.spending.months import monthly


@pytest.fixture(scope="module")
def table() -> DayTable:
    return DayTable.covering(np.datetime64("2021-01-01"), np.datetime64("2027-12-31"))


def series(months: int, **how) -> Series:
    return Series.of("s", monthly("groceries", months, **how))


def test_long_and_short_histories_are_tried_in_their_own_ways():
    assert variants(series(48)) == LONG_VARIANTS
    assert variants(series(20)) == SHORT_VARIANTS
    assert len(choices(series(20))) == len(SHORT_VARIANTS) * len(BLENDS)


def test_origins_go_back_from_the_end_as_long_as_there_is_history():
    assert origins(series(48), 12) == [45, 42, 39, 36, 33, 30, 27, 24]
    assert origins(series(20), 6) == [17, 14, 11, 8]
    assert origins(series(12), 12) == []


def test_errors_are_what_the_forecast_missed(table):
    found = prophet_errors(series(48, noise=0.0), table, LONG_VARIANTS[0])
    assert found.shape == (len(BLENDS), 8, 12)
    # the latest origin has three months after it
    assert np.isfinite(found[:, 0]).sum(axis=1).tolist() == [3] * len(BLENDS)
    assert np.nanmean(np.abs(found)) < 0.1


def test_no_origin_sees_what_comes_after_it(table):
    rows = monthly("groceries", 48)
    spoilt = rows.assign(y=np.where(rows.index >= 45, 1e6, rows["y"]))
    before = prophet_errors(Series.of("s", rows), table, LONG_VARIANTS[0])
    after = prophet_errors(Series.of("s", spoilt), table, LONG_VARIANTS[0])
    np.testing.assert_array_equal(before[:, 3:, :3], after[:, 3:, :3])


def test_the_choice_leans_on_all_series():
    random = np.random.default_rng(0)
    errors = {f"s{k}": 1 + 0.1 * random.random((4, 3, 12)) for k in range(6)}
    for found in errors.values():
        found[2] *= 0.5
    errors["odd"] = np.ones((4, 3, 12))
    errors["odd"][1] = 0.9
    assert choose(errors) == dict.fromkeys(errors, 2)
    errors["odd"][1] = 0.1
    assert choose(errors)["odd"] == 1


def test_a_series_without_origin_takes_what_suits_the_others():
    errors = {"a": np.ones((3, 2, 12)), "b": np.full((3, 0, 12), np.nan)}
    errors["a"][1] = 0.5
    assert choose(errors) == {"a": 1, "b": 1}
    assert choose({"b": errors["b"]}) == {"b": 0}
    assert choose({}) == {}


def test_the_simpler_method_is_the_one_that_missed_less():
    rows = monthly("school", 48)
    seasonal = Series.of("s", rows.assign(y=rows["y"] * (rows["ds"].dt.month == 6)))
    assert simple_errors(seasonal, ("seasonal_naive", "mean"))[0] == "seasonal_naive"
    restless = Series.of("s", rows.assign(y=np.random.default_rng(1).exponential(1, 48)))
    assert simple_errors(restless, ("seasonal_naive", "mean"))[0] == "mean"
