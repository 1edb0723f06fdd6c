import json
import random

import pytest

from finml.models.base import TrainOptions
from finml.models.entities.contract import LABELS
from finml.registry.gate import Gate, judge
from tests.models.entities.conftest import QUICK


@pytest.fixture(scope="module")
def gate(model) -> Gate:
    return Gate.load(model.gate)


def failed(verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def relabelled(spans: str, chance: random.Random) -> str:
    return json.dumps([{**span, "label": chance.choice(LABELS)} for span in json.loads(spans)])


def test_a_sound_model_is_approved(gate, evaluation):
    verdict = judge(gate, evaluation)
    assert verdict.approved, verdict.summary


def test_shuffled_labels_are_rejected(model, gate, parts, predictor, tmp_path):
    chance = random.Random(1)  # noqa: S311  # no secret
    spoilt = parts[0].assign(spans=[relabelled(spans, chance) for spans in parts[0]["spans"]])
    model.train(spoilt, tmp_path, TrainOptions(seed=1, params={"epochs": 2}))
    found = model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=1)
    verdict = judge(gate, found)
    assert {"f1", "the low end of f1", "f1 less the champion's"} <= failed(verdict)


def test_rules_alone_are_rejected(model, gate, parts, predictor, monkeypatch):
    """A model whose recogniser finds nothing: as when its weights were lost."""
    monkeypatch.setattr(predictor, "spans", lambda texts: [[] for _ in texts])
    assert {"f1", "recall"} <= failed(judge(gate, model.evaluate(predictor, parts[1], champion=None, seed=1)))


def test_a_recogniser_trained_on_little_is_rejected_against_the_champion(
    model, gate, parts, predictor, tmp_path
):
    model.train(parts[0].head(150), tmp_path, TrainOptions(seed=1, params=QUICK))
    found = model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=1)
    assert "f1 less the champion's" in failed(judge(gate, found))


def test_a_few_entities_prove_nothing(model, gate, parts, predictor):
    found = model.evaluate(predictor, parts[1].head(20), champion=None, seed=1)
    assert "spans" in failed(judge(gate, found))


def test_an_equal_challenger_may_replace_the_champion(model, gate, parts, predictor):
    verdict = judge(gate, model.evaluate(predictor, parts[1], champion=predictor, seed=1))
    assert verdict.approved, verdict.summary
