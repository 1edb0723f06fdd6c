import pytest

from finml.errors import SettingsError
from finml.settings import Settings, get_settings


@pytest.fixture(autouse=True)
def fresh_settings(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FINML_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)  # away from any .env
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_secrets_come_from_mounted_files_and_are_never_shown(monkeypatch, tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "finml_keys_secret").write_text("of-the-mounted-file\n")
    (folder / "finml_limits_redis_url").write_text("redis://:pass-word@redis/0")
    monkeypatch.setenv("FINML_SECRETS_DIR", str(folder))
    settings = get_settings()
    assert settings.keys_secret.get_secret_value() == "of-the-mounted-file"
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert "mounted-file" not in shown
    assert "pass-word" not in shown


def test_the_environment_goes_before_a_mounted_file(monkeypatch, tmp_path):
    (tmp_path / "finml_keys_secret").write_text("of-the-mounted-file")
    monkeypatch.setenv("FINML_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("FINML_KEYS_SECRET", "of-the-environment")
    assert get_settings().keys_secret.get_secret_value() == "of-the-environment"


def test_a_folder_that_is_not_there_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("FINML_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="FINML_SECRETS_DIR"):
        get_settings()


def test_a_key_file_is_the_same_from_every_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FINML_KEYS_FILE", "mounted/keys.json")
    assert get_settings().keys == tmp_path / "mounted" / "keys.json"
