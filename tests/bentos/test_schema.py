"""The service keeps to its own OpenAPI document, whatever it is sent.

Schemathesis reads the document from the running service, makes requests that keep to it and requests that
do not, and compares every answer with what is declared. `FINML_FUZZ_EXAMPLES=2000` looks for longer.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bentos.server import running
from finml.access.temporary import temporary_key

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]

EXAMPLES = int(os.environ.get("FINML_FUZZ_EXAMPLES", "20"))
# Some rules about several fields at once are no matter of JSON Schema: of a user and features one is needed.
# So a request that keeps to the document may be refused, by 400.
LEFT_OUT = "positive_data_acceptance"


@pytest.fixture(scope="module")
def guarded(bank, bento) -> Iterator[tuple[str, str]]:
    """URL of a service that asks for a key, and a key that opens everything."""
    settings = bank.settings.model_copy(update={"auth": "required"})
    with (
        temporary_key(settings, "schema", ["*:*"]) as key,
        running(settings, tag=bento.tag) as url,
    ):
        yield url, key


def fuzz(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis against a service."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/docs.json", *options]
    phases = ["--phases", "coverage,fuzzing", "--mode", "all", "--continue-on-failure", "--no-color"]
    bounds = ["--max-examples", str(EXAMPLES), "--seed", "7"]
    # in a folder of its own: it leaves what it found where it runs
    return subprocess.run(
        [*command, *phases, *bounds, "--checks", "all", "--exclude-checks", LEFT_OUT],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_answers_keep_to_the_document(guarded, tmp_path):
    url, key = guarded
    done = fuzz(tmp_path, url, "--header", f"X-API-Key: {key}")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Coverage" in done.stdout


def test_answers_to_callers_without_a_key_keep_to_it_too(guarded, tmp_path):
    url, _ = guarded
    done = fuzz(tmp_path, url)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_the_document_names_every_route(guarded):
    url, key = guarded
    document = httpx.get(f"{url}/docs.json").json()
    for path, operations in document["paths"].items():
        for method in operations:
            answer = httpx.request(method.upper(), url + path, headers={"X-API-Key": key})
            assert str(answer.status_code) in operations[method]["responses"]
            assert answer.status_code != 404
