import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError, UsageError
from finml.models.base import TrainOptions
from tests.models.spending.months import monthly, people

QUICK = {"processes": 1}


def digest(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_folder_holds_series_calendar_and_description(folder):
    assert {path.name for path in folder.iterdir()} == {"series.json", "calendar.json", "model.json"}
    info = json.loads((folder / "model.json").read_text())
    assert info["feature_service"] == "spending_v1"
    assert info["training"]["series"] == 9
    assert info["training"]["users"] == 40
    assert info["versions"]["prophet"]


def test_each_series_has_the_method_that_its_history_allows(predictor):
    methods = {name: one.method for name, one in predictor.series.items()}
    assert {name for name, method in methods.items() if method == "prophet"} == {
        "groceries", "rent", "dining", "coffee", "fuel", "gifts"
    }  # fmt: skip
    assert methods["education"] == "seasonal_naive"
    assert {methods[name] for name in ("repairs", "visa")} <= {"mean", "recent_level"}


def test_what_was_found_is_said(predictor):
    notes = {name: " ".join(one.notes) for name, one in predictor.series.items()}
    assert "2 of 45 months are missing (2021-06, 2022-06)" in notes["dining"]
    assert "91% of the months have no spending" in notes["education"]
    assert "4 months of history; Prophet needs 8" in notes["repairs"]
    assert "1 month of history" in notes["visa"]
    assert "too short to measure errors on" in notes["visa"]
    assert notes["groceries"] == ""


def test_users_are_learned_of(predictor):
    assert set(predictor.pools) == {"groceries", "rent"}
    rent = predictor.pools["rent"]
    assert rent.typical == pytest.approx(250, rel=0.02)  # half of them pay 500
    assert rent.within < 0.01 < rent.between


def test_the_same_rows_give_the_same_bytes(model, tmp_path):
    rows = model.training_frame(pd.concat([monthly("groceries", 20), monthly("gifts", 5)]))
    for name in ("a", "b"):
        model.train(rows.sample(frac=1, random_state=len(name)), tmp_path / name, TrainOptions(params=QUICK))
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_one_process_and_two_give_the_same(model, parts, folder, tmp_path):
    few = parts[0][parts[0]["series"].isin(["groceries", "rent", "dining"]) & parts[0]["user_id"].isna()]
    few = few[few["ds"] < "2022-07-01"]
    for processes in (1, 2):
        model.train(few, tmp_path / str(processes), TrainOptions(params={"processes": processes}))
    assert digest(tmp_path / "1")["series.json"] == digest(tmp_path / "2")["series.json"]


def test_what_is_logged_says_how_it_was_trained(model, tmp_path):
    rows = model.training_frame(pd.concat([monthly("gifts", 5), people(6, 5)]))
    result = model.train(rows, tmp_path, TrainOptions(seed=1, params=QUICK | {"country": "NZ"}))
    assert result.params == {"country": "NZ", "processes": 1, "seed": 1}
    assert result.metrics["series"] == 1
    assert result.metrics["series_by_prophet"] == 0
    calendar = json.loads((tmp_path / "calendar.json").read_text())
    assert "Waitangi Day" in calendar["names"]


def test_a_regressor_of_the_table_moves_the_forecast(model, tmp_path):
    rows = monthly("groceries", 42, noise=0.01, growth=0.0)
    promotions = np.random.default_rng(2).integers(0, 4, 42).astype(float)
    rows = rows.assign(y=rows["y"] * (1 + 0.1 * promotions), promotions=promotions)
    rows.loc[40:, "y"] = np.nan
    rows.loc[40:, "promotions"] = [0.0, 3.0]
    model.train(model.training_frame(rows), tmp_path, TrainOptions(params=QUICK))
    found = model.load(tmp_path)
    known = found.forecast("groceries", 2)[0]
    assert known.parts["regressors"][1] > known.parts["regressors"][0] + 50
    later = found.forecast("groceries", 3)[0]
    assert later.notes == ("not known so far ahead, so taken as a season before: promotions",)
    assert known.notes == ()


def test_a_regressor_that_tells_the_answer_does_not_flatter_a_model(model, tmp_path):
    rows = monthly("groceries", 42, noise=0.0, growth=0.0, swing=0.0)
    surprise = np.random.default_rng(4).integers(0, 4, 42).astype(float)
    rows = model.training_frame(rows.assign(y=rows["y"] * (1 + 0.2 * surprise), surprise=surprise))
    kept, held_out = model.split(rows)
    model.train(kept, tmp_path, TrainOptions(params=QUICK))
    found = model.load(tmp_path)
    told = model.evaluate(found, held_out, champion=None, seed=1)
    untold = model.evaluate(found, held_out.drop(columns="surprise"), champion=None, seed=1)
    assert told.metrics == untold.metrics
    # what rolling origins saw could not be foreseen either, so the intervals are as wide as the surprise
    (one,) = found.series.values()
    assert one.half_widths[0] * one.unit > 0.5 * np.abs(np.diff(rows["y"])).mean()


def test_no_row_about_everyone_is_an_error(model, tmp_path):
    with pytest.raises(DataError, match="no row is about the population"):
        model.train(model.training_frame(people(3, 6)), tmp_path, TrainOptions(params=QUICK))


def test_an_unknown_parameter_is_refused(model, parts, tmp_path):
    with pytest.raises(UsageError, match="spending has no parameter trees"):
        model.train(parts[0], tmp_path, TrainOptions(params={"trees": 3}))
    for processes in ("abc", 0, -2, None, ""):
        with pytest.raises(UsageError, match="processes is") as caught:
            model.train(parts[0], tmp_path, TrainOptions(params={"processes": processes}))
        assert caught.value.hint == "give a whole number from 1 on"
    with pytest.raises(UsageError, match="no holidays are known of country"):
        model.train(parts[0], tmp_path, TrainOptions(params={"country": "Atlantis"}))
