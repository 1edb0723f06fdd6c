import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.spending import backtest, birmingham, cells, inside, over_series, scaled, statsnz
from finml.models.spending.calendar import DayTable
from finml.registry.gate import Gate, judge

pytestmark = [pytest.mark.realdata, pytest.mark.slow, pytest.mark.xdist_group("realdata")]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("FINML_TEST_DATA")
    if not folder:
        pytest.skip("FINML_TEST_DATA names no folder with the public data sets")
    return Path(folder)


@pytest.fixture(scope="module")
def table() -> DayTable:
    return DayTable.covering(np.datetime64("2002-01-01"), np.datetime64("2024-12-31"))


def test_new_zealand_s_cards_are_forecast_better_than_by_autoets_and_the_intervals_hold(data, table):
    series = statsnz(data)
    assert len(series) == 13
    origins, _ = backtest(series, [171, 183], table)
    whole = slice(0, 12)
    ours, theirs, naive = (
        over_series(cells(origins, scaled, method, whole), 1).value
        for method in ("spending", "AutoETS", "seasonal naive")
    )
    assert ours < theirs < naive
    assert 0.65 < over_series(cells(origins, inside, "spending", whole), 1).value < 0.92


def test_birmingham_s_missing_months_are_said_and_the_rest_is_forecast(data, table):
    series = birmingham(data)
    assert all("2 of 33 months are missing (2014-05, 2015-04)" in one.notes[0] for one in series)
    origins, _ = backtest(series, [30], table)
    ours, naive = (
        over_series(cells(origins, scaled, method, slice(0, 3)), 1).value
        for method in ("spending", "seasonal naive")
    )
    assert ours < naive


def test_the_whole_file_trains_a_model_that_the_gate_approves(model, data, tmp_path):
    from finml.models.base import TrainOptions

    rows = model.read(data / "statsnz_card_transactions" / "monthly_spending.csv")
    kept, held_out = model.split(rows)
    model.train(kept, tmp_path, TrainOptions())
    found = model.evaluate(model.load(tmp_path), held_out, champion=None, seed=7)
    assert judge(Gate.load(model.gate), found).approved
    assert set(found.breakdown["horizon"]) == {"1", "2", "3"}
