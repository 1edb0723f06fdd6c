"""What a writer refuses to write over, and what it says."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from finml.errors import SourceError
from finml.ledger.source import open_source
from tests.ledger.ledgers import (
    bank_sqlite,
    good_ledger,
    write,
    write_csv,
)
from tests.servers import PASSWORD, free_port


def bank_duckdb(tmp_path: Path) -> str:
    with duckdb.connect(tmp_path / "bank.duckdb") as bank:
        bank.execute("CREATE TABLE users AS SELECT 1 AS user_id")
    return f"duckdb:///{tmp_path}/bank.duckdb"


def bank_folder(tmp_path: Path) -> str:
    return write_csv(tmp_path / "bank", good_ledger())


def bank_notes(tmp_path: Path) -> str:
    write(str(tmp_path / "bank"), good_ledger())
    (tmp_path / "bank" / "notes.txt").write_text("mine")
    return str(tmp_path / "bank")


@pytest.mark.parametrize(
    ("bank", "words"),
    [
        (bank_sqlite, "not empty and was not written by finml"),
        (bank_duckdb, "not empty and was not written by finml"),
        (bank_folder, "not empty and was not written by finml"),
        (bank_notes, r"also holds what finml did not write \(notes.txt\)"),
    ],
)
def test_a_ledger_that_finml_did_not_write_is_never_replaced(
    bank: Callable[[Path], str], words: str, tmp_path: Path
) -> None:
    url = bank(tmp_path)
    with pytest.raises(SourceError, match=words):
        write(url, good_ledger(), replace=True)
    with open_source(url) as source:
        assert "users" in source.tables()


@pytest.mark.server
def test_a_postgresql_ledger_that_finml_did_not_write_is_never_replaced(postgres_database: str) -> None:
    import psycopg

    with psycopg.connect(postgres_database) as bank:
        bank.execute("CREATE TABLE users (user_id text); CREATE TABLE branches (branch_id text)")
    with pytest.raises(SourceError, match="not written by finml \\(users\\)"):
        write(postgres_database, good_ledger(), replace=True)
    with psycopg.connect(postgres_database) as bank:
        bank.execute("DROP TABLE users")
    # what is beside the ledger is the bank's own and stays
    write(postgres_database, good_ledger())
    with open_source(postgres_database) as source:
        assert source.strangers() == ["branches"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: f"postgresql://u:{PASSWORD}@127.0.0.1:{free_port()}/db", "cannot be reached"),
        (lambda folder: f"sqlite:///{folder}/text.txt", "is not a SQLite database"),
        (lambda folder: f"duckdb:///{folder}/text.txt", "cannot be opened"),
        (lambda folder: str(folder / "text.txt"), "is a file, not a folder"),
        (lambda folder: str(folder / "text.txt" / "below"), "cannot be written"),
        (lambda folder: f"sqlite:///{folder}/text.txt/x.db", "cannot be written"),
        (lambda folder: f"duckdb:///{folder}/text.txt/x.db", "cannot be written"),
    ],
)
def test_urls_that_cannot_be_written(make: Callable[[Path], str], words: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("just text, and more of it than the first bytes of any database" * 50)
    with pytest.raises(SourceError, match=words) as caught:
        write(make(tmp_path), good_ledger())
    assert caught.value.hint
    assert PASSWORD not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


@pytest.mark.server
def test_a_postgresql_user_who_may_not_write(postgres_database: str) -> None:
    import psycopg

    with psycopg.connect(postgres_database, autocommit=True) as bank:
        bank.execute("DROP ROLE IF EXISTS reader")
        bank.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        url = postgres_database.replace("//finml:", "//reader:")
        with pytest.raises(SourceError, match="permission denied") as caught:
            write(url, good_ledger())
        assert "allowed to create tables" in caught.value.hint
        bank.execute("DROP ROLE reader")


def test_a_sqlite_ledger_in_use_is_not_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    write(url, good_ledger())
    reader = sqlite3.connect(tmp_path / "x.db")
    reader.execute("PRAGMA journal_mode = WAL")
    reader.execute("INSERT INTO finml_origin VALUES ('x')")
    reader.commit()
    with pytest.raises(SourceError, match="is in use"):
        write(url, good_ledger(), replace=True)
    reader.close()
    write(url, good_ledger(), replace=True)


def test_a_mark_that_is_none(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/x.duckdb"
    write(url, good_ledger())
    with duckdb.connect(tmp_path / "x.duckdb") as bank:
        bank.execute("UPDATE finml_origin SET mark = 'nonsense'")
    with open_source(url) as source:
        assert source.generation() is None
    with pytest.raises(SourceError, match="not written by finml"):
        write(url, good_ledger(), replace=True)
