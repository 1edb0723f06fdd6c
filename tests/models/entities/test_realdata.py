import os
from pathlib import Path

import pytest

from benchmarks.entities import joined, rule_spans, scored, spacy_spans
from finml.models.base import TrainOptions
from finml.models.entities.scoring import overall
from finml.registry.gate import Gate, judge

pytestmark = [pytest.mark.realdata, pytest.mark.slow, pytest.mark.xdist_group("realdata")]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("FINML_TEST_DATA")
    if not folder:
        pytest.skip("FINML_TEST_DATA names no folder with the public data sets")
    return Path(folder)


def test_the_public_sets_are_read_far_better_than_by_spacy_or_the_rules_alone(model, data, tmp_path):
    rows = joined(data, tmp_path)
    assert len(rows) == 9140
    assert (rows["problem"] == "").all()
    train, held_out = model.split(rows)
    model.train(train, tmp_path / "model", TrainOptions(seed=7, params={"epochs": 4}))
    found = model.evaluate(model.load(tmp_path / "model"), held_out, champion=None, seed=7)
    assert found.metrics["f1"].low > 0.93
    assert judge(Gate.load(model.gate), found).approved
    for other in (spacy_spans, rule_spans):
        assert overall(scored(held_out, other))["f1"] < found.metrics["f1"].value - 0.1
