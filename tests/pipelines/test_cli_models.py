"""`finml models` as its callers see it: exit codes, one JSON document, tables for people."""

import json

import pytest

from finml.registry.promotion import history
from finml.settings import get_settings
from pipelines.cli import main
from pipelines.cli.models import user
from pipelines.cli.output import console
from tests.registry.runs import MODEL, evaluation, gate, group, new_home, registered


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("FINML_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.setenv("LOGNAME", "ana")
    get_settings.cache_clear()
    yield new_home(tmp_path / "home")
    get_settings.cache_clear()


@pytest.fixture
def finml(settings, capfd):
    """Run a command; what it prints on standard output."""

    def run(*words: str, code: int = 0) -> str:
        capfd.readouterr()
        assert main(["models", *words]) == code
        return capfd.readouterr().out

    return run


def test_list(finml, settings):
    assert json.loads(finml("list", "--json")) == {"models": []}
    assert "finml run training" in finml("list")
    registered(settings)
    registered(settings, approval="human")
    (model,) = json.loads(finml("list", "--json"))["models"]
    assert (model["name"], model["champion"], model["candidate"], model["previous"]) == (MODEL, 1, 2, None)
    assert [version["spec"] for version in model["versions"]] == ["credit_risk@2", "credit_risk@1"]
    assert json.loads(finml("list", MODEL, "--json"))["models"] == [model]
    table = finml("list")
    for words in (MODEL, "champion", "candidate", "pending", "approved"):
        assert words in table


def test_show(finml, settings):
    rule = [{"metric": "auc", "min_delta": -0.01}]
    groups = [group("sex", "[red]f[/]", 200, 0.9), group("sex", "male", 200, 1.0), group("sex", "x", 2, None)]
    registered(settings, by=gate("human", champion=rule), found=evaluation(groups=groups))
    detail = json.loads(finml("show", "credit_risk@1", "--json"))
    assert detail["version"]["spec"] == "credit_risk@1"
    assert detail["verdict"]["approved"] is True
    assert detail["figures"]["auc"] == {"value": 0.75, "low": 0.73, "high": 0.77}
    page = finml("show", "credit_risk@candidate")
    for words in ("credit_risk@1", "0.7500 (0.7300 to 0.7700)", "[red]f[/]", "0.900", "passed", "skipped"):
        assert words in page


def test_compare(finml, settings):
    registered(settings)
    registered(settings, found=evaluation(0.8, data_hash="other"))
    comparison = json.loads(finml("compare", "credit_risk@1", "credit_risk", "--json"))
    auc = next(row for row in comparison["rows"] if row["metric"] == "auc")
    assert auc["delta"] == pytest.approx(0.05)
    assert comparison["same_data"] is False
    page = finml("compare", "credit_risk@1", "credit_risk@2")
    assert "+0.05" in page
    assert "different rows" in page


def test_approve_and_reject(finml, settings):
    registered(settings, approval="human")
    rejected = json.loads(finml("reject", "credit_risk@1", "--why", "unfair", "--json"))
    assert (rejected["changed"], rejected["candidate"]) == (True, None)
    assert rejected["events"][0]["who"] == "ana"
    error = json.loads(finml("promote", "credit_risk@1", "--json", code=1))["error"]
    assert error["type"] == "NotApprovedError"
    assert error["message"] == "ana rejected credit_risk@1: unfair"
    approved = finml("approve", "credit_risk@1", "--who", "ben", "--no-promote")
    assert approved == "credit_risk@1 is approved.\n"
    assert "champion" in finml("approve", "credit_risk@1")
    assert [event.who for event in history(settings, MODEL).events] == ["ana", "ben", "ana"]


def test_promote_and_rollback_say_what_they_did(finml, settings):
    for _ in range(2):
        registered(settings)
    done = finml("rollback", MODEL, "--who", "ben", "--why", "complaints [/] of many")
    assert done == "credit_risk@1 is champion again; credit_risk@2 is previous.\n"
    change = json.loads(finml("promote", "credit_risk@2", "--json"))
    assert (change["champion"], change["previous"], change["changed"]) == (2, 1, True)
    assert finml("promote", "credit_risk@2") == "credit_risk@2 is champion already.\n"


def test_history_and_trace(finml, settings):
    registered(settings)
    registered(settings)
    finml("rollback", MODEL, "--why", "complaints [/] of many")
    log = json.loads(finml("history", MODEL, "--json"))
    assert [event["action"] for event in log["events"]] == ["promote", "promote", "rollback"]
    page = finml("history", MODEL)
    for words in ("rollback credit_risk@1", "2 → 1", "complaints [/] of many", "none → 1"):
        assert words in page
    line = json.loads(finml("trace", "credit_risk@2", "--json"))
    assert line["version"]["data_hash"] == "d" * 64
    assert line["run"]["run_id"] == line["version"]["run_id"]
    assert len(line["promotions"]) == 2
    tree = finml("trace", "credit_risk")
    for words in (
        "credit_risk@1  champion",
        "d" * 64,
        "credit_risk_v1 1",
        "run-1",
        "approved: 4 checks passed",
    ):
        assert words in tree


def test_history_warns_of_what_happened_behind_its_back(finml, settings):
    from finml.registry.client import connect

    registered(settings)
    with connect(settings) as client:
        client.delete_registered_model_alias(MODEL, "champion")
    assert "the champion is none, the log says 1" in finml("history", MODEL)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "credit_risk@1"), 1),
        (("rollback", "credit_risk"), 1),
        (("trace", "credit_risk@latest"), 2),
        (("promote", "Credit Risk@1"), 2),
        (("rollback", "credit_risk@1"), 2),
        (("history",), 2),
        (("compare", "credit_risk@1"), 2),
        (("nosuch",), 2),
    ],
)
def test_errors_are_one_document_and_an_exit_code(finml, words, code):
    error = json.loads(finml(*words, "--json", code=code))["error"]
    assert error["message"]


def test_a_user_without_a_name_is_unknown(monkeypatch):
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987654)
    assert user() == "unknown"
