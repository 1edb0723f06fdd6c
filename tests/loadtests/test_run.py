"""The load test as it is run: against a real, tiny server, in time and too late."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from finml.settings import get_settings
from loadtests.run import main

SCENARIO = {
    "users": 2,
    "seconds": 2,
    "think_s": [0.01, 0.02],
    "sizes": {1: 0.5, 4: 0.5},
    "explain_share": 0.5,
}
# a busy machine can keep it
BUDGET = {"p95_ms": 5000, "failure_share": 0.0, "requests_per_s": 0.5}


class Handler(BaseHTTPRequestHandler):
    """Answers each input with one row, late by the server's delay; an odd answer lacks a row."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        served = json.dumps({"models": [{"name": "credit_risk"}]}).encode()
        self.send_response(200 if self.path == "/models" else 404)
        self.send_header("content-length", str(len(served)))
        self.end_headers()
        self.wfile.write(served)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(self.server.delay_s)
        answer = json.dumps([{}] * (len(body["inputs"]) - self.server.lacking)).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.delay_s, httpd.status, httpd.lacking = 0.0, 200, 0
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def run(server, tmp_path, monkeypatch, capsys):
    """Runs the declared scenario against the server: exit status and what was printed."""
    monkeypatch.setenv("FINML_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    (tmp_path / "ids").write_text("u1\nu2\n")

    def once(*more: str, **budget: float):
        scenarios = {"tiny": SCENARIO | {"budget": BUDGET | budget}}
        (tmp_path / "budgets.yaml").write_text(yaml.safe_dump({"scenarios": scenarios}))
        host = f"http://127.0.0.1:{server.server_port}"
        options = ["--budgets", str(tmp_path / "budgets.yaml"), "--scenario", "tiny", "--host", host]
        code = main([*options, "--user-ids", str(tmp_path / "ids"), *more])
        return code, *capsys.readouterr()

    yield once
    get_settings.cache_clear()


@pytest.mark.slow
@pytest.mark.server
def test_within_budget(run):
    code, out, _ = run()
    assert code == 0, out
    assert out.startswith("tiny: within budget")
    assert "/explain/credit_risk" in out


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(
    ("fault", "budget", "first"),
    [
        ({"delay_s": 0.3}, {"p95_ms": 150}, "first by latency of /"),
        ({"delay_s": 0.3}, {"requests_per_s": 100}, "first by throughput: "),
        ({"status": 503}, {}, "first by failures: "),
        ({"lacking": 1}, {}, "first by failures: "),
    ],
)
def test_beyond_budget(run, server, fault, budget, first):
    for name, value in fault.items():
        setattr(server, name, value)
    code, out, _ = run(**budget)
    assert code == 1
    assert out.startswith("tiny: BROKEN")
    assert first in out.splitlines()[0]


def test_an_unknown_scenario(run):
    code, out, err = run("--scenario", "flood")
    assert (code, out) == (2, "")
    assert "no scenario 'flood'" in err
    assert "tiny" in err


def test_a_wrong_option_is_wrong_usage(run):
    with pytest.raises(SystemExit, match="2"):
        run("--flood")
