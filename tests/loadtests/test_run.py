"""The load test as it is run: against a real, tiny server, in time and too late."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from bentos.server import free_port
from finml.settings import get_settings
from loadtests.run import asked_about
from pipelines.cli.app import run_command

SCENARIO = {
    "users": 4,
    "seconds": 3,
    "rate_per_s": 20,
    "sizes": {1: 0.5, 4: 0.5},
    "explain_share": 0.5,
}
# a busy machine can keep it
BUDGET = {"p95_ms": 5000, "failure_share": 0.0, "requests_per_s": 0.5}
KEY = "finml_of_the_test"
WITHIN_S = 60


class Handler(BaseHTTPRequestHandler):
    """Answers each input with one row, late by the server's delay; an odd answer lacks a row."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200 if self.path == "/models" else 404, {"models": [{"name": "credit_risk"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(self.server.delay_s)
        self.server.keys.add(self.headers.get("x-api-key"))
        item = {"model_version": "credit_risk@1"} if self.server.versioned else {}
        self.answer(self.server.status, [item] * (len(body["inputs"]) - self.server.lacking))

    def answer(self, status: int, document: object) -> None:
        written = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(written)))
        for name, value in self.server.more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A service with faults to choose."""

    daemon_threads = True
    request_queue_size = 128
    delay_s, status, lacking, versioned, more = 0.0, 200, 0, True, ()


@pytest.fixture
def server():
    httpd = Server(("127.0.0.1", 0), Handler)
    httpd.keys = set()
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def run(server, tmp_path, monkeypatch, capfd):
    """Runs a scenario against the server: exit status and what was printed."""
    monkeypatch.setenv("FINML_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FINML_API_KEY", raising=False)
    get_settings.cache_clear()
    (tmp_path / "ids").write_text("u1\nu2\n")
    (tmp_path / "key").write_text(KEY)

    def once(*more: str, name: str = "tiny", scenario=(), **budget: float):
        scenarios = {"tiny": SCENARIO | dict(scenario) | {"budget": BUDGET | budget}}
        (tmp_path / "budgets.yaml").write_text(yaml.safe_dump({"scenarios": scenarios}))
        host = f"http://127.0.0.1:{server.server_port}"
        options = ["--budgets", str(tmp_path / "budgets.yaml"), "--host", host]
        options += ["--user-ids", str(tmp_path / "ids"), "--api-key-file", str(tmp_path / "key")]
        code = run_command(["loadtest", name, *options, *more])
        return code, *capfd.readouterr()

    yield once
    get_settings.cache_clear()


@pytest.mark.slow
@pytest.mark.server
def test_within_budget(run, server, tmp_path):
    page = tmp_path / "pages" / "report.html"
    code, out, err = run("--report", str(page))
    assert code == 0, out + err
    assert out.startswith("tiny: within budget")
    assert "/explain/credit_risk" in out
    assert server.keys == {KEY}
    text = page.read_text()
    assert "tiny: within budget" in text
    assert KEY not in text
    assert "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.slow
@pytest.mark.server
def test_callers_that_wait_for_answers(run):
    code, out, _ = run("--json", scenario={"rate_per_s": None, "think_s": [0.01, 0.02]})
    verdict = json.loads(out)
    assert code == 0
    assert verdict["passed"]
    assert verdict["first_broken"] is None
    assert sum(route["answered"] for route in verdict["routes"]) > 4


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(
    ("fault", "budget", "first"),
    [
        ({"delay_s": 0.3}, {"p95_ms": 150}, "first by latency of "),
        ({}, {"requests_per_s": 1000}, "first by throughput: "),
        ({"status": 503}, {}, "first by failures: "),
        ({"status": 503, "more": (("retry-after", "1"),)}, {}, "first by refusals: "),
        ({"lacking": 1}, {}, "first by failures: "),
        ({"versioned": False}, {}, "first by failures: "),
    ],
)
def test_beyond_budget(run, server, fault, budget, first):
    for name, value in fault.items():
        setattr(server, name, value)
    code, out, _ = run(**budget)
    assert code == 1
    assert out.startswith("tiny: BROKEN")
    assert first in out.splitlines()[0]


@pytest.mark.slow
@pytest.mark.server
def test_a_stall_is_felt_by_all_that_was_due_in_it(run, server):
    """Callers that wait would send one request each in a stall, and call the service fast."""
    server.delay_s = 0.4
    _, out, _ = run("--json", scenario={"users": 1})
    (p50, *_) = [route["p50_ms"] for route in json.loads(out)["routes"]]
    assert p50 >= 400
    # one caller that waits sends eight in three seconds; sixty are due, and a Poisson count is never so few
    assert sum(route["sent"] for route in json.loads(out)["routes"]) > 30


@pytest.mark.slow
@pytest.mark.server
def test_a_rising_rate_ends_where_the_budget_breaks(run, server):
    server.delay_s = 0.3
    began = time.monotonic()
    code, out, _ = run(scenario={"seconds": 40, "steps": {"every_s": 2, "factor": 2}}, p95_ms=100)
    assert code == 1
    assert "capacity: 0 requests a second, at least 0.5; at 20 first latency of" in out.splitlines()[0]
    assert time.monotonic() - began < 30


@pytest.mark.slow
@pytest.mark.server
def test_workers_elsewhere_send_what_the_plan_says(run, server, tmp_path):
    port = str(free_port())
    script = "import sys; from pipelines.cli import main; sys.exit(main())"
    options = ["--port", port, "--api-key-file", str(tmp_path / "key")]
    command = [sys.executable, "-c", script, "loadtest-worker", "127.0.0.1", *options]
    workers = [subprocess.Popen(command) for _ in range(2)]
    try:
        code, out, err = run("--expect-workers", "2", "--port", port, "--json")
        assert code == 0, out + err
        sent = sum(route["sent"] for route in json.loads(out)["routes"])
        # of both workers together, as one process would; sixty are due
        assert 30 < sent < 95
        assert server.keys == {KEY}
        assert [worker.wait(WITHIN_S) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


@pytest.mark.slow
@pytest.mark.server
def test_processes_here_share_the_rate(run):
    code, out, err = run("--processes", "2", "--json")
    assert code == 0, out + err
    assert 30 < sum(route["sent"] for route in json.loads(out)["routes"]) < 95


@pytest.mark.slow
@pytest.mark.server
def test_workers_that_never_come(run, monkeypatch):
    monkeypatch.setattr("loadtests.run.WORKERS_WITHIN_S", 1)
    code, out, err = run("--expect-workers", "1", "--port", str(free_port()))
    assert (code, out) == (1, "")
    assert "the load test did not run" in err


def test_an_unknown_scenario(run):
    code, out, err = run(name="flood")
    assert (code, out) == (2, "")
    assert "no scenario 'flood'" in err
    assert "tiny" in err


def test_processes_here_and_elsewhere_at_once(run):
    code, _, err = run("--processes", "2", "--expect-workers", "2")
    assert code == 2
    assert "choose one" in err


def test_a_service_that_does_not_answer(run):
    code, _, err = run("--host", f"http://127.0.0.1:{free_port()}")
    assert code == 1
    assert "does not say what it serves" in err


@pytest.mark.parametrize(
    ("users", "subjects", "found"),
    [(10, 3, ["u0", "u3", "u6"]), (3, 10, ["u0", "u1", "u2"]), (3, None, ["u0", "u1", "u2"])],
)
def test_requests_are_about_so_many_users_from_all_over(users, subjects, found):
    assert asked_about([f"u{number}" for number in range(users)], subjects) == found
