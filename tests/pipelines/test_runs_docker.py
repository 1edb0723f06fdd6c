"""The training pipeline with every step in a container of its own."""

import pytest

from finml.errors import PipelineError
from finml.registry.versions import resolve
from finml.settings import Settings
from pipelines.runner import run_local
from tests.pipelines.conftest import at_home, write_bank

pytestmark = [pytest.mark.oci, pytest.mark.slow, pytest.mark.xdist_group("oci")]

MODEL = "credit_risk"


def test_every_step_runs_in_its_own_container(tmp_path, component_image, docker_socket):
    home = tmp_path / "home"
    # outside of the home, as a bank's ledger is
    write_bank(tmp_path / "bank", users=1000, months=18)
    with at_home(home):
        settings = Settings(
            image=component_image, docker_socket=docker_socket, ledger_url=str(tmp_path / "bank")
        )
        result = run_local("training", {"model": MODEL}, "docker", settings)
    assert result.state == "succeeded", result.failed_step
    assert {step.state for step in result.steps} == {"succeeded"}
    assert resolve(settings, f"{MODEL}@champion").pipeline_run == result.run_id
    log = (result.folder / "run.log").read_text()
    assert log.count(f"Found image '{component_image}'") == len(result.steps)


def test_an_image_that_the_engine_lacks_is_named(settings, docker_socket):
    absent = settings.model_copy(update={"image": "finml-absent:1", "docker_socket": docker_socket})
    with pytest.raises(PipelineError, match="finml-absent:1") as raised:
        run_local("features", {}, "docker", absent)
    assert "FINML_IMAGE" in raised.value.hint
    assert not settings.runs.exists()


def test_a_step_that_fails_in_its_container_is_named_with_its_own_words(
    settings, tmp_path, component_image, docker_socket
):
    (tmp_path / "no-bank").mkdir()
    given = settings.model_copy(update={"image": component_image, "docker_socket": docker_socket})
    result = run_local("features", {}, "docker", given.with_ledger(str(tmp_path / "no-bank")))
    assert result.state == "failed"
    assert result.failed_step.name == "ingest"
    assert "no-bank" in result.failed_step.error.message
    assert result.failed_step.error.hint
