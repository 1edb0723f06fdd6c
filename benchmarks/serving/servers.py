"""Starts and ends the servers, finml's and the peers'."""

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from benchmarks.serving.cases import Task
from benchmarks.serving.contenders import WORKERS, Contender, Server
from bentos.server import free_port, running
from finml.settings import Settings

Answer = Any

READY_WITHIN_S = 120.0
REPOSITORY = Path(__file__).parents[2]
# so that no limit of finml's ends the run; they are counted all the same
UNLIMITED = {"rate_per_s": 1e6, "rate_burst": 1_000_000, "daily_quota": 1_000_000_000}


class NotReadyError(RuntimeError):
    """A server did not come up; says what it wrote last."""


@contextmanager
def finml(server: Server, settings: Settings) -> Iterator[str]:
    """Finml's service with its guards on."""
    told = settings.model_copy(update={**UNLIMITED, **server.settings})
    with running(told, workers=WORKERS) as url:
        yield url


@contextmanager
def peer(
    server: Server, python: Path, models: Mapping[Task, Path], asked: Sequence[tuple[Contender, Any]]
) -> Iterator[str]:
    """A peer, from when it answers everything that it is asked about for the first time."""
    if server.command is None:
        raise ValueError(f"{server.name} has no program of its own")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="finml-peer-") as folder, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(python), *server.command(port, Path(folder))],
            # some leave files where they run
            cwd=folder,
            env=_environment(models, Path(folder)),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            _wait(url, process, asked, said)
            yield url
        finally:
            _end(process)


def ask(url: str, body: object, api_key: str = "") -> Answer:
    """The answer to one request."""
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["X-API-Key"] = api_key
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  # http, ours
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def _environment(models: Mapping[Task, Path], folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "BENTOML_HOME": str(folder),
        "BENTOML_DO_NOT_TRACK": "True",
        "PEER_CREDIT_RISK": str(models["credit_risk"]),
        "PEER_INTENT": str(models["intent"]),
    }


def _wait(
    url: str, process: "subprocess.Popen[bytes]", asked: Sequence[tuple[Contender, Any]], said: IO[bytes]
) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    for contender, case in asked:
        while True:
            try:
                ask(f"{url}{contender.path}", contender.body(case))
                break
            except (urllib.error.URLError, OSError, ValueError) as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise NotReadyError(f"{error}; it wrote: {_last(said)}") from error
                time.sleep(0.1)


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    lines: list[bytes] = said.read().splitlines()
    return " / ".join(line.decode(errors="replace") for line in lines[-5:])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a server and everything that it started: some leave workers behind."""
    if process.poll() is None:
        process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
