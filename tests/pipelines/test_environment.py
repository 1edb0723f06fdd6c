from pydantic import SecretStr

from finml.settings import Settings
from pipelines.environment import (
    CLUSTER_HOME,
    cluster_variables,
    has_secret,
    secret_variables,
    step_variables,
)

PRIVATE_URL = "postgresql://bank:pass-word@db.example/ledger"


def test_a_step_here_gets_every_setting_that_it_can_read(settings, tmp_path):
    variables = step_variables(settings.with_ledger(PRIVATE_URL), tmp_path)
    assert variables["FINML_LEDGER_URL"] == PRIVATE_URL
    assert variables["FINML_HOME"] == str(settings.home)
    assert variables["FINML_LOG_FORMAT"] == "json"
    assert "FINML_KFP_TOKEN" not in variables


def test_a_step_here_reads_the_very_same_settings(settings, tmp_path, monkeypatch):
    given = settings.model_copy(update={"quarantine_limit": 0.2, "seed": 11}).with_ledger("some/folder")
    for name, value in step_variables(given, tmp_path).items():
        monkeypatch.setenv(name, value)
    read = Settings(_env_file=None)
    assert (read.quarantine_limit, read.seed) == (0.2, 11)
    assert read.workspace.ledger_id == given.workspace.ledger_id


def test_a_relative_ledger_is_made_absolute_for_steps_in_other_folders(settings, tmp_path):
    variables = step_variables(settings.with_ledger("bank"), tmp_path)
    assert variables["FINML_LEDGER_URL"] == str(tmp_path / "bank")


def test_no_secret_and_no_path_of_this_machine_is_written_into_a_cluster_s_pipeline(settings):
    given = settings.model_copy(
        update={
            "ledger_url": PRIVATE_URL,
            "offline_url": "postgresql://db.example/features",
            "redis_url": "redis://:hidden-word@cache.example/0",
            "mlflow_tracking_uri": "sqlite:////home/me/mlflow.db",
            "kfp_token": SecretStr("token-word"),
            "seed": 3,
        }
    )
    public = cluster_variables(given)
    assert public == {
        "FINML_HOME": CLUSTER_HOME,
        "FINML_LOG_FORMAT": "json",
        "FINML_OFFLINE_URL": "postgresql://db.example/features",
        "FINML_SEED": "3",
    }
    assert set(secret_variables(public)) == {
        "FINML_LEDGER_URL",
        "FINML_REDIS_URL",
        "FINML_MLFLOW_TRACKING_URI",
    }


def test_passwords_in_urls_are_recognised():
    assert has_secret("redis://:x@host/0")
    assert not has_secret("redis://user@host/0")
    assert not has_secret("some/folder")
