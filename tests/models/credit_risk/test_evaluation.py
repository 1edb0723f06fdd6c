import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from finml.errors import DataError
from finml.models.base import TrainOptions
from finml.models.fairness import LEAST_GROUP

METRICS = {"auc", "average_precision", "brier", "log_loss", "ece", "ks"}


def test_every_figure_has_an_interval(evaluation):
    assert set(evaluation.metrics) == METRICS
    for figure in evaluation.metrics.values():
        assert figure.low <= figure.value <= figure.high
    assert evaluation.metrics["auc"].low > 0.65


def test_figures_are_of_the_model_s_probabilities(predictor, parts, evaluation):
    probability = predictor.predict(parts[1])["probability"]
    assert evaluation.metrics["auc"].value == pytest.approx(roc_auc_score(parts[1]["defaulted"], probability))
    scalars = evaluation.scalars
    assert scalars["n"] == len(parts[1])
    assert scalars["defaults"] == parts[1]["defaulted"].sum()
    assert scalars["users"] == parts[1]["user_id"].nunique()
    assert scalars["flagged_share"] == pytest.approx((probability >= predictor.threshold).mean())
    assert 0 < scalars["latency_p50_ms"] <= scalars["latency_p95_ms"]


def test_groups_are_those_of_the_protected_columns(parts, evaluation):
    assert {row.attribute for row in evaluation.groups} == {"sex", "age", "education"}
    women = next(row for row in evaluation.groups if row.group == "female")
    assert women.n == (parts[1]["protected_sex"] == "female").sum()
    assert women.disparate_impact > 0.85
    assert {row.group for row in evaluation.groups if row.attribute == "age"} >= {"<25", "65+"}


def test_the_same_seed_gives_the_same_figures(model, predictor, parts, evaluation):
    again = model.evaluate(predictor, parts[1], champion=None, seed=5)
    assert again.metrics == evaluation.metrics
    assert again.groups == evaluation.groups


def test_a_model_does_not_differ_from_itself(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=5)
    assert set(found.versus_champion) == METRICS
    assert {delta.value for delta in found.versus_champion.values()} == {0}


def test_a_spoilt_challenger_loses_against_the_champion(model, predictor, parts, tmp_path):
    spoilt = parts[0].assign(defaulted=np.random.default_rng(1).permutation(parts[0]["defaulted"]))
    model.train(spoilt, tmp_path, TrainOptions(seed=1))
    found = model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=5)
    assert found.versus_champion["auc"].high < -0.1
    assert found.versus_champion["log_loss"].low > 0


@pytest.mark.parametrize("outcome", [True, False])
def test_one_class_is_measured_as_far_as_it_goes(model, predictor, parts, outcome):
    frame = parts[1][parts[1]["defaulted"] == outcome]
    found = model.evaluate(predictor, frame, champion=predictor, seed=1)
    assert set(found.metrics) == {"brier", "log_loss", "ece"}
    assert found.scalars["base_rate"] == outcome
    assert all(row.auc is None for row in found.groups)


@pytest.mark.parametrize("rows", [1, 2, 25])
def test_few_rows_are_measured_as_far_as_they_go(model, predictor, parts, rows):
    found = model.evaluate(predictor, parts[1].head(rows), champion=None, seed=1)
    assert found.scalars["n"] == rows
    assert all(row.disparate_impact is None for row in found.groups if row.n < LEAST_GROUP)


def test_without_protected_columns_there_is_no_fairness_table(model, predictor, parts):
    frame = parts[1].drop(columns=[column for column in parts[1] if column.startswith("protected_")])
    assert model.evaluate(predictor, frame, champion=None, seed=1).groups == []


def test_no_row_is_an_error(model, predictor, parts):
    with pytest.raises(DataError, match="no row to evaluate"):
        model.evaluate(predictor, parts[1].head(0), champion=None, seed=1)
