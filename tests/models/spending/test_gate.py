import dataclasses

import numpy as np
import pandas as pd
import pytest

from finml.models.base import TrainOptions
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
