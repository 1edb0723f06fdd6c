"""The service keeps to its own OpenAPI document, whatever it is sent.

Schemathesis reads the document from the running service, makes requests that keep to it and requests that
do not, and compares every answer with what is declared. `FINML_FUZZ_EXAMPLES=2000` looks for longer.
"""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bentos.server import running
from finml.access.temporary import temporary_key
from finml.models.base import get_model, model_names
from tests.bentos.every_model import every_model

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]

EXAMPLES = int(os.environ.get("FINML_FUZZ_EXAMPLES", "5"))
# Some rules are no matter of JSON Schema, as that a start lies after the training: what keeps to the document
# may be refused all the same, by 400.
LEFT_OUT = "positive_data_acceptance"
OPEN = {"GET /livez", "GET /readyz", "GET /healthz"}
PAGES = {"GET /models", "GET /routing", "GET /metrics"}


@dataclass(frozen=True)
class Fuzzed:
    """What a run of Schemathesis found.

    Attributes:
        said: its words.
        report: its own summary.
        statuses: of each operation, how many answers had which status.
    """

    returncode: int
    said: str
    report: dict[str, Any]
    statuses: dict[str, Counter[int]]


@pytest.fixture(scope="module")
def guarded(bank, tmp_path_factory) -> Iterator[tuple[str, str]]:
    """URL of a service of every model that asks for a key, and a key that opens everything."""
    # all wrong keys come from one address here
    settings = bank.settings.model_copy(update={"auth": "required", "failed_attempts": 10**9})
    bento = every_model(bank, tmp_path_factory.mktemp("models"))
    with (
        temporary_key(settings, "schema", ["*:*"]) as key,
        running(settings, tag=bento.tag) as url,
    ):
        yield url, key


def fuzz(folder: Path, url: str, *options: str) -> Fuzzed:
    """Run Schemathesis against a service."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/docs.json", *options]
    phases = ["--phases", "coverage,fuzzing", "--mode", "all", "--continue-on-failure", "--no-color"]
    bounds = ["--max-examples", str(EXAMPLES), "--seed", "7"]
    reports = ["--report-json-path", "report.json", "--report-ndjson-path", "events.ndjson"]
    # in a folder of its own: it leaves what it found where it runs
    done = subprocess.run(
        [*command, *phases, *bounds, *reports, "--checks", "all", "--exclude-checks", LEFT_OUT],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout[-8000:] + done.stderr[-2000:]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return Fuzzed(done.returncode, said, report, statuses(folder / "events.ndjson"))


def statuses(events: Path) -> dict[str, Counter[int]]:
    """How many answers of each operation had which status."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for line in events.read_text(encoding="utf-8").splitlines():
        if ended := json.loads(line).get("ScenarioFinished"):
            record = ended["recorder"]
            answers = [each["response"] for each in record["interactions"].values()]
            found[record["label"]].update(answer["status_code"] for answer in answers if answer)
    return found


def operations(*models: str) -> set[str]:
    """The operations of some models."""
    return {f"POST /{action}/{name}" for action in ("predict", "explain") for name in models}


def test_answers_keep_to_the_document(guarded, tmp_path):
    url, key = guarded
    found = fuzz(tmp_path, url, "--header", f"X-API-Key: {key}")
    assert found.returncode == 0, found.said
    assert found.report["warnings"]["rate_limited"] == []
    served = [name for name in model_names() if not get_model(name).missing_weights()]
    assert set(found.statuses) == operations(*served) | OPEN | PAGES | {"POST /feedback"}
    for operation, counts in found.statuses.items():
        # what is behind the contract was reached
        assert counts[202 if operation == "POST /feedback" else 200], operation
        assert not [status for status in counts if status >= 500], operation


def test_answers_to_callers_without_a_key_keep_to_it_too(guarded, tmp_path):
    url, _ = guarded
    found = fuzz(tmp_path, url)
    assert found.returncode == 0, found.said
    for operation, counts in found.statuses.items():
        if operation in OPEN:
            assert counts[200], operation
        else:
            # 405 is no secret: the document that says so is open
            assert set(counts) <= {401, 405}, operation


def test_the_document_names_every_route(guarded):
    url, key = guarded
    document = httpx.get(f"{url}/docs.json").json()
    for path, operations in document["paths"].items():
        for method in operations:
            answer = httpx.request(method.upper(), url + path, headers={"X-API-Key": key})
            assert str(answer.status_code) in operations[method]["responses"]
            assert answer.status_code != 404
