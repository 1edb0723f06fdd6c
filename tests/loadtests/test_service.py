"""The key that a load test asks with."""

import pytest

from finml.access.key_store import KeyStore
from finml.errors import UsageError
from finml.settings import Settings
from loadtests.plan import KEY_VARIABLE
from loadtests.service import KEY_SCOPES, api_key, running, temporary_key


def test_a_key_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert api_key(None) == ""
    monkeypatch.setenv(KEY_VARIABLE, "of-the-environment")
    (tmp_path / "key").write_text("of-a-file\n")
    assert running("http://host/", None).key == "of-the-environment"
    assert running("http://host/", tmp_path / "key").key == "of-a-file"


@pytest.mark.parametrize("text", ["", " \n", "two words"])
def test_a_file_without_a_key(tmp_path, text):
    (tmp_path / "key").write_text(text)
    with pytest.raises(UsageError, match="holds no API key"):
        api_key(tmp_path / "key")


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        api_key(tmp_path / "none")


def test_a_service_that_is_started_here_takes_a_key_for_as_long_as_it_runs(tmp_path):
    settings = Settings(home=tmp_path, auth="required")
    with temporary_key(settings) as key:
        (record,) = KeyStore(settings).records()
        assert record.id in key
        assert set(record.scopes) == set(KEY_SCOPES)
        assert record.expires
        assert not record.revoked
    assert KeyStore(settings).records()[0].revoked


def test_a_service_that_is_open_takes_none(tmp_path):
    settings = Settings(home=tmp_path, auth="open")
    with temporary_key(settings) as key:
        assert key == ""
    assert list(KeyStore(settings).records()) == []
