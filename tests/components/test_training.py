"""The steps `train`, `evaluate`, `gate` and `register`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.curves import roc_curve
from components.take_file import take_file
from components.train import train
from finml.models.base import Evaluation, get_model
from finml.models.labelled_files import store_rows
from finml.registry.client import connect
from finml.registry.gate import Verdict
from tests.components.conftest import MODEL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("components")]


def evaluation_of(artifact) -> Evaluation:
    return Evaluation.model_validate(json.loads(Path(artifact.path).read_text()))


def test_a_training_is_logged_with_where_it_comes_from(steps, ingested, trained):
    with connect(steps.settings) as client:
        tags = client.get_run(trained["Output"]).data.tags
    assert tags["finml.pipeline_run"] == "run-of-the-tests"
    assert tags["finml.data_hash"] == ingested["tables"].metadata["data_hash"]
    assert tags["finml.feature_service"] == "credit_risk_v1"
    assert tags["finml.feature_service_version"] == "1"
    assert trained["trained"].metadata["lineage"]["seed"] == "7"
    assert (Path(trained["trained"].path) / "manifest.json").exists()


def test_the_metrics_of_the_ui_are_those_of_the_evaluation(rows, evaluated):
    found = evaluation_of(evaluated["evaluation"])
    shown = evaluated["metrics"].metadata
    assert shown["auc"] == found.metrics["auc"].value
    assert shown["n"] == rows["held_out_rows"].metadata["rows"]
    assert found.champion is None
    assert found.data_hash == rows["held_out_rows"].metadata["data_hash"]


def test_the_curves_of_the_ui_are_right(rows, evaluated):
    curves = evaluated["curves"].metadata
    points = curves["confidenceMetrics"]
    for rate in ("falsePositiveRate", "recall"):
        values = [point[rate] for point in points]
        assert values == sorted(values)
        assert values[-1] == 1
    counts = [row["row"] for row in curves["confusionMatrix"]["rows"]]
    held_out = pd.read_parquet(rows["held_out_rows"].path)
    assert np.sum(counts) == len(held_out)
    assert sum(counts[1]) == held_out["defaulted"].sum()


def test_a_roc_curve_of_perfect_and_of_useless_scores():
    label = np.array([False, False, True, True])
    fpr, tpr, thresholds = roc_curve(label, np.array([0.1, 0.2, 0.8, 0.9]))
    assert (0.0, 1.0) in zip(fpr, tpr, strict=True)
    assert thresholds[0] == 1.0
    fpr, tpr, _ = roc_curve(label, np.full(4, 0.5))
    assert list(zip(fpr, tpr, strict=True)) == [(0.0, 0.0), (1.0, 1.0)]


def test_report_and_card_can_be_read(evaluated):
    page = Path(evaluated["report"].path).read_text()
    assert "<html" in page
    assert 'src="http' not in page
    assert "credit_risk" in Path(evaluated["card"].path).read_text()


def test_the_gate_s_answer_is_its_verdict(judged):
    verdict = Verdict.model_validate(judged["verdict"].metadata["verdict"])
    assert judged["Output"] is verdict.approved
    assert judged["verdict"].metadata["summary"] == verdict.summary
    assert "# Gate of credit_risk" in Path(judged["verdict"].path).read_text()


def test_a_labelled_file_takes_the_place_of_the_ledger(steps, rows, tmp_path):
    names = ("training_rows", "held_out_rows")
    both = [pd.read_parquet(rows[name].path) for name in names]
    labelled = tmp_path / "loans.parquet"
    pd.concat(both).to_parquet(labelled)
    kept = store_rows(get_model(MODEL), labelled, {}, steps.settings)
    taken = steps(take_file, model=MODEL, file=kept.path, sha256=kept.sha256, origin=kept.origin)
    # the same users are held out, wherever the rows come from
    assert [len(pd.read_parquet(taken[name].path)) for name in names] == [len(part) for part in both]
    done = steps(
        train,
        model=MODEL,
        ledger_url="",
        trials=0,
        params={"max_depth": 2},
        pipeline_run="run-of-the-tests",
        training_rows=taken["training_rows"],
    )
    with connect(steps.settings) as client:
        run = client.get_run(done["Output"]).data
    assert run.tags["finml.data_hash"] == kept.sha256
    assert run.tags["finml.data_file"] == "loans.parquet"
    assert "finml.ledger" not in run.tags
    assert run.params["max_depth"] == "2"
