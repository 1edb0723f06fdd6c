"""The whole life of a version against a real MLflow server, which alone knows where artifacts lie."""

import os
import subprocess
import sys

import pytest
import requests
import tenacity

from finml.errors import IntegrityError, NotApprovedError, RegistryError
from finml.registry.comparison import compare
from finml.registry.delivery import fetch, recheck
from finml.registry.lineage import trace
from finml.registry.promotion import approve, history, rollback
from finml.registry.tracking import log_evaluation
from finml.registry.versions import list_models, resolve
from tests.registry.runs import MODEL, empty_database, evaluation, new_home, registered
from tests.servers import free_port

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """URL and folder of a real MLflow server."""
    folder, port = tmp_path_factory.mktemp("mlflow-server"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{empty_database(folder)}"]
    command += ["--artifacts-destination", str(folder / "files")]
    with (folder / "log").open("wb") as log:
        # the server's workers for jobs that nobody starts here take longer to come up than the server
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
    try:
        wait_for(process, f"{url}/health")
        yield url, folder
    finally:
        process.terminate()
        process.wait(timeout=30)


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(requests.ConnectionError),
    wait=tenacity.wait_fixed(0.2),
    stop=tenacity.stop_after_delay(120),
    reraise=True,
)
def wait_for(process, url):
    assert process.poll() is None
    requests.get(url, timeout=60).raise_for_status()


@pytest.fixture
def machine(server, tmp_path):
    return new_home(tmp_path / "home", mlflow_tracking_uri=server[0])


def test_the_life_of_a_version_on_a_server(server, machine, tmp_path):
    first = registered(machine, content="first")
    second = registered(machine, approval="human", content="second")
    assert (first.aliases, second.aliases) == (["champion"], ["candidate"])

    with pytest.raises(NotApprovedError, match="waits for the approval"):
        recheck(machine, second)
    another = new_home(tmp_path / "another", mlflow_tracking_uri=server[0])
    assert approve(another, "credit_risk@candidate", who="ana", why="reviewed").champion == second.version
    assert recheck(machine, second).approved

    folder = fetch(another, resolve(another, MODEL), tmp_path / "model")
    assert (folder / "model.json").read_text() == "second"

    assert rollback(machine, MODEL, who="ben", why="complaints").words.startswith(
        f"{first.spec} is champion again"
    )
    log = history(another, MODEL)
    assert [(event.action, event.who) for event in log.events] == [
        ("promote", "gate"),
        ("approve", "ana"),
        ("promote", "ana"),
        ("rollback", "ben"),
    ]
    assert log.warnings == []
    assert trace(machine, second.spec).run.status == "FINISHED"
    assert compare(machine, first.spec, second.spec).same_data
    assert [entry.champion for entry in list_models(another)] == [first.version]
    assert not (machine.home / "mlflow" / "mlflow.db").exists()

    with pytest.raises(RegistryError, match="no version 99"):
        resolve(machine, "credit_risk@99")
    with pytest.raises(RegistryError, match="nosuch"):
        log_evaluation(machine, "nosuch", evaluation(), "", "")
    (stored,) = (server[1] / "files").rglob(f"{first.run_id}/artifacts/model/model.json")
    stored.write_text("poisoned")
    with pytest.raises(IntegrityError, match=r"model\.json was changed"):
        fetch(machine, first, tmp_path / "poisoned")
