import logging
import subprocess
import sys

import pytest

from finml.errors import RegistryError, UsageError
from finml.registry import client as client_module
from finml.registry.client import check_name, connect, exclusive, experiment, model_lock
from finml.settings import Settings
from tests.registry.runs import empty_database, new_home


def test_a_new_home_gets_a_store_and_no_litter(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "a home with spaces"
    with caplog.at_level(logging.INFO), connect(Settings(home=home)) as client:
        assert [each.name for each in client.search_experiments()] == ["Default"]
    assert not caplog.records
    assert [path.name for path in tmp_path.iterdir()] == [home.name]
    assert sorted(path.name for path in (home / "mlflow").iterdir()) == ["mlflow.db", "mlflow.lock"]


@pytest.mark.slow
def test_processes_that_start_together_share_one_store(tmp_path):
    script = (
        "import sys; from pathlib import Path; from finml.settings import Settings; "
        "from finml.registry.client import connect, experiment; settings = Settings(home=Path(sys.argv[1]))\n"
        "with connect(settings) as client: print(experiment(client, settings, 'credit_risk'))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=120)[0].strip() for process in together]
    assert [process.returncode for process in together] == [0, 0]
    assert answers[0] == answers[1]


def test_artifacts_lie_below_home_whatever_the_database(tmp_path):
    database = empty_database(tmp_path / "elsewhere")
    settings = new_home(tmp_path / "home", mlflow_tracking_uri=f"sqlite:///{database}")
    with connect(settings) as client:
        found = client.get_experiment(experiment(client, settings, "credit_risk"))
        assert experiment(client, settings, "credit_risk") == found.experiment_id
    assert found.artifact_location == (tmp_path / "home" / "mlflow" / "artifacts" / "credit_risk").as_uri()


def test_two_homes_in_one_process_share_nothing(tmp_path):
    one, other = new_home(tmp_path / "one"), new_home(tmp_path / "other")
    with connect(one) as client:
        experiment(client, one, "credit_risk")
    with connect(other) as client:
        assert client.get_experiment_by_name("credit_risk") is None


def test_a_deleted_experiment_is_not_revived_in_silence(settings):
    with connect(settings) as client:
        client.delete_experiment(experiment(client, settings, "credit_risk"))
        with pytest.raises(RegistryError, match="was deleted") as caught:
            experiment(client, settings, "credit_risk")
    assert "mlflow experiments restore" in caught.value.hint


def test_a_server_that_is_not_there_is_said_to_be_so_at_once(tmp_path):
    settings = Settings(home=tmp_path, mlflow_tracking_uri="http://me:secret@127.0.0.1:9")
    with pytest.raises(RegistryError, match="does not answer") as caught, connect(settings):
        pass
    assert "secret" not in str(caught.value)
    assert "FINML_MLFLOW_TRACKING_URI" in caught.value.hint


def test_what_mlflow_refuses_is_a_registry_error(settings):
    with pytest.raises(RegistryError, match="nosuchrun"), connect(settings) as client:
        client.get_run("nosuchrun")


def test_a_store_of_another_mlflow_says_how_to_bring_it_up_to_date(tmp_path):
    import sqlite3

    database = empty_database(tmp_path / "mlflow")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    connection.close()
    with pytest.raises(RegistryError, match="out-of-date") as caught, connect(Settings(home=tmp_path)):
        pass
    assert "mlflow db upgrade sqlite:///" in caught.value.hint


def test_a_lock_that_is_held_too_long_ends_with_words(settings, monkeypatch):
    monkeypatch.setattr(client_module, "LOCK_TIMEOUT_S", 0.05)
    lock = model_lock(settings, "credit_risk")
    with exclusive(lock), pytest.raises(RegistryError, match="another process holds"), exclusive(lock):
        pass


@pytest.mark.parametrize("name", ["", "Credit", "../x", "a@b", "a'b", "1a", "a" * 65])
def test_names_that_cannot_be_models_are_refused(name):
    with pytest.raises(UsageError, match="cannot be the name"):
        check_name(name)
