import http.server
import json
import shutil
import threading

import numpy as np
import pytest

from benchmarks.serving import criteria, load, page
from benchmarks.serving.cases import loans
from benchmarks.serving.contenders import CONTENDERS, FINML, ON_ONNX, PEER_CONTENDERS, QUICK_START, UNBATCHED
from benchmarks.serving.measuring import Findings, Plan, Run, WrongAnswerError, check
from benchmarks.serving.peers.models import OnnxTrees, QuickStart
from finml.models.base import TrainOptions, get_model
from finml.models.credit_risk.runtime import CreditRiskPredictor
from tests.models.credit_risk.loans import loans as labelled

PLAN = Plan(repetitions=3, connections=(1, 16, 64))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    model, target = get_model("credit_risk"), tmp_path_factory.mktemp("credit_risk") / "model"
    model.train(model.training_frame(labelled(800, users=500)), target, TrainOptions(seed=3))
    return target


@pytest.fixture(scope="module")
def cases(folder):
    return loans(CreditRiskPredictor.load(folder))[:40]


def findings(**rates: float) -> Findings:
    """Runs of every contender: 100 answers a second, 10 ms, unless `rates` says otherwise of a place."""
    runs = [
        Run(each.name, each.task, callers, turn, load.Load(rates.get(str(place), 100) + turn, 10, 20, 0, 0.1))
        for place, each in enumerate(CONTENDERS)
        for callers in PLAN.connections
        for turn in range(3)
    ]
    return Findings(runs, {"credit_risk": [900], "credit_risk_reasons": [500], "intent": [110.0] * 3}, {})


def test_peers_compute_what_finml_answers(folder, cases, monkeypatch):
    monkeypatch.setenv("PEER_CREDIT_RISK", str(folder))
    quick, onnx = QuickStart(), OnnxTrees()
    expected = [case.probability for case in cases]
    assert [quick.probability(case.row) for case in cases] == pytest.approx(expected, abs=1e-6)
    assert onnx.probabilities([case.row for case in cases]) == pytest.approx(expected, abs=1e-6)
    vectors = np.array([case.vector for case in cases], dtype=np.float32)
    assert onnx.of_matrix(vectors) == pytest.approx(expected, abs=1e-6)
    assert len(set(expected)) > 10
    assert quick.explained(cases[0].row)[0] == quick.probability(cases[0].row)


def test_requests_hold_the_same_features(cases):
    for case in cases:
        given = {name for name, value in case.item["features"].items() if value is not None}
        assert len(given) == 24
        assert given <= set(case.row)


def test_medians_decide(cases):
    found = findings()
    assert found.of(FINML, "credit_risk", 16).rate == 101
    by_words = {each.words: each for each in criteria.criteria(found, CONTENDERS)}
    for callers in (16, 64):
        assert not by_words[f"credit_risk, {callers} callers: rate over {QUICK_START.name}"].passed
        assert by_words[f"credit_risk, {callers} callers: rate over {ON_ONNX.name}"].passed
    assert by_words["credit_risk, 1 caller: p50 over that with batching off"].figure == 1
    assert by_words["intent, 64 callers: rate over the model alone"].passed


def test_ratios_are_of_one_repetition():
    slow = {0: 1.0, 1: 0.1, 2: 0.5}
    runs = [
        Run(name, "credit_risk", 16, turn, load.Load(rate * slow[turn], 10, 20, 0, 0.1))
        for name, rate in ((FINML, 150), (ON_ONNX.name, 100))
        for turn in range(3)
    ]
    # the rival was not measured in the repetition in which the machine was fast
    found = Findings([run for run in runs if (run.contender, run.repetition) != (ON_ONNX.name, 0)], {}, {})
    assert criteria.rates(found, "credit_risk", 16, FINML, ON_ONNX.name) == pytest.approx(1.5)


def test_the_limit_is_that_of_the_same_repetition():
    runs = [
        Run(FINML, "intent", 64, turn, load.Load(rate, 10, 20, 0, 0.1)) for turn, rate in ((1, 100), (2, 50))
    ]
    limits = {"credit_risk": [], "credit_risk_reasons": [], "intent": [50.0, 100.0, 50.0]}
    found = criteria.criteria(Findings(runs, limits, {}), CONTENDERS)
    (alone,) = [each for each in found if each.words == "intent, 64 callers: rate over the model alone"]
    assert alone.figure == pytest.approx(1.0)


def test_the_best_peer_is_no_finml():
    fastest = next(place for place, each in enumerate(CONTENDERS) if each.name == UNBATCHED)
    peer = next(
        place for place, each in enumerate(CONTENDERS) if each in PEER_CONTENDERS and each.task == "intent"
    )
    found = findings(**{str(fastest): 9000, str(peer): 200})
    assert criteria.best_peer(found, "intent", 64, CONTENDERS) == CONTENDERS[peer].name


def test_what_was_not_measured_fails():
    empty = Findings([], {"credit_risk": [], "credit_risk_reasons": [], "intent": []}, {"MLServer": "no pip"})
    found = criteria.criteria(empty, CONTENDERS)
    assert not any(each.passed for each in found)
    assert "not measured" in page.verdicts(found)
    assert "MLServer: not measured. no pip" in page.tables(empty, CONTENDERS, PLAN)


def test_tables_and_document_hold_every_contender():
    found = findings()
    shown = page.tables(found, CONTENDERS, PLAN)
    assert all(f"| {each.name} | {each.answers} |" in shown for each in CONTENDERS)
    document = json.loads(json.dumps(page.document(found, criteria.criteria(found, CONTENDERS), PLAN, {})))
    assert len(document["runs"]) == len(CONTENDERS) * 9
    assert {each["passed"] for each in document["criteria"]} == {True, False}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers every other request with 503, and says what a probability is."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Echo.asked += 1
        body = b'{"probability": 0.5}'
        self.send_response(503 if Echo.asked % 2 and self.path == "/flaky" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def echo():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_wrong_answers_are_found_before_the_load(echo, cases):
    contender = next(each for each in PEER_CONTENDERS if each.name == ON_ONNX.name)
    with pytest.raises(WrongAnswerError, match=r"0\.5"):
        check(contender, echo, cases[:1], "")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_refused_requests_count_as_errors_and_not_as_answers(echo, tmp_path):
    bodies = load.write_bodies(tmp_path / "bodies", [{"a": 1}, {"b": 2}])
    good = load.send(f"{echo}/good", bodies, connections=2, seconds=1)
    flaky = load.send(f"{echo}/flaky", bodies, connections=2, seconds=1, api_key="Bearer k")
    assert good.errors == 0
    assert good.rate > 0
    assert 0 < good.p50_ms <= good.p99_ms
    assert flaky.errors == pytest.approx(0.5, abs=0.05)
