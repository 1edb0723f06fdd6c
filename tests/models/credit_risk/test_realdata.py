import os
from pathlib import Path

import pytest

from benchmarks.credit_risk import cross_validated, labelled, raw_probabilities, trained
from finml.ledger.importers.berka import import_berka
from finml.ledger.importers.taiwan import import_taiwan
from finml.models.statistics import compare, measure
from finml.registry.gate import Gate, judge

pytestmark = [pytest.mark.realdata, pytest.mark.slow, pytest.mark.xdist_group("realdata")]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("FINML_TEST_DATA")
    if not folder:
        pytest.skip("FINML_TEST_DATA names no folder with the public data sets")
    return Path(folder)


def test_taiwan_is_ranked_better_than_by_the_raw_columns_and_can_be_believed(model, data, tmp_path):
    source = data / "taiwan_credit_default"
    train, held_out = model.split(labelled(tmp_path, "taiwan", import_taiwan, source))
    predictor = trained(train, tmp_path / "model", seed=7)
    found = model.evaluate(predictor, held_out, champion=None, seed=7)
    assert found.metrics["ece"].value < 0.02
    assert found.metrics["auc"].low > 0.76
    assert {row.attribute for row in found.groups} == {"sex", "age", "education", "marital_status"}
    assert judge(Gate.load(model.gate), found).approved

    raw = raw_probabilities(source / "credit_card_clients.csv", train, held_out, protected=True)
    ours = predictor.predict(held_out)["probability"]
    assert compare(held_out["defaulted"], ours, raw, seed=7)["auc"].low > -0.002


def test_berka_s_thirty_defaults_are_ranked_far_better_than_by_chance(model, data, tmp_path):
    rows = labelled(tmp_path, "berka", import_berka, data / "berka")
    assert (len(rows), rows["defaulted"].sum()) == (354, 30)
    probability = cross_validated(rows, tmp_path, seed=7)
    found = measure(rows["defaulted"], probability, groups=rows["user_id"], seed=7)
    assert found["auc"].low > 0.75
    assert found["auc"].value > 0.85
