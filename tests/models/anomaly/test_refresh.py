import json

import numpy as np
import pytest

from finml.errors import DataError, ModelError, UsageError
from finml.models.anomaly.refresh import refresh
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.anomaly.trees import from_onnx
from finml.models.base import TrainOptions


@pytest.fixture(scope="module")
def moved(parts):
    """Rows of another time, in which everyone pays new merchants large amounts at night."""
    frame = parts[0][~parts[0]["anomalous"]].sample(2500, random_state=1).reset_index(drop=True)
    return frame.assign(
        new_merchant=2.5,
        amount_vs_own=frame["amount_vs_own"] + 3,
        hour_rarity=2.0,
        novel_amount=np.sqrt(2.5 * (frame["amount_vs_own"] + 3)),
    )


@pytest.fixture(scope="module")
def refreshed(folder, moved, tmp_path_factory):
    target = tmp_path_factory.mktemp("refreshed") / "model"
    refresh(folder, moved, target, seed=1, share=0.25)
    return target


def test_what_has_become_usual_is_less_unusual_than_before(predictor, refreshed, moved):
    before, after = predictor.predict(moved), AnomalyPredictor.load(refreshed).predict(moved)
    assert before["flagged"].mean() > 0.5
    assert after["flagged"].mean() < 0.1
    assert after["score"].mean() < before["score"].mean() - 0.05


def test_what_was_known_before_is_not_forgotten(model, predictor, refreshed, parts, evaluation):
    found = model.evaluate(AnomalyPredictor.load(refreshed), parts[1], champion=predictor, seed=1)
    assert found.metrics["auc"].value > evaluation.metrics["auc"].value - 0.05
    assert found.metrics["average_precision_lift"].value > 8


def test_the_oldest_share_of_the_trees_is_replaced(folder, refreshed):
    before, after = from_onnx(folder / "forest_00.onnx"), from_onnx(refreshed / "forest_00.onnx")
    assert len(before) == len(after) == 60
    for old, kept in zip(before[15:], after[:45], strict=True):
        np.testing.assert_array_equal(old.value, kept.value)
    assert not any(np.array_equal(old.value, new.value) for old in before for new in after[45:])


def test_a_whole_share_leaves_nothing_of_the_old_forest(folder, moved, tmp_path):
    refresh(folder, moved, tmp_path, seed=1, share=1.0)
    before, after = from_onnx(folder / "forest_00.onnx"), from_onnx(tmp_path / "forest_00.onnx")
    assert not any(np.array_equal(old.value, new.value) for old in before for new in after)
    flagged = AnomalyPredictor.load(tmp_path).predict(moved)["flagged"].mean()
    assert 0.005 < flagged < 0.05


def test_alerts_keep_to_the_budget_on_rows_like_before(predictor, folder, parts, tmp_path):
    refresh(folder, parts[1], tmp_path, seed=1)
    flagged = AnomalyPredictor.load(tmp_path).predict(parts[1])["flagged"].mean()
    assert 0.5 * predictor.budget < flagged < 2 * predictor.budget


def test_the_source_stays_and_the_model_says_what_became_of_it(model, folder, moved, tmp_path):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    options = TrainOptions(seed=1, params={"refresh_from": str(folder), "refresh_share": 0.5})
    result = model.train(moved, tmp_path / "once", options)
    assert result.params["refresh_share"] == 0.5
    model.train(moved, tmp_path / "twice", TrainOptions(params={"refresh_from": str(tmp_path / "once")}))
    info = json.loads((tmp_path / "twice" / "model.json").read_text())
    assert [step["share"] for step in info["training"]["refreshes"]] == [0.5, 0.25]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_category_without_enough_new_rows_keeps_its_trees(folder, moved, tmp_path, predictor):
    own = [head["category"] for head in predictor.info["heads"]]
    refresh(folder, moved[moved["category"] != own[1]], tmp_path, seed=1)
    assert (tmp_path / "forest_01.onnx").read_bytes() == (folder / "forest_01.onnx").read_bytes()
    assert (tmp_path / "forest_02.onnx").read_bytes() != (folder / "forest_02.onnx").read_bytes()


def test_what_cannot_be_refreshed_is_refused(folder, moved, table_parts, tmp_path):
    with pytest.raises(UsageError, match="share of 0"):
        refresh(folder, moved, tmp_path, seed=1, share=0)
    with pytest.raises(DataError, match="too few"):
        refresh(folder, moved.head(20), tmp_path, seed=1)
    with pytest.raises(DataError, match="trained on transactions"):
        refresh(folder, table_parts[0], tmp_path, seed=1)
    with pytest.raises(ModelError, match="no usable anomaly model"):
        refresh(tmp_path / "nowhere", moved, tmp_path, seed=1)


def test_a_model_of_a_table_is_refreshed_too(table_folder, table_parts, table_predictor, tmp_path):
    refresh(table_folder, table_parts[1], tmp_path, seed=1)
    before, after = (
        table_predictor.predict(table_parts[1]),
        AnomalyPredictor.load(tmp_path).predict(table_parts[1]),
    )
    assert not before["score"].equals(after["score"])
    assert np.corrcoef(before["score"], after["score"])[0, 1] > 0.9
