"""What is kept of requests: the logs, the figures, and the decisions about people."""

import hashlib
import json

import pytest

from finml.audit import AuditLog
from finml.audit.secret import audit_folder
from finml.monitoring.rows import Encoder
from finml.privacy import masked_json
from pipelines.cli.app import run_command
from tests.bentos.doubling import decided
from tests.bentos.edges import Desk


def test_what_is_answered_is_logged_with_its_request(settings):
    desk = Desk(settings)
    answer = desk.ask(1, 2)
    given = answer.headers["x-request-id"]
    logged = [(one.request_id, one.position, one.version, one.variant) for one in desk.logged.predictions]
    assert logged == [
        (given, 0, "doubling@1", "champion"),
        (given, 1, "doubling@1", "champion"),
    ]
    (line,) = [json.loads(line) for line in "".join(desk.lines).splitlines()]
    assert (line["path"], line["status"], line["request_id"]) == ("/predict/doubling", 200, given)


def test_the_subject_is_what_the_routing_went_by(settings):
    desk = Desk(settings)
    inputs = [{"number": 1, "user_id": "u7"}, {"number": 2}]
    answer = desk.call("POST", "/predict/doubling", json={"inputs": inputs})
    given = answer.headers["x-request-id"]
    assert [one.subject for one in desk.logged.predictions] == ["u7", f"{given}/1"]


def test_an_input_that_a_version_could_not_answer_is_logged_as_such(settings):
    desk = Desk(settings)
    desk.model.error = RuntimeError("boom")
    assert desk.ask(1).status_code == 500
    (failed,) = desk.logged.predictions
    assert (failed.variant, failed.error, failed.output) == ("champion", "RuntimeError", None)
    assert failed.latency_ms > 0


def test_an_input_whose_time_ran_out_is_logged_as_such(settings):
    desk = Desk(settings, timeout_s=0.2)

    async def calls(client):
        desk.model.free.clear()
        answer = await client.post("/predict/doubling", json={"inputs": [{"number": 1}]})
        desk.model.free.set()
        return answer.status_code

    assert desk.run(calls) == 504
    assert [one.error for one in desk.logged.predictions] == ["TimeoutError"]


def test_a_path_that_does_not_exist_does_not_reach_the_log_or_the_metrics(settings):
    desk = Desk(settings)
    desk.call("GET", "/secret@example.com")
    assert "example.com" not in "".join(desk.lines)
    assert b"example.com" not in desk.metrics.page()[0]


def test_requests_are_counted(settings):
    desk = Desk(settings)
    desk.ask(1)
    desk.call("POST", "/predict/doubling", json={})
    page = desk.metrics.page()[0].decode()
    assert 'finml_requests_total{route="/predict/doubling",status="200"} 1.0' in page
    assert 'finml_requests_total{route="/predict/doubling",status="400"} 1.0' in page


def test_what_is_kept_of_a_decision_is_what_was_decided_by(settings):
    desk = Desk(settings, audit=AuditLog.of(settings), decision=decided)
    desk.call("POST", "/predict/doubling", json={"inputs": [{"number": 1, "user_id": "u7"}]})
    (row,) = desk.logged.predictions
    assert json.loads(row.inputs) == {"number": 1, "user_id": "u7"}
    assert json.loads(row.output) == {"doubled": 2, "model_version": "doubling@1"}
    (file,) = audit_folder(settings).glob("*-serve-*.jsonl")
    (entry,) = [line for line in map(json.loads, file.read_text().splitlines()) if "decision" in line]
    assert entry["inputs_sha256"] == hashlib.sha256(row.inputs).hexdigest()
    assert entry["features_sha256"] == hashlib.sha256(row.features).hexdigest()


@pytest.mark.parametrize("decision", [None, decided])
def test_what_names_a_person_is_left_to_be_masked(settings, decision):
    desk = Desk(settings, audit=AuditLog.of(settings), decision=decision)
    desk.call("POST", "/predict/doubling", json={"inputs": [{"number": 1, "user_id": "asha@example.org"}]})
    encoder = Encoder(masked_json, b"key")
    for row in desk.logged.predictions:
        encoder.append(row)
    (row,) = encoder.take().to_pylist()
    assert json.loads(row["inputs"])["user_id"] == "<email>"
    assert "asha" not in json.dumps(row, default=str)


class BrokenAudit:
    """An audit log whose disk is full."""

    def append(self, decisions) -> None:
        from finml.errors import AuditError

        raise AuditError("no space left", hint="make room")

    def close(self) -> None:
        pass


def test_a_decision_that_cannot_be_recorded_is_not_made(settings):
    desk = Desk(settings, audit=BrokenAudit(), decision=decided)
    answer = desk.ask(1)
    assert answer.status_code == 503
    assert "doubled" not in answer.text
    assert desk.logged.predictions == []


def test_a_decision_is_found_by_its_id_and_by_its_callers(settings, monkeypatch, capfd):
    desk = Desk(settings, audit=AuditLog.of(settings), decision=decided)
    given = desk.ask(21, headers={"x-correlation-id": "order-66"}).headers["x-request-id"]
    monkeypatch.setattr("finml.settings.get_settings", lambda: settings)
    capfd.readouterr()
    for name in (given, "order-66"):
        assert run_command(["audit", "show", name, "--json"]) == 0
        (entry,) = json.loads(capfd.readouterr().out)
        assert (entry["request_id"], entry["correlation_id"]) == (given, "order-66")
        assert entry["decision"] == {"doubled": 42}
