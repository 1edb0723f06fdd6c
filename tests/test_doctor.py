import socket

import pytest

from finml import doctor
from finml.settings import Settings


def finding(diagnosis, name):
    return next(check for check in diagnosis.checks if check.name == name)


def test_a_fresh_home_is_healthy_and_says_what_comes_first(tmp_path):
    diagnosis = doctor.diagnose(Settings(home=tmp_path / "state", ledger_url=""))
    assert diagnosis.healthy, diagnosis
    assert finding(diagnosis, "ledger").state == "warning"
    assert "finml data generate" in finding(diagnosis, "ledger").advice
    assert not (tmp_path / "state").exists()


def test_a_server_that_does_not_answer_fails_without_its_password(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    settings = Settings(
        home=tmp_path,
        redis_url=f"redis://:hidden@127.0.0.1:{port}/0",
        offline_url=f"postgresql://me:hidden@127.0.0.1:{port}/features",
        mlflow_tracking_uri=f"http://127.0.0.1:{port}",
    )
    diagnosis = doctor.diagnose(settings)
    assert not diagnosis.healthy
    for name, variable in (
        ("online store", "FINML_REDIS_URL"),
        ("offline store", "FINML_OFFLINE_URL"),
        ("mlflow", "FINML_MLFLOW_TRACKING_URI"),
    ):
        assert finding(diagnosis, name).state == "failed"
        assert variable in finding(diagnosis, name).advice
    assert "hidden" not in diagnosis.model_dump_json()


def test_a_misspelt_setting_is_named_with_what_was_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FINML_HOME=here\nFINML_LOG_LEVLE=debug\n")
    monkeypatch.setenv("FINML_REDIS_ULR", "redis://somewhere")
    found = doctor.check_variables()
    assert found.state == "warning"
    assert found.found == "no setting: FINML_LOG_LEVLE, FINML_REDIS_ULR"
    assert "FINML_LOG_LEVEL, FINML_REDIS_URL" in found.advice
    assert "somewhere" not in found.model_dump_json()


def test_settings_that_there_are_are_not_complained_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINML_REDIS_URL", "redis://somewhere")
    monkeypatch.setenv("FINML_API_KEY", "finml_x")
    assert doctor.check_variables().state == "ok"


def test_a_home_that_is_a_file_fails(tmp_path):
    (tmp_path / "file").write_text("")
    diagnosis = doctor.diagnose(Settings(home=tmp_path / "file"))
    assert finding(diagnosis, "home").state == "failed"


def test_an_unreadable_ledger_fails_with_the_reason(tmp_path):
    diagnosis = doctor.diagnose(Settings(home=tmp_path, ledger_url=f"sqlite:///{tmp_path}/none/bank.db"))
    assert finding(diagnosis, "ledger").state == "failed"
    assert finding(diagnosis, "ledger").advice


def test_wrong_versions_are_named(monkeypatch):
    real = doctor.importlib.metadata.version
    monkeypatch.setattr(
        doctor.importlib.metadata, "version", lambda name: "1.0" if name == "pandas" else real(name)
    )
    wrong = list(doctor.check_packages())
    assert [check.name for check in wrong] == ["package pandas"]
    assert wrong[0].state == "failed"


def test_packages_are_as_locked():
    assert [check.state for check in doctor.check_packages()] == ["ok"]


def test_without_a_builder_it_says_what_still_works(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.check_builder().state == "warning"


@pytest.mark.server
def test_the_real_servers_answer(tmp_path, postgres_url, redis_url):
    settings = Settings(home=tmp_path, offline_url=postgres_url, redis_url=redis_url)
    diagnosis = doctor.diagnose(settings)
    assert finding(diagnosis, "offline store").state == "ok"
    assert finding(diagnosis, "online store").state == "ok"
