"""Whole pipelines on this machine: approving, rejecting, failing, and what the commands say about it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from finml.features.declarations import STORED_VIEWS
from finml.registry.versions import list_models, resolve
from finml.settings import Settings
from pipelines.cli.quickstart import conclude, make_bank
from pipelines.cli.run import show
from pipelines.results import RunResult
from pipelines.runner import run_local
from tests.pipelines.conftest import at_home, shuffle_labels, write_bank

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("runs")]

MODEL = "credit_risk"
FEATURE_STEPS = ["ingest", "build-features", "materialize"]
TRAINING_STEPS = [*FEATURE_STEPS, "training-set", "train", "evaluate", "gate", "register"]


@pytest.fixture(scope="session")
def bank(tmp_path_factory) -> Path:
    """A home with the ledger of a bank that is large enough for a good model."""
    home = tmp_path_factory.mktemp("bank") / "home"
    write_bank(home / "ledger", users=1000, months=18)
    return home


@pytest.fixture(scope="session")
def approved(bank):
    """The result of a training that the gate approves."""
    with at_home(bank):
        return run_local("training", {"model": MODEL}, "subprocess", Settings())


@pytest.fixture(scope="session")
def rejected(tmp_path_factory):
    """What `finml run` ends with for a training on outcomes that nothing explains: exit code and result."""
    home = tmp_path_factory.mktemp("shuffled") / "home"
    write_bank(home / "ledger", users=300, months=12)
    shuffle_labels(home / "ledger")
    with at_home(home):
        command = [Path(sys.executable).with_name("finml"), "run", "training", "--model", MODEL, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, RunResult.model_validate_json(done.stdout)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, _env_file=None)


def test_an_approved_training_ends_with_a_registered_version(bank, approved):
    assert approved.state == "succeeded", approved.failed_step
    assert [step.name for step in approved.steps] == TRAINING_STEPS
    assert {step.state for step in approved.steps} == {"succeeded"}
    assert approved.outputs["approved"] is True
    assert approved.outputs["version"] == f"{MODEL}@1"
    assert approved.outputs["metrics"]["auc"] > 0.6


def test_a_version_leads_back_to_its_run_and_data(bank, approved):
    version = resolve(settings_of(bank), f"{MODEL}@1")
    assert version.pipeline_run == approved.run_id
    assert version.data_hash == approved.outputs["data_hash"]
    assert version.run_id == approved.outputs["mlflow_run"]


def test_a_run_s_folder_holds_what_people_read(approved):
    for page in (
        "ingestion.md",
        "features.md",
        "report.html",
        "card.md",
        "verdict.md",
        "run.log",
        "pipeline.yaml",
    ):
        assert (approved.folder / page).stat().st_size > 0
    assert json.loads((approved.folder / "result.json").read_text()) == approved.model_dump(mode="json")
    assert not (approved.folder / "workspace").exists()


@pytest.mark.server
def test_everything_again_takes_only_what_is_new_meets_the_champion_and_answers(finml, bank, approved, capfd):
    outcome = finml("quickstart", "--model", MODEL, "--json", home=bank)
    assert outcome.code == 0, outcome.stderr
    assert "is kept" in outcome.stderr
    done = outcome.document["models"][MODEL]
    training = RunResult.model_validate_json(Path(done["report"]).with_name("result.json").read_text())
    summaries = {step.name: step.summary for step in training.steps}
    assert " 0 new, 0 changed" in summaries["ingest"]
    assert " 0 parts built" in summaries["build-features"]
    assert training.outputs["verdict"]["champion"] == f"{MODEL}@1"
    assert training.outputs["data_hash"] == approved.outputs["data_hash"]
    (answer,) = done["answer"]
    assert 0 <= answer["probability"] <= 1
    assert answer["model_version"] == done["version"] == f"{MODEL}@2"
    assert answer["feature_timestamps"]
    conclude(outcome.document)
    said = capfd.readouterr().out
    assert f"POST /predict/{MODEL}" in said
    assert "make bench" in said


def test_a_quickstart_s_bank_ends_yesterday(settings):
    make_bank(settings, 5, 2)
    occurred = pd.read_parquet(settings.home / "ledger" / "transactions.parquet")["occurred_at"]
    assert pd.Timestamp.now() - occurred.max() < pd.Timedelta(days=10)


def test_a_rejected_training_ends_cleanly_with_its_report_and_registers_nothing(rejected):
    code, result = rejected
    assert code == 1
    assert result.state == "rejected"
    assert {step.name: step.state for step in result.steps}["register"] == "skipped"
    assert result.outputs["approved"] is False
    assert "version" not in result.outputs
    assert (result.folder / "report.html").exists()
    assert "rejected" in (result.folder / "verdict.md").read_text()
    assert list_models(settings_of(result.folder.parents[1])) == []


def test_people_are_told_why_a_model_was_rejected(rejected, capsys):
    show(rejected[1])
    said = capsys.readouterr().out
    assert f"training {MODEL} rejected" in said
    assert "FAILED   " in said
    assert "report.html" in said
    assert "Nothing was registered" in said


def test_what_was_rejected_is_not_packaged(finml, rejected):
    outcome = finml("run", "release", "--no-image", "--json", home=rejected[1].folder.parents[1])
    assert outcome.code == 1
    assert outcome.document["state"] == "failed"
    error = outcome.document["steps"][0]["error"]
    assert error["type"] == "NotApprovedError"
    assert "finml models list" in error["hint"]
    assert "bento" not in outcome.document["outputs"]


def test_a_release_holds_exactly_the_champion(finml, bank, approved):
    outcome = finml("run", "release", "--no-image", "--json", home=bank)
    assert outcome.code == 0, outcome.stderr
    released = outcome.document
    states = {step["name"]: step["state"] for step in released["steps"]}
    assert states == {"package": "succeeded", "containerize": "skipped"}
    assert released["outputs"]["bento"].startswith("finance:")
    assert released["outputs"]["versions"] == [resolve(settings_of(bank), f"{MODEL}@champion").spec]


def test_a_step_that_fails_is_named_with_its_own_words(finml, tmp_path):
    outcome = finml("run", "features", "--ledger", str(tmp_path / "no-bank"))
    assert outcome.code == 1
    assert "features failed" in outcome.stdout
    assert "Ingest the ledger: " in outcome.stdout
    assert "no-bank" in outcome.stdout
    assert "try: " in outcome.stdout
    assert "Traceback" not in outcome.stdout + outcome.stderr


def test_after_a_failed_step_the_others_are_skipped(finml, tmp_path):
    document = finml("run", "features", "--ledger", str(tmp_path / "no-bank"), "--json").document
    assert [step["state"] for step in document["steps"]] == ["failed", "skipped", "skipped"]
    assert document["state"] == "failed"
    assert Path(document["folder"], "run.log").exists()


def test_a_run_leaves_this_process_s_environment_as_it_was(settings, tmp_path):
    before = dict(os.environ)
    run_local("features", {}, "subprocess", settings.with_ledger(str(tmp_path / "no-bank")))
    assert dict(os.environ) == before


def test_no_password_is_left_in_a_run_s_folder(finml, home):
    ledger = "postgresql://bank:pass-word@127.0.0.1:9/ledger"
    outcome = finml("run", "features", "--ledger", ledger, "--json")
    assert outcome.document["state"] == "failed"
    assert "pass-word" not in outcome.stdout + outcome.stderr
    for file in home.rglob("*"):
        assert file.is_dir() or b"pass-word" not in file.read_bytes(), file


def test_online_features_equal_the_offline_ones(finml, bank, approved):
    outcome = finml("features", "verify", "--users", "50", "--json", home=bank)
    assert outcome.code == 0
    assert outcome.document["equal"] is True
    assert outcome.document["users"] == 50
    assert "equal" in finml("features", "verify", "--users", "5", home=bank).stdout


def test_freshness_of_each_view_is_shown(finml, bank, approved):
    document = finml("features", "freshness", "--json", home=bank).document
    assert {view["view"] for view in document["views"]} == {view.name for view in STORED_VIEWS}
    assert "credit_history" in finml("features", "freshness", home=bank).stdout


def test_a_version_is_measured_on_a_ledger_it_has_never_seen(finml, bank, approved, tmp_path):
    write_bank(tmp_path / "other", users=300, months=12, seed=8)
    outcome = finml("evaluate", f"{MODEL}@champion", "--ledger", str(tmp_path / "other"), "--json", home=bank)
    assert outcome.code == 0
    found = outcome.document
    assert found["version"].startswith(f"{MODEL}@")
    assert {"n", "auc", "average_precision", "brier", "log_loss", "ece", "groups", "intervals"} <= set(found)
    low, high = found["intervals"]["auc"]
    assert low <= found["auc"] <= high
    assert sum(group["n"] for group in found["groups"]["sex"].values()) == found["n"]
    assert "warning" not in outcome.stderr


def test_a_version_is_measured_on_a_file(finml, bank, approved):
    (file,) = approved.folder.glob("*/training-set/held_out_rows")
    held_out = approved.folder / "held-out.parquet"
    held_out.write_bytes(file.read_bytes())
    outcome = finml("evaluate", f"{MODEL}@1", "--data", str(held_out), "--json", home=bank)
    assert outcome.document["auc"] == approved.outputs["metrics"]["auc"]
    assert outcome.document["n"] == len(pd.read_parquet(held_out))
    for_people = finml("evaluate", f"{MODEL}@1", "--data", str(held_out), home=bank)
    assert "average_precision" in for_people.stdout
    assert "fp rate" in for_people.stdout


def test_measuring_on_the_ledger_of_the_training_is_remarked_on(finml, bank, approved):
    outcome = finml("evaluate", MODEL, "--json", home=bank)
    assert outcome.code == 0
    assert "was trained on this ledger" in outcome.stderr


def test_two_homes_share_nothing(finml, approved, tmp_path):
    assert finml("models", "list", "--json", home=tmp_path / "other").document == {"models": []}
