"""On CLINC150's finance domains, which train in a minute: what `benchmarks/intent.py` measures in full."""

import os
from pathlib import Path

import pytest

from benchmarks.intent import clinc150
from finml.models.intent.runtime import IntentPredictor
from finml.registry.gate import Gate, judge

pytestmark = [pytest.mark.realdata, pytest.mark.slow, pytest.mark.xdist_group("realdata")]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("FINML_TEST_DATA")
    if not folder:
        pytest.skip("FINML_TEST_DATA names no folder with the public data sets")
    return Path(folder)


def test_clinc_s_intents_are_found_and_others_told_apart(model, train, data, tmp_path):
    kept, held_out = clinc150(data)
    folder = train(kept, tmp_path / "model", params={"epochs": 2, "batch": 64, "refit": False})
    found = model.evaluate(IntentPredictor.load(folder), held_out, champion=None, seed=7)
    assert found.metrics["accuracy"].value > 0.96
    assert found.metrics["oos_auroc"].value > 0.98
    assert found.metrics["int8_accuracy_loss"].value <= 0.01
    verdict = judge(Gate.load(model.gate).model_copy(update={"latency": None}), found)
    # one text of the validation file is in the training file too
    assert found.scalars["seen_in_training"] == 1
    assert [check.name for check in verdict.checks if not check.passed] == ["seen_in_training"]
