import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from finml import __version__
from finml.errors import PipelineError, UsageError
from pipelines.cli.output import answers_only, console, print_json
from tests.pipelines.kubeflow import kubeflow

ADMISSION = "let-me-in"
HEAVY = {
    "bentoml", "duckdb", "feast", "ibis", "kfp", "matplotlib", "mlflow", "numpy", "pandas", "pandera",
    "pyarrow", "pydantic", "sklearn", "structlog", "xgboost",
}  # fmt: skip


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from pipelines.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: finml" in done.stdout
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "evaluate",
        "serve",
        "compile",
        "submit",
        "doctor",
        "data generate",
        "data import",
        "data convert",
        "intent suggest",
        "models list",
        "features verify",
        "features freshness",
        "quickstart",
    ],
)
def test_every_command_explains_itself(finml, command):
    outcome = finml(*command.split(), "--help")
    assert outcome.code == 0
    assert f"Usage: finml {command}".strip() in outcome.stdout


def test_the_version(finml):
    assert finml("--version").stdout == f"finml {__version__}\n"


def test_the_installed_command_is_this_one():
    script = Path(sys.executable).with_name("finml")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"finml {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("run", "nonsense"),
        ("run", "features", "--nonsense"),
        ("data", "import", "taiwan", "no/such/folder"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_document(finml, words):
    outcome = finml(*words, "--json")
    assert outcome.code == 2
    assert outcome.document["error"]["type"] == "UsageError"
    assert outcome.document["error"]["message"] in outcome.stderr


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("run", "training"), "credit_risk"),
        (("run", "training", "--model", "nonsense"), "credit_risk"),
        (("run", "features", "--model", "credit_risk"), "--model"),
        (("run", "release", "--all", "--model", "credit_risk"), "one of them"),
        (("evaluate", "credit_risk@champion", "--ledger", "x", "--data", __file__), "one of them"),
        (("evaluate", "credit_risk@champion", "--out-of-scope", __file__), "--data FILE"),
        (("run", "features", "--data", __file__), "--model MODEL --data FILE"),
        (("run", "training", "--all", "--data", __file__), "--model MODEL --data FILE"),
        (("run", "training", "--model", "credit_risk", "--out-of-scope", __file__), "--data FILE"),
        (("run", "training", "--model", "credit_risk", "--data", __file__, "--ledger", "x"), "one of them"),
        (("run", "training", "--model", "credit_risk", "--param", "eta"), "NAME=VALUE"),
        (("submit", "features"), "FINML_KFP_HOST"),
    ],
)
def test_what_cannot_be_meant_ends_with_2_and_advice(finml, words, advice):
    outcome = finml(*words, "--json")
    assert outcome.code == 2
    assert advice in outcome.document["error"]["hint"]
    assert f"try: {outcome.document['error']['hint']}" in outcome.stderr


@pytest.mark.parametrize(("words", "expected"), [((), "configured"), (("--ledger", "given"), "given")])
def test_a_version_is_measured_on_the_configured_ledger_unless_one_is_given(
    finml, monkeypatch, words, expected
):
    asked = []

    def rows_of_ledger(model, version, settings):
        asked.append(settings.ledger)
        raise UsageError("far enough")

    monkeypatch.setenv("FINML_LEDGER_URL", "configured")
    monkeypatch.setattr("finml.registry.versions.resolve", lambda *_: SimpleNamespace(name="credit_risk"))
    monkeypatch.setattr("finml.registry.delivery.fetch", lambda *_: None)
    monkeypatch.setattr("finml.models.base.get_model", lambda _: SimpleNamespace(load=lambda _: None))
    monkeypatch.setattr("pipelines.cli.evaluate.rows_of_ledger", rows_of_ledger)
    outcome = finml("evaluate", "credit_risk@champion", *words)
    assert (asked, "far enough" in outcome.stderr) == ([expected], True)


def test_errors_for_people_go_to_standard_error_alone(finml):
    outcome = finml("run", "training")
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("error: training needs a model\ntry: ")


