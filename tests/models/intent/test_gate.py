import dataclasses

import numpy as np
import pandas as pd
import pytest

from finml.models.intent.runtime import IntentPredictor
from finml.registry.gate import Gate, judge


@pytest.fixture(scope="module")
def gate(model) -> Gate:
    return Gate.load(model.gate)


@pytest.fixture
def verdict(model, gate, predictor, parts):
    """The verdict on a predictor, by default the sound one, and on rows, by default those held out."""

    def judged(other: IntentPredictor | None = None, rows: pd.DataFrame | None = None, champion=None):
        held_out = parts[1] if rows is None else rows
        found = model.evaluate(other or predictor, held_out, champion=champion, seed=1)
        # how fast this machine is while others use it says nothing about the model
        return judge(gate.model_copy(update={"latency": None}), found)

    return judged


def failed(verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def spoilt(predictor: IntentPredictor, **changes) -> IntentPredictor:
    head = dataclasses.replace(predictor.head, **changes)
    return IntentPredictor(predictor._folder, predictor._encoder, head, predictor.info)


def test_a_sound_model_is_approved(verdict):
    found = verdict()
    assert found.approved, found.summary


@pytest.mark.slow
def test_shuffled_labels_are_rejected(verdict, train, parts, tmp_path):
    rows = parts[0].assign(intent=np.random.default_rng(1).permutation(parts[0]["intent"]))
    train(rows.groupby("intent").head(20), tmp_path / "model", params={"epochs": 1, "refit": False})
    assert {"micro_f1", "accuracy", "macro_f1"} <= failed(verdict(IntentPredictor.load(tmp_path / "model")))


def test_a_model_that_was_shown_the_held_out_texts_is_rejected(verdict, parts):
    assert failed(verdict(rows=pd.concat([parts[1], parts[0].head(1)]))) == {"seen_in_training"}


def test_confidence_that_is_too_high_or_too_low_is_rejected(verdict, predictor):
    assert "ece" in failed(verdict(spoilt(predictor, temperature=8 * predictor.head.temperature)))


def test_a_threshold_that_turns_messages_away_is_rejected(verdict, predictor, parts):
    scores = predictor.predict(parts[1].query("intent != 'oos'"))["scope_score"]
    moved = spoilt(predictor, scope_threshold=predictor.head.scope_threshold + float(scores.quantile(0.3)))
    assert failed(verdict(moved)) == {"in_scope_rejected"}


def test_an_encoder_that_lost_too_much_in_quantization_is_rejected(verdict, predictor, monkeypatch):
    embed = predictor._encoder.embed

    def coarse(texts):
        noise = np.random.default_rng(1).normal(scale=0.15, size=(len(texts), predictor._encoder.width))
        return (embed(texts) + noise).astype(np.float32)

    monkeypatch.setattr(predictor._encoder, "embed", coarse)
    assert {"int8_accuracy_loss", "the low end of int8_accuracy_loss"} <= failed(verdict())


def test_twenty_texts_prove_nothing(verdict, parts):
    assert "distinct_in_scope" in failed(verdict(rows=parts[1].query("intent != 'oos'").head(20)))


def test_one_text_again_and_again_proves_nothing(verdict, parts):
    again = pd.concat([parts[1].query("intent != 'oos'").head(1)] * 120, ignore_index=True)
    assert "distinct_in_scope" in failed(verdict(rows=again))


def test_a_challenger_that_loses_against_the_champion_is_rejected(verdict, predictor):
    weight = predictor.head.weight.copy()
    weight[0], weight[1] = predictor.head.weight[1], predictor.head.weight[0]
    found = verdict(spoilt(predictor, weight=weight), champion=predictor)
    assert {"micro_f1 less the champion's", "macro_f1 less the champion's"} <= failed(found)


def test_an_equal_challenger_may_replace_the_champion(verdict, predictor):
    found = verdict(champion=predictor)
    assert found.approved, found.summary
