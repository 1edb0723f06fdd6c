"""`finml intent suggest` over a registered version."""

import csv
import io
import json

import pandas as pd
import pytest
import structlog
from typer.testing import CliRunner

from finml.logs import configure_logging
from finml.models.base import TrainingResult
from finml.registry.gate import Gate, judge
from finml.registry.provenance import Lineage
from finml.registry.registration import register
from finml.registry.tracking import log_evaluation, log_training, log_verdict
from finml.settings import Settings, get_settings
from pipelines.cli.intent import COLUMNS, intent_app

pytestmark = pytest.mark.slow

GATE = Gate.model_validate({"approval": "automatic", "thresholds": [{"metric": "accuracy", "min": 0.0}]})
TEXTS = ["block the balance", "is it, possible", "send my card a budget"]


@pytest.fixture(scope="module")
def home(folder, evaluation, tmp_path_factory):
    """A home whose champion is the small model."""
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("home"))
    lineage = Lineage.collect(
        settings, data_hash="d", feature_service="", feature_service_version="", pipeline_run="test"
    )
    run_id = log_training(settings, "intent", TrainingResult(folder, {}, {}), lineage)
    log_evaluation(settings, run_id, evaluation, "<html></html>", "# Card")
    verdict = judge(GATE, evaluation)
    log_verdict(settings, run_id, GATE, verdict)
    register(settings, run_id, "intent", verdict)
    patch = pytest.MonkeyPatch()
    patch.setenv("FINML_HOME", str(settings.home))
    get_settings.cache_clear()
    # as the command line does before any command: logs leave standard output alone
    before = structlog.get_config()
    configure_logging(settings.model_copy(update={"log_level": "WARNING"}))
    yield settings.home
    structlog.configure(**before)
    patch.undo()
    get_settings.cache_clear()


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "log.parquet"
    pd.DataFrame({"text": [*TEXTS, TEXTS[0]]}).to_parquet(file)
    return file


def test_it_prints_a_table_to_fill_in(home, log, monkeypatch):
    answer = CliRunner().invoke(intent_app, ["suggest", "--log", str(log), "--n", "2"])
    assert answer.exit_code == 0, answer.output
    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert len(rows) == 2
    assert tuple(rows[0]) == COLUMNS
    assert {row["text"] for row in rows} < set(TEXTS)
    assert all(row["intent"] == "" and row["guess"] for row in rows)


def test_it_prints_one_document(home, log):
    answer = CliRunner().invoke(intent_app, ["suggest", "--log", str(log), "--json", "--model", "intent@1"])
    found = json.loads(answer.stdout)
    assert found["model"] == "intent@1"
    assert (found["logged"], found["repeated"]) == (4, 1)
    assert {row["text"] for row in found["chosen"]} == set(TEXTS)
