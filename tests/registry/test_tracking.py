import json
import math
import platform

import pytest

from finml.errors import RegistryError, UsageError
from finml.models.base import Evaluation, Interval, TrainingResult
from finml.registry.client import connect
from finml.registry.gate import Verdict, judge
from finml.registry.manifest import check_manifest
from finml.registry.provenance import Lineage
from finml.registry.tracking import (
    flat_metrics,
    log_evaluation,
    log_training,
    log_verdict,
    stored_evaluation,
    stored_gate,
)
from tests.registry.runs import MODEL, artifact, evaluation, gate, group, judged, registered, train


def run_of(settings, run_id):
    with connect(settings) as client:
        return client.get_run(run_id)


def only_run(settings):
    with connect(settings) as client:
        (run,) = client.search_runs([client.get_experiment_by_name(MODEL).experiment_id])
        return run


def test_a_training_leaves_all_it_takes_to_repeat_it(settings):
    params = {"depth": 4, "name": "x", "list": [1, 2], "long": "v" * 9000}
    run_id = train(settings, params=params)
    run = run_of(settings, run_id)
    assert run.info.status == "FINISHED"
    assert {key: run.data.params[key] for key in ("depth", "name", "list")} == {
        "depth": "4",
        "name": "x",
        "list": "[1, 2]",
    }
    assert run.data.metrics == {"train_auc": 0.9}
    tags = run.data.tags
    assert tags["finml.model"] == MODEL
    assert tags["finml.data_hash"] == "d" * 64
    assert tags["finml.feature_service"] == "credit_risk_v1"
    assert tags["finml.feature_service_version"] == "1"
    assert tags["finml.pipeline_run"] == "run-1"
    assert tags["finml.seed"] == str(settings.seed)
    assert tags["finml.python"] == platform.python_version()
    assert check_manifest(artifact(settings, run_id, "model")) == tags["finml.manifest_sha256"]
    training = json.loads(artifact(settings, run_id, "training.json").read_text())
    assert training["params"] == params
    assert training["lineage"]["libraries"]["mlflow"]


def test_more_parameters_than_mlflow_takes_at_once(settings):
    run_id = train(settings, params={f"p{index:03}": index for index in range(230)})
    assert len(run_of(settings, run_id).data.params) == 230


def test_a_training_that_cannot_be_logged_to_its_end_is_marked_failed(settings, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}")
    result = TrainingResult(folder=tmp_path / "model", params={}, metrics={"auc": "high"})
    with pytest.raises(TypeError):
        log_training(settings, MODEL, result, Lineage.collect(settings, data_hash="d"))
    assert only_run(settings).info.status == "FAILED"


def test_the_name_of_a_model_is_checked_before_anything_is_written(settings):
    with pytest.raises(UsageError, match="Credit Risk"):
        train(settings, model="Credit Risk")
    with connect(settings) as client:
        assert [each.name for each in client.search_experiments()] == ["Default"]


def test_an_evaluation_and_a_verdict_are_found_again(settings):
    found = evaluation(champion="credit_risk@1", versus_champion={"auc": Interval(value=0, low=-1, high=1)})
    found.scalars["odd"] = math.nan
    run_id, verdict = judged(settings, found=found)
    with connect(settings) as client:
        stored = stored_evaluation(client, run_id)
        assert judge(stored_gate(client, run_id), stored) == verdict
    assert math.isnan(stored.scalars["odd"])
    assert artifact(settings, run_id, "evaluation/report.html").read_text() == "<html></html>"
    assert artifact(settings, run_id, "evaluation/card.md").read_text() == "# Card"
    assert artifact(settings, run_id, "gate/verdict.md").read_text() == verdict.to_markdown()
    recorded = artifact(settings, run_id, "gate/verdict.json").read_text()
    assert Verdict.model_validate_json(recorded) == verdict
    run = run_of(settings, run_id)
    assert run.data.tags["finml.gate"] == "approved"
    assert run.info.status == "FINISHED"
    assert run.data.metrics["auc_low"] == pytest.approx(0.73)
    assert "odd" not in run.data.metrics


def test_a_rejecting_verdict_is_logged_as_well(settings):
    run_id, _ = judged(settings, found=evaluation(0.5))
    assert run_of(settings, run_id).data.tags["finml.gate"] == "rejected"


def test_flat_metrics_hold_intervals_groups_and_the_champion():
    delta = Interval(value=0.01, low=0.0, high=0.02)
    found = evaluation(groups=[group("age", "60+", 10, 0.9), group("age", "-30", 10, None)])
    flat = flat_metrics(found.model_copy(update={"versus_champion": {"auc": delta}}))
    assert flat["auc_high"] == pytest.approx(0.77)
    assert flat["disparate_impact/age/60+"] == 0.9
    assert "disparate_impact/age/-30" not in flat
    assert flat["auc_less_champion"] == 0.01


def test_names_of_groups_need_not_please_mlflow(settings):
    run_id, _ = judged(settings, found=evaluation(groups=[group("age", "60+ (all)", 10, 0.9)]))
    assert run_of(settings, run_id).data.metrics["disparate_impact/age/60_ _all_"] == 0.9


def test_an_unknown_run_is_refused(settings):
    with pytest.raises(RegistryError, match="nosuch"):
        log_evaluation(settings, "nosuch", evaluation(), "", "")


def test_what_a_version_was_judged_by_does_not_change(settings):
    version = registered(settings)
    with pytest.raises(RegistryError, match="credit_risk@1 already"):
        log_evaluation(settings, version.run_id, evaluation(0.9), "", "")
    with pytest.raises(RegistryError, match="credit_risk@1 already"):
        log_verdict(settings, version.run_id, gate(), judge(gate(), evaluation()))


def test_a_run_without_evaluation_or_gate_says_so(settings):
    run_id = train(settings)
    with connect(settings) as client, pytest.raises(RegistryError, match="has no evaluation"):
        stored_evaluation(client, run_id)
    with connect(settings) as client, pytest.raises(RegistryError, match="has no gate"):
        stored_gate(client, run_id)


def test_an_unreadable_evaluation_says_so(settings):
    run_id, _ = judged(settings)
    artifact(settings, run_id, "evaluation/evaluation.json").write_text('{"model": 3}')
    with connect(settings) as client, pytest.raises(RegistryError, match="cannot be read"):
        stored_evaluation(client, run_id)


def test_the_evaluation_that_is_stored_is_the_one_that_was_handed_in(settings):
    found = evaluation()
    run_id, _ = judged(settings, found=found)
    with connect(settings) as client:
        assert stored_evaluation(client, run_id) == found
    assert isinstance(found, Evaluation)
