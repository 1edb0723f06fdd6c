import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from finml.models.base import TrainOptions
from finml.models.spending.calendar import DayTable
from finml.models.spending.periods import MONTHLY
from finml.models.spending.runtime import SpendingPredictor
from finml.registry.gate import Gate, judge
from tests.models.spending.months import monthly

NAMES = ("groceries", "dining", "rent", "fuel", "shopping")
QUICK = TrainOptions(params={"processes": 1})


@pytest.fixture(scope="module")
def gate(model) -> Gate:
    return Gate.load(model.gate)


@pytest.fixture(scope="module")
def bank(model):
    rows = pd.concat([monthly(name, 40, seed=place) for place, name in enumerate(NAMES)], ignore_index=True)
    return model.split(model.training_frame(rows))


@pytest.fixture(scope="module")
def sound(model, bank, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    model.train(bank[0], folder, QUICK)
    return model.load(folder)


def failed(verdict) -> list[str]:
    return [check.name for check in verdict.checks if not check.passed]


def test_a_sound_model_is_approved(model, gate, sound, bank):
    verdict = judge(gate, model.evaluate(sound, bank[1], champion=None, seed=1))
    assert verdict.approved, verdict.summary


def test_shuffled_months_are_rejected(model, gate, bank, tmp_path):
    random = np.random.default_rng(3)
    spoilt = bank[0].assign(y=bank[0].groupby("series")["y"].transform(random.permutation))
    model.train(spoilt, tmp_path, QUICK)
    found = model.evaluate(model.load(tmp_path), bank[1], champion=None, seed=1)
    assert not judge(gate, found).approved, judge(gate, found).summary


def test_swapped_series_are_rejected(model, gate, bank, tmp_path):
    spoilt = bank[0].assign(y=bank[0]["y"] * bank[0]["series"].map({"groceries": 3.0}).fillna(0.5))
    model.train(spoilt, tmp_path, QUICK)
    verdict = judge(gate, model.evaluate(model.load(tmp_path), bank[1], champion=None, seed=1))
    assert "mase" in failed(verdict)


@pytest.mark.parametrize("spoilt", [(0.01, "coverage_80"), (50.0, "width_ratio")])
def test_intervals_that_do_not_hold_what_they_say_are_rejected(model, gate, sound, bank, spoilt):
    factor, check = spoilt
    series = [
        dataclasses.replace(one, half_widths=tuple(factor * width for width in one.half_widths))
        for one in sound.series.values()
    ]
    moved = SpendingPredictor(sound.info, series, sound.pools, sound.table)
    assert check in failed(judge(gate, model.evaluate(moved, bank[1], champion=None, seed=1)))


def test_users_with_their_own_histories_are_approved(gate, evaluation):
    assert not [name for name in failed(judge(gate, evaluation)) if name.startswith("user")]


def with_histories(rows: pd.DataFrame, past: pd.DataFrame, *, swapped: bool) -> pd.DataFrame:
    """Rows with what each user spent in the six months before, or what the next user did."""
    months = pd.date_range(end=past["ds"].max(), periods=6, freq="MS")
    users = sorted(past["user_id"].dropna().unique())
    stored = {}
    for user in users:
        mine = past[(past["user_id"] == user) & past["ds"].isin(months)]
        spent = {name: part.sort_values("ds")["y"].tolist() for name, part in mine.groupby("series")}
        known = {"months": [f"{month:%Y-%m}" for month in months], "first_month": "2021-01"}
        stored[user] = json.dumps(known | {"spent": spent})
    whose = dict(zip(users, users[1:] + users[:1] if swapped else users, strict=True))
    return rows.assign(spending=rows["user_id"].map(whose).map(stored))


def test_histories_swapped_between_users_are_rejected(model, gate, predictor, parts):
    past = parts[0][parts[0]["user_id"].notna()]
    own, others = (
        model.evaluate(predictor, with_histories(parts[1], past, swapped=swapped), champion=None, seed=1)
        for swapped in (False, True)
    )
    assert not [name for name in failed(judge(gate, own)) if name.startswith("user")]
    assert "user_error_ratio" in failed(judge(gate, others))


@pytest.mark.parametrize("factor", [0.2, 10.0])
def test_users_intervals_that_do_not_hold_what_they_say_are_rejected(model, gate, predictor, parts, factor):
    pools = {
        name: dataclasses.replace(pool, factor=factor * pool.factor) for name, pool in predictor.pools.items()
    }
    moved = SpendingPredictor(predictor.info, list(predictor.series.values()), pools, predictor.table)
    rows = with_histories(parts[1], parts[0][parts[0]["user_id"].notna()], swapped=False)
    found = model.evaluate(moved, rows, champion=None, seed=1)
    assert "user_coverage_80" in failed(judge(gate, found))


def test_without_users_their_figures_are_neutral(model, sound, bank):
    found = model.evaluate(sound, bank[1], champion=None, seed=1)
    assert found.scalars["user_rows"] == 0
    assert (found.scalars["user_error_ratio"], found.scalars["user_coverage_80"]) == (1.0, 0.8)
    assert not [name for name in found.metrics if name.startswith("user")]


def festive(months: int) -> pd.DataFrame:
    """Series that move with Diwali, which was in November and is in October in the last months."""
    rows = pd.concat([monthly(name, months, growth=0.0, swing=0.0) for name in NAMES], ignore_index=True)
    table = DayTable.covering(np.datetime64("2021-01-01"), np.datetime64("2024-12-31"))
    days = table.features(MONTHLY, rows["ds"].to_numpy().astype("datetime64[D]"))["diwali"]
    return rows.assign(y=rows["y"] * (1 + 0.1 * days))


def test_a_dropped_calendar_is_rejected(model, gate, tmp_path):
    kept, held_out = model.split(model.training_frame(festive(47)))
    model.train(kept, tmp_path, QUICK)
    found = model.load(tmp_path)
    dropped = DayTable(
        found.table.first,
        {name: np.zeros(len(flags)) for name, flags in found.table.flags.items()},
        found.table.names,
    )
    spoilt = SpendingPredictor(found.info, list(found.series.values()), found.pools, dropped)
    whole, without = (model.evaluate(each, held_out, champion=None, seed=1) for each in (found, spoilt))
    assert whole.metrics["smape"].value < 0.1
    assert "smape" in failed(judge(gate, without)) or "mase" in failed(judge(gate, without))


def test_a_leaked_regressor_does_not_pass_a_model_that_cannot_forecast(model, gate, tmp_path):
    random = np.random.default_rng(6)
    rows = pd.concat([monthly(name, 40, swing=0.0, growth=0.0) for name in NAMES], ignore_index=True)
    rows["y"] = 1000 * random.lognormal(0, 1.2, len(rows))
    kept, held_out = model.split(model.training_frame(rows.assign(leak=rows["y"])))
    model.train(kept, tmp_path, QUICK)
    verdict = judge(gate, model.evaluate(model.load(tmp_path), held_out, champion=None, seed=1))
    assert "smape" in failed(verdict)


def test_few_months_prove_nothing(model, gate, sound, bank):
    verdict = judge(gate, model.evaluate(sound, bank[1].head(6), champion=None, seed=1))
    assert "n" in failed(verdict)


def test_a_challenger_that_loses_against_the_champion_is_rejected(model, gate, sound, bank, tmp_path):
    old = bank[0][bank[0]["ds"] < "2022-06-01"]
    model.train(old, tmp_path, QUICK)
    found = model.evaluate(model.load(tmp_path), bank[1], champion=sound, seed=1)
    assert "mase less the champion's" in failed(judge(gate, found))


def test_an_equal_challenger_may_replace_the_champion(model, gate, sound, bank):
    verdict = judge(gate, model.evaluate(sound, bank[1], champion=sound, seed=1))
    assert verdict.approved, verdict.summary
