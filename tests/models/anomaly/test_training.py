import json

import numpy as np
import pytest

from finml.errors import DataError, UsageError
from finml.models.anomaly.contract import ALERT_BUDGET
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import TrainOptions
from tests.models.anomaly.conftest import PARAMS


def trained(model, frame, folder, **params):
    model.train(frame, folder, TrainOptions(seed=3, params=PARAMS | params))
    return AnomalyPredictor.load(folder)


def test_labels_play_no_part(model, parts, folder, predictor, tmp_path):
    shuffled = parts[0].assign(anomalous=np.random.default_rng(0).permutation(parts[0]["anomalous"]))
    other = trained(model, shuffled, tmp_path)
    assert other.predict(parts[1]).equals(predictor.predict(parts[1]))
    for file in folder.glob("*.onnx"):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_a_seed_decides_everything(model, parts, predictor, tmp_path):
    same = trained(model, parts[0], tmp_path / "same")
    assert same.predict(parts[1]).equals(predictor.predict(parts[1]))
    model.train(parts[0], tmp_path / "other", TrainOptions(seed=4, params=PARAMS))
    assert not model.load(tmp_path / "other").predict(parts[1]).equals(predictor.predict(parts[1]))


def test_alerts_follow_the_budget(model, parts, tmp_path):
    for budget in (0.01, 0.05):
        found = trained(model, parts[0], tmp_path / str(budget), alert_budget=budget)
        assert found.threshold == 1 - budget
        assert found.predict(parts[0])["flagged"].mean() == pytest.approx(budget, rel=0.1)
        assert 0.4 * budget < found.predict(parts[1])["flagged"].mean() < 2.5 * budget
    assert ALERT_BUDGET == 0.005


def test_categories_with_enough_rows_have_heads_of_their_own(model, parts, predictor):
    counts = parts[0]["category"].value_counts()
    expected = sorted(counts.index[counts >= PARAMS["category_rows"]])
    assert [head["category"] for head in predictor.info["heads"]] == ["", *expected]
    assert 1 <= len(expected) < len(counts)
    used = predictor.predict(parts[1])["category_model"]
    assert set(used) == {"", *expected}
    assert (used[parts[1]["category"] == "rent"] == "").all()


def test_rows_that_stand_for_more_count_as_more(model, parts, tmp_path):
    """Anomalies that are oversampled tenfold and weighted down do not use up the budget."""
    frame = parts[0]
    crowded = frame.loc[frame.index.append(frame.index[frame["anomalous"]].repeat(9))].reset_index(drop=True)
    weighted = crowded.assign(weight=np.where(crowded["anomalous"], 0.1, 1.0))
    plain, fair = trained(model, crowded, tmp_path / "plain"), trained(model, weighted, tmp_path / "fair")
    assert fair.predict(parts[1])["flagged"].sum() > 1.3 * plain.predict(parts[1])["flagged"].sum()


def test_what_is_unknown_or_impossible_is_refused(model, parts, tmp_path):
    with pytest.raises(UsageError, match="no parameter tree") as caught:
        trained(model, parts[0], tmp_path, tree=3)
    assert "trees" in caught.value.hint
    with pytest.raises(DataError, match="100 rows are too few"):
        trained(model, parts[0].head(100), tmp_path)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"alert_budget": 0}, "alert_budget must be a number from 0.0001 to 0.2, not 0"),
        ({"alert_budget": 0.5}, "alert_budget must be a number from 0.0001 to 0.2, not 0.5"),
        ({"alert_budget": "nan"}, "alert_budget must be a number from 0.0001 to 0.2, not 'nan'"),
        ({"trees": 0}, "trees must be a whole number from 1 to 10,000, not 0"),
        ({"trees": "abc"}, "trees must be a whole number from 1 to 10,000, not 'abc'"),
        ({"trees": 2.9}, "trees must be a whole number from 1 to 10,000, not 2.9"),
        ({"trees": True}, "trees must be a whole number from 1 to 10,000, not True"),
        ({"max_samples": 1}, "max_samples must be a whole number from 2 to 1,000,000, not 1"),
        ({"category_rows": -1}, "category_rows must be a whole number from 30 to 1,000,000,000, not -1"),
        (
            {"refresh_from": "m", "refresh_share": "x"},
            "refresh_share must be a number from 0.01 to 1.0, not 'x'",
        ),
        ({"refresh_from": "m", "trees": 9}, "trees cannot be given with refresh_from"),
        ({"refresh_share": 0.5}, "refresh_share cannot be given without refresh_from"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_named_with_its_range(model, parts, tmp_path, params, words):
    with pytest.raises(UsageError) as caught:
        model.train(parts[0], tmp_path / "model", TrainOptions(params=params))
    assert str(caught.value) == words
    assert not (tmp_path / "model").exists()


def test_copies_of_a_row_do_not_make_a_category_large(model, parts, tmp_path):
    """Rare rows that stand for many are drawn often, and are no more than they are."""
    rent = parts[0]["category"] == "rent"
    assert 30 <= rent.sum() < 400
    heavy = parts[0].assign(weight=np.where(rent, 20.0, 1.0))
    found = trained(model, heavy, tmp_path, category_rows=400)
    assert "rent" not in [head["category"] for head in found.info["heads"]]


def test_a_table_is_ranked_by_what_its_columns_say_together(table_parts, table_predictor):
    held_out = table_parts[1]
    score = table_predictor.predict(held_out)["score"]
    anomalies = held_out["anomalous"].to_numpy()
    assert anomalies.sum() > 5
    assert score[anomalies].median() > score[~anomalies].quantile(0.99)


def test_columns_that_say_nothing_do_no_harm(model, table_parts, tmp_path):
    frame = table_parts[0].assign(same=1.0, gone=np.nan)
    found = trained(model, frame, tmp_path).predict(table_parts[1].assign(same=1.0, gone=np.nan))
    assert found["score"].between(0, 1).all()
    assert 0.005 < found["flagged"].mean() < 0.06


def test_the_folder_holds_no_pickle_and_says_what_it_is(folder):
    info = json.loads((folder / "model.json").read_text())
    assert info["features"] == "behaviour"
    assert info["training"]["rows"] > 5000
    assert {file.suffix for file in folder.iterdir()} == {".json", ".npz", ".onnx"}
    with np.load(folder / "numbers.npz", allow_pickle=False) as numbers:
        assert all(numbers[name].dtype != object for name in numbers)
    for text in ("user-0-", "landlord", "groceries 1"):
        assert text not in (folder / "model.json").read_text()
