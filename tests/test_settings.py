from pathlib import Path

import pytest

from finml.errors import SettingsError
from finml.settings import Settings, Workspace, get_settings


@pytest.fixture(autouse=True)
def fresh_settings():
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_everything_has_an_embedded_default_below_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FINML_HOME", str(tmp_path / "state"))
    settings = get_settings()
    assert settings.ledger == str(tmp_path / "state" / "ledger")
    assert settings.tracking_uri.startswith(f"sqlite:///{tmp_path / 'state'}")
    for path in (settings.bento_home, settings.runs, settings.workspace.root):
        assert path.is_relative_to(tmp_path / "state")
    assert not (tmp_path / "state").exists()  # reading settings creates nothing


def test_a_bad_value_names_its_variable(monkeypatch):
    monkeypatch.setenv("FINML_QUARANTINE_LIMIT", "7")
    with pytest.raises(SettingsError, match="FINML_QUARANTINE_LIMIT"):
        get_settings()


def test_every_setting_is_in_the_example_file():
    example = (Path(__file__).parents[1] / ".env.example").read_text()
    for name in Settings.model_fields:
        assert f"FINML_{name.upper()}=" in example


def test_ledgers_in_one_home_do_not_share_a_workspace(tmp_path):
    one = Workspace.of(tmp_path, str(tmp_path / "a"))
    other = Workspace.of(tmp_path, str(tmp_path / "b"))
    assert one.root != other.root
    assert one.project != other.project


def test_a_password_does_not_move_the_workspace(tmp_path):
    before = Workspace.of(tmp_path, "postgresql://me:old@db/bank?sslmode=require")
    assert before.root == Workspace.of(tmp_path, "postgresql://me:new@db/bank").root
