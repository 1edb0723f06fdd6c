"""Labelled files in place of a ledger: read by the model, kept once, and found again unchanged."""

from pathlib import Path

import pandas as pd
import pytest

from finml.errors import DataError, UsageError
from finml.models.base import get_model
from finml.models.labelled_files import store_rows, stored_rows
from finml.settings import Settings
from tests.models.credit_risk.loans import loans


@pytest.fixture
def model():
    return get_model("credit_risk")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path / "home", _env_file=None)


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "loans.parquet"
    loans(200).to_parquet(path)
    return path


def test_what_is_kept_is_what_was_read(model, settings, file):
    kept = store_rows(model, file, {}, settings)
    found = stored_rows(kept.path, kept.sha256, settings)
    pd.testing.assert_frame_equal(found, model.read(file))
    assert (kept.origin, kept.rows) == ("loans.parquet", 200)
    assert not Path(kept.path).is_absolute()


def test_the_same_rows_are_kept_once(model, settings, file):
    first, second = (store_rows(model, file, {}, settings) for _ in range(2))
    assert first == second
    assert [path.name for path in (settings.home / first.path).parent.iterdir()] == [Path(first.path).name]


def test_rows_that_break_the_contract_are_not_kept(model, settings, file):
    pd.read_parquet(file).drop(columns="defaulted").to_parquet(file)
    with pytest.raises(DataError, match="defaulted"):
        store_rows(model, file, {}, settings)
    assert not list(settings.home.rglob("*.parquet"))


def test_a_companion_that_the_model_does_not_take_is_refused(model, settings, file):
    with pytest.raises(UsageError, match="takes no --out-of-scope file") as caught:
        store_rows(model, file, {"out_of_scope": file}, settings)
    assert "no other file" in caught.value.hint


def test_a_file_that_changed_or_went_is_refused(model, settings, file):
    kept = store_rows(model, file, {}, settings)
    (settings.home / kept.path).write_bytes(b"other")
    with pytest.raises(DataError, match="was changed"):
        stored_rows(kept.path, kept.sha256, settings)
    (settings.home / kept.path).unlink()
    with pytest.raises(DataError, match="cannot be read") as caught:
        stored_rows(kept.path, kept.sha256, settings)
    assert "--data FILE" in caught.value.hint