def test_a_setting_that_cannot_be_used_is_a_wrong_usage(finml, monkeypatch):
    monkeypatch.setenv("FINML_QUARANTINE_LIMIT", "much")
    outcome = finml("models", "list", "--json")
    assert outcome.code == 2
    assert "FINML_QUARANTINE_LIMIT" in outcome.document["error"]["message"]


def test_a_folder_that_cannot_be_made_is_named_without_a_traceback(finml, home):
    home.write_text("a file where a folder should be")
    outcome = finml("run", "features", "--json")
    assert outcome.code == 1
    assert str(home) in outcome.document["error"]["message"]
    assert outcome.document["error"]["hint"]
    assert "Traceback" not in outcome.stderr


def test_a_fault_of_ours_ends_with_1_the_whole_story_and_one_document(finml, monkeypatch):
    def broken(*_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("finml.registry.versions.list_models", broken)
    outcome = finml("models", "list", "--json")
    assert outcome.code == 1
    assert outcome.document["error"] == {"type": "RuntimeError", "message": "a fault of ours", "hint": ""}
    assert "Traceback" in outcome.stderr


def test_what_libraries_print_never_reaches_an_answer(capfd):
    with answers_only():
        print("from Python")  # noqa: T201  # what libraries do
        subprocess.run(["echo", "from a child"], check=True)
        print_json({"answer": PipelineError("words")})
        console.print("for people")
    print("afterwards")  # noqa: T201
    stdout, stderr = capfd.readouterr()
    assert stdout == '{\n  "answer": "words"\n}\nfor people\nafterwards\n'
    assert stderr.splitlines() == ["from Python", "from a child"]


def test_compile_writes_each_pipeline(finml, tmp_path):
    outcome = finml("compile", "-o", str(tmp_path / "yaml"), "--image", "registry.example/finml:7", "--json")
    assert outcome.code == 0
    assert sorted(outcome.document["files"]) == ["features", "release", "training", "training_from_file"]
    for file in (tmp_path / "yaml").iterdir():
        assert "image: registry.example/finml:7" in file.read_text()


def test_compile_writes_one_pipeline_and_names_it(finml, tmp_path):
    outcome = finml("compile", "features", "-o", str(tmp_path))
    assert outcome.stdout.split() == [str(tmp_path / "features.yaml")]


def test_submit_answers_with_the_run(finml, monkeypatch):
    with kubeflow(token=ADMISSION) as server:
        monkeypatch.setenv("FINML_KFP_HOST", server.url)
        monkeypatch.setenv("FINML_KFP_TOKEN", ADMISSION)
        outcome = finml(
            *("submit", "training", "--model", "credit_risk", "--trials", "3", "--param", "eta=0.1"),
            *("--ledger", "s3/bank", "--json"),
        )
        assert server.runs[0]["runtime_config"]["parameters"] == {
            "model": "credit_risk",
            "trials": 3,
            "params": {"eta": 0.1},
            "ledger_url": "s3/bank",
        }
    assert outcome.code == 0
    assert outcome.document["run_id"] == "run-1"


def test_submit_all_makes_a_run_a_model(finml, monkeypatch):
    with kubeflow() as server:
        monkeypatch.setenv("FINML_KFP_HOST", server.url)
        outcome = finml("submit", "training", "--all")
        assert {run["runtime_config"]["parameters"]["model"] for run in server.runs} >= {"credit_risk"}
    assert "/#/runs/details/run-1" in outcome.stdout


def test_there_is_nothing_to_serve_before_a_release(finml):
    outcome = finml("serve", "--port", "3999")
    assert outcome.code == 1
    assert "finml run release" in outcome.stderr


def test_doctor_examines_this_machine(finml):
    outcome = finml("doctor", "--json")
    assert {check["name"] for check in outcome.document["checks"]} >= {"python", "home", "ledger"}
    assert outcome.code == (
        1 if any(check["state"] == "failed" for check in outcome.document["checks"]) else 0
    )
    assert "python" in finml("doctor").stdout
