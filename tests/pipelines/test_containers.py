import resource

import pytest

from finml.errors import PipelineError
from pipelines.containers import docker_runner, ledger_mounts, ulimits


def test_without_an_engine_the_error_says_what_to_start(settings, tmp_path):
    socket = f"unix://{tmp_path}/no-engine.sock"
    with pytest.raises(PipelineError, match=r"no-engine\.sock") as raised:
        docker_runner(settings.model_copy(update={"docker_socket": socket}), tmp_path)
    assert "FINML_DOCKER_SOCKET" in raised.value.hint


def test_a_ledger_outside_of_the_home_is_mounted_where_it_is(settings, tmp_path):
    (mount,) = ledger_mounts(settings.with_ledger(str(tmp_path / "bank")))
    assert mount["Source"] == mount["Target"] == str(tmp_path / "bank")
    (mount,) = ledger_mounts(settings.with_ledger(f"sqlite:///{tmp_path}/bank.db".replace("///", "////", 1)))
    assert mount["Source"] == str(tmp_path)


def test_a_ledger_in_the_home_or_on_a_server_needs_no_mount(settings):
    assert ledger_mounts(settings) == []
    assert ledger_mounts(settings.with_ledger("postgresql://db.example/bank")) == []


def test_a_relative_database_file_is_refused(settings):
    with pytest.raises(PipelineError, match="relative") as raised:
        ledger_mounts(settings.with_ledger("sqlite:///bank.db"))
    assert "sqlite:////" in raised.value.hint


def test_containers_get_no_more_than_this_process_has():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (soft, hard):
        pytest.skip("this process has no limit on open files")
    assert {"Name": "nofile", "Soft": soft, "Hard": hard} in ulimits()
