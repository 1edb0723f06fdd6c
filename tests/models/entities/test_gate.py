import json
import random

import pandas as pd
import pytest

from finml.models.base import Evaluation, TrainOptions
from finml.models.entities import frames
from finml.models.entities.contract import LABELS
from finml.registry.gate import Gate, judge
from tests.models.entities.conftest import QUICK
from tests.models.entities.sentences import line

# what a recogniser that misses too much fails
LEARNT_TOO_LITTLE = {
    "f1",
    "the low end of f1",
    "recall",
    "f1 less the champion's",
    "the low end of f1 less the champion's",
}


@pytest.fixture(scope="module")
def gate(model) -> Gate:
    return Gate.load(model.gate)


def failed(verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def unhurried(evaluation: Evaluation, p95_ms: float = 5.0) -> Evaluation:
    """The evaluation as on a machine that does nothing else: others' work must not decide these tests."""
    return evaluation.model_copy(update={"scalars": {**evaluation.scalars, "latency_p95_ms": p95_ms}})


def relabelled(spans: str, chance: random.Random) -> str:
    return json.dumps([{**span, "label": chance.choice(LABELS)} for span in json.loads(spans)])


def test_a_sound_model_is_approved(gate, evaluation):
    verdict = judge(gate, unhurried(evaluation))
    assert verdict.approved, verdict.summary


def test_a_slow_model_is_rejected(gate, evaluation):
    (name,) = failed(judge(gate, unhurried(evaluation, p95_ms=101.0)))
    assert name.startswith("latency_p95_ms")


def test_shuffled_labels_are_rejected(model, gate, parts, predictor, tmp_path):
    chance = random.Random(1)  # noqa: S311  # no secret
    spoilt = parts[0].assign(spans=[relabelled(spans, chance) for spans in parts[0]["spans"]])
    model.train(spoilt, tmp_path, TrainOptions(seed=1, params={"epochs": 2}))
    found = model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=1)
    verdict = judge(gate, unhurried(found))
    assert failed(verdict) == LEARNT_TOO_LITTLE


def test_rules_alone_are_rejected(model, gate, parts, predictor, monkeypatch):
    """A model whose recogniser finds nothing: as when its weights were lost."""
    monkeypatch.setattr(predictor, "spans", lambda texts: [[] for _ in texts])
    verdict = judge(gate, unhurried(model.evaluate(predictor, parts[1], champion=None, seed=1)))
    assert failed(verdict) == {"f1", "the low end of f1", "recall"}


def test_a_recogniser_trained_on_little_is_rejected_against_the_champion(
    model, gate, parts, predictor, tmp_path
):
    model.train(parts[0].head(150), tmp_path, TrainOptions(seed=1, params=QUICK))
    found = model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=1)
    assert failed(judge(gate, unhurried(found))) == LEARNT_TOO_LITTLE


def test_a_few_entities_prove_nothing(model, gate, parts, predictor):
    found = model.evaluate(predictor, parts[1].head(20), champion=None, seed=1)
    assert failed(judge(gate, unhurried(found))) == {"distinct_spans", "the low end of f1"}


def test_one_text_a_hundred_and_twenty_times_proves_nothing(model, gate, predictor):
    rows = frames.checked(frames._from_lines("\n".join([line("send ₹500 now", ("₹500", "MONEY"))] * 120)))
    found = model.evaluate(predictor, rows, champion=None, seed=1)
    assert (found.scalars["spans"], found.scalars["distinct_spans"]) == (120, 1)
    assert failed(judge(gate, unhurried(found))) == {"distinct_spans"}


def test_a_text_that_was_trained_on_is_found_out(model, gate, parts, predictor):
    leaked = parts[0][parts[0]["role"] == "text"].head(1)
    leaked = leaked.assign(text=leaked["text"].str.upper() + "!")
    found = model.evaluate(predictor, pd.concat([parts[1], leaked]), champion=None, seed=1)
    assert found.scalars["seen_in_training"] == 1
    assert failed(judge(gate, unhurried(found))) == {"seen_in_training"}


def test_an_equal_challenger_may_replace_the_champion(model, gate, parts, predictor):
    verdict = judge(gate, unhurried(model.evaluate(predictor, parts[1], champion=predictor, seed=1)))
    assert verdict.approved, verdict.summary
