"""As much of the Kubeflow Pipelines API as it takes to submit a run: a real HTTP server, for tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = "/apis/v2beta1"


class Kubeflow(ThreadingHTTPServer):
    """Takes runs from whoever has `token`, and keeps them in `runs`."""

    def __init__(self, token: str = "", *, refuses_runs: int = 0, answers: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = token
        self.refuses_runs = refuses_runs
        self.answers = answers
        self.experiments: list[dict] = []
        self.runs: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Kubeflow

    def do_GET(self) -> None:
        if self.server.answers != 200:
            self.answer(self.server.answers, {})
        elif not self.is_allowed():
            self.answer(401, {"error": "who are you?"})
        elif self.path.startswith(f"{API}/experiments"):
            self.answer(200, {"experiments": self.server.experiments})
        elif self.path == f"{API}/healthz":
            self.answer(200, {"multi_user": True})
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.is_allowed():
            self.answer(401, {"error": "who are you?"})
        elif self.path == f"{API}/experiments":
            body["experiment_id"] = f"experiment-{len(self.server.experiments) + 1}"
            self.server.experiments.append(body)
            self.answer(200, body)
        elif self.path == f"{API}/runs" and self.server.refuses_runs:
            self.answer(self.server.refuses_runs, {"error": "no such namespace"})
        elif self.path == f"{API}/runs":
            body["run_id"] = f"run-{len(self.server.runs) + 1}"
            self.server.runs.append(body)
            self.answer(200, body)
        else:
            self.answer(404, {})

    def is_allowed(self) -> bool:
        return not self.server.token or self.headers["Authorization"] == f"Bearer {self.server.token}"

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if status == 302:
            self.send_header("Location", "/login")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def kubeflow(**how) -> Iterator[Kubeflow]:
    with Kubeflow(**how) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
