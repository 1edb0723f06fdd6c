"""The key that a load test asks with."""

import pytest

from finml.errors import UsageError
from loadtests.plan import KEY_VARIABLE
from loadtests.service import api_key, running


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
