import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.urls import has_secret, identity, public_url


def test_a_url_is_shown_without_user_password_and_parameters():
    assert public_url("postgresql://me:secret@db:5432/bank?sslmode=require") == "postgresql://db:5432/bank"


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8))
def test_the_password_is_never_shown(password):
    for url in (f"postgresql://u:{password}@h/d", f"postgresql://h/d?user=u&password={password}"):
        assert password not in public_url(url).removeprefix("postgresql://h/d")
        assert password not in identity(url).removeprefix("postgresql://h/d")
        assert has_secret(url)


def test_the_path_of_a_local_database_stays_whole():
    assert public_url("sqlite:////data/bank.db") == "sqlite:////data/bank.db"


def test_a_relative_folder_and_its_file_url_are_the_same_ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert identity("ledger") == identity(f"file://{tmp_path}/ledger")


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
def test_relative_databases_of_two_folders_are_two_ledgers(scheme, tmp_path, monkeypatch):
    seen = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        seen.add(identity(f"{scheme}:///bank.db"))
    assert seen == {f"{scheme}:///{tmp_path}/{name}/bank.db" for name in ("a", "b")}


def test_schemas_of_one_database_are_two_ledgers():
    url = "postgresql://h/bank?options=-csearch_path%3D"
    assert identity(url + "bank_a") != identity(url + "bank_b")


@pytest.mark.parametrize("url", ["redis://h:6379/0", "some/folder", "postgresql://me@h/d", ""])
def test_what_holds_no_secret_is_not_taken_for_one(url):
    assert not has_secret(url)
