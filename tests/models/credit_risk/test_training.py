import hashlib
import json

import numpy as np
import pytest

from finml.errors import DataError, UsageError
from finml.models.base import TrainOptions
from finml.models.credit_risk.boosting import PARAMETERS, TrainingSet, find_stopping, out_of_fold
from finml.models.credit_risk.contract import FEATURES
from finml.models.statistics import measure
from tests.models.credit_risk.loans import loans

QUICK = {"eta": 0.3, "max_depth": 2}


def digest(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_folder_holds_booster_calibration_and_description(folder):
    assert {path.name for path in folder.iterdir()} == {
        "model.ubj",
        "margin.onnx",
        "contributions.onnx",
        "calibration.json",
        "model.json",
    }
    info = json.loads((folder / "model.json").read_text())
    assert info["feature_service"] == "credit_risk_v1"
    assert [feature["name"] for feature in info["features"]] == [feature.name for feature in FEATURES]
    assert info["training"]["seed"] == 3
    assert info["versions"]["xgboost"]


def test_the_same_seed_gives_the_same_bytes(model, tmp_path):
    frame = loans(600)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        model.train(frame, tmp_path / name, TrainOptions(seed=seed, params=QUICK))
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_what_is_logged_says_how_it_was_trained(model, tmp_path):
    result = model.train(loans(600), tmp_path, TrainOptions(seed=1, params=QUICK))
    assert result.folder == tmp_path
    assert result.params["eta"] == 0.3
    assert result.params["rounds"] > 0
    assert (result.params["stopping"], result.params["calibration"]) == ("user_folds", "platt")
    assert result.metrics["rows"] == 600
    assert 0.6 < result.metrics["out_of_fold_auc"] < 0.95


@pytest.mark.parametrize(
    ("rows", "size", "repeats"), [(300, "small", 5), (3000, "medium", 2), (8000, "large", 1)]
)
def test_parameters_follow_the_number_of_defaults(rows, size, repeats):
    data = TrainingSet.of(loans(rows), seed=1)
    assert data.size == size
    assert len(data.folds) == 5 * repeats
    assert data.stopping == "user_folds"


def test_later_rows_stop_the_training_where_times_differ():
    data = TrainingSet.of(loans(6000, moments=400), seed=1)
    assert data.stopping == "later_rows"
    stopping = find_stopping(data, {**PARAMETERS["large"], "eta": 0.3}, 1)
    assert len(stopping.boosters) == 1
    margin, rows = out_of_fold(data, {**PARAMETERS["large"], "eta": 0.3}, stopping, 1)
    assert sorted(rows) == list(range(6000))
    assert measure(data.label[rows], margin, resamples=1)["auc"].value > 0.7


def test_out_of_fold_margins_have_not_seen_their_rows():
    frame = loans(800)
    frame["defaulted"] = np.random.default_rng(0).random(800) < 0.3  # nothing to learn
    data = TrainingSet.of(frame, seed=1)
    deep = {**PARAMETERS["medium"], "max_depth": 6, "eta": 0.3, "min_child_weight": 0.1}
    margin, rows = out_of_fold(data, deep, find_stopping(data, deep, 1), 1)
    assert measure(data.label[rows], margin, resamples=1)["auc"].value == pytest.approx(0.5, abs=0.07)


def test_thirty_defaults_are_enough(model, tmp_path):
    frame = loans(2000)
    frame = frame.drop(frame.index[frame["defaulted"]][30:]).head(354)
    frame["worst_delay"] = np.nan  # what a ledger without loan payments gives
    frame["collateral_value"] = 7.0
    result = model.train(model.training_frame(frame), tmp_path, TrainOptions(seed=1))
    assert result.params["size"] == "small"
    assert model.load(tmp_path).predict(frame)["probability"].between(0, 1).all()


@pytest.mark.parametrize("defaulters", [0, 9, 100])
def test_too_few_of_one_outcome_are_refused(model, tmp_path, defaulters):
    frame = loans(100)
    frame["defaulted"] = [True] * defaulters + [False] * (100 - defaulters)
    with pytest.raises(DataError, match=f"{defaulters} of 100 rows are defaults") as caught:
        model.train(frame, tmp_path, TrainOptions())
    assert "at least 10 rows of each" in caught.value.hint


def test_an_unknown_parameter_is_refused(model, tmp_path):
    with pytest.raises(UsageError, match="no parameter depth") as caught:
        model.train(loans(300), tmp_path, TrainOptions(params={"depth": 3}))
    assert "max_depth" in caught.value.hint


def test_the_search_never_ends_below_the_declared_parameters(model, tmp_path):
    frame = loans(600)
    data = TrainingSet.of(frame, 1)
    found = model.train(frame, tmp_path / "searched", TrainOptions(seed=1, trials=4, params={"eta": 0.3}))
    assert found.params["eta"] == 0.3
    assert found.params["trials"] == 4
    chosen = {name: found.params[name] for name in PARAMETERS["medium"]}
    declared = {**PARAMETERS[data.size], "eta": 0.3}
    assert find_stopping(data, chosen, 1).loss <= find_stopping(data, declared, 1).loss
    again = model.train(frame, tmp_path / "again", TrainOptions(seed=1, trials=4, params={"eta": 0.3}))
    assert again.params == found.params


def test_the_search_keeps_to_its_time(model, tmp_path):
    found = model.train(loans(300), tmp_path, TrainOptions(seed=1, trials=10_000, timeout_s=0.5))
    assert found.params["trials"] == 10_000
