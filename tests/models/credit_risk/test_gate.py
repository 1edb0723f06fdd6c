import numpy as np
import pytest

from finml.models.base import TrainOptions
from finml.registry.gate import Gate, judge


@pytest.fixture(scope="module")
def gate(model) -> Gate:
    return Gate.load(model.gate)


def test_a_sound_model_is_approved(gate, evaluation):
    verdict = judge(gate, evaluation)
    assert verdict.approved, verdict.summary


def test_shuffled_labels_are_rejected(model, gate, parts, tmp_path):
    spoilt = parts[0].assign(defaulted=np.random.default_rng(1).permutation(parts[0]["defaulted"]))
    model.train(spoilt, tmp_path, TrainOptions(seed=1))
    verdict = judge(gate, model.evaluate(model.load(tmp_path), parts[1], champion=None, seed=1))
    assert not verdict.approved
    assert "auc" in verdict.summary


def test_probabilities_that_are_too_high_are_rejected(model, gate, predictor, parts, monkeypatch):
    raised = type(predictor.calibration)(kind="platt", a=1.0, b=1.0, c=1.0, rows=0)
    monkeypatch.setattr(predictor, "calibration", raised)
    verdict = judge(gate, model.evaluate(predictor, parts[1], champion=None, seed=1))
    assert "the low end of ece" in [check.name for check in verdict.checks if not check.passed]


def test_eight_defaults_prove_nothing(model, gate, predictor, parts):
    frame = parts[1].sort_values("defaulted").iloc[-88:]
    frame = frame.drop(frame.index[frame["defaulted"]][8:])
    verdict = judge(gate, model.evaluate(predictor, frame, champion=None, seed=1))
    assert not verdict.approved
    assert "defaults is 8, below 30" in verdict.summary or "missing" in verdict.summary


def test_decisions_that_fall_on_one_group_are_rejected(model, gate, predictor, parts):
    flagged = predictor.predict(parts[1])["flagged"]
    frame = parts[1].assign(protected_sex=np.where(flagged, "male", "female"))
    verdict = judge(gate, model.evaluate(predictor, frame, champion=None, seed=1))
    failed = [check.name for check in verdict.checks if not check.passed]
    assert failed == ["disparate impact by sex"]


def test_a_challenger_that_loses_against_the_champion_is_rejected(model, gate, predictor, parts, tmp_path):
    few = parts[0].sample(250, random_state=1)
    model.train(few, tmp_path, TrainOptions(seed=1))
    verdict = judge(gate, model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=1))
    assert not verdict.approved
    assert "less the champion's" in verdict.summary


def test_an_equal_challenger_may_replace_the_champion(model, gate, predictor, parts):
    verdict = judge(gate, model.evaluate(predictor, parts[1], champion=predictor, seed=1))
    assert verdict.approved, verdict.summary
