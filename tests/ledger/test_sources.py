"""A bank's own ledger, with types of its own, and what is said of one that cannot be read."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finml.errors import ContractError, LedgerError, SourceError
from finml.ledger import warehouse
from finml.ledger.contracts import CONTRACTS
from finml.ledger.declaration import TableContract
from finml.ledger.ingest import ingest
from finml.ledger.source import open_source
from finml.ledger.statements import create_table
from finml.settings import Workspace
from tests.ledger.ledgers import (
    NOW,
    bank_sqlite,
    contents,
    day,
    good_ledger,
    ordered,
    reasons,
    transaction,
    typed,
    write,
    write_csv,
    write_parquet,
)
from tests.servers import PASSWORD, free_port


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "home", "x")


def others() -> list[TableContract]:
    """All tables but users, which the tests make themselves."""
    return [contract for table, contract in CONTRACTS.items() if table != "users"]


@pytest.mark.server
def test_a_banks_postgresql_with_types_of_its_own(postgres_database: str, workspace: Workspace) -> None:
    import psycopg

    with psycopg.connect(postgres_database) as bank:
        bank.execute("""
            CREATE TABLE users (
                user_id bigint, created_at date, birth_date date, sex varchar(9), education text,
                marital_status text, region text, monthly_income_minor numeric, currency char(3),
                known_at timestamptz, updated_at timestamptz, iban text
            )
        """)
        for contract in others():
            bank.execute(create_table(contract, "CREATE TABLE", place="public").encode())
        rows = [
            (
                1,
                "2024-01-01",
                "1980-01-01",
                "female",
                Decimal("100.00"),
                "2024-01-02 05:30+05:30",
                "2024-01-03",
            ),
            (2, "2024-01-01", None, None, Decimal("NaN"), "2024-01-02", "2024-01-03"),
            (3, "2024-01-01", None, None, Decimal("0.5"), "2024-01-02", "2024-01-03"),
            (4, "2024-01-01", "0044-03-15 BC", None, None, "2024-01-02", "2024-01-03"),
            (5, "2024-01-01", None, None, None, "2024-01-02", "infinity"),
            (6, "2024-01-01", None, "male", None, "2024-01-02", "2024-01-04"),
        ]
        bank.cursor().executemany(
            """
            INSERT INTO users (
                user_id, created_at, birth_date, sex, monthly_income_minor, known_at, updated_at, currency
            ) VALUES (%s, %s, %s, %s, %s, %s, %s, 'INR')
            """,
            rows,
        )
    report = ingest(postgres_database, workspace, quarantine_limit=1.0, now=NOW)
    assert "users has unknown columns, which are ignored: iban" in report.warnings
    assert reasons(workspace) == {
        "2": ["monthly_income_minor: is not a whole number"],
        "3": ["monthly_income_minor: is not a whole number"],
        "4": ["birth_date: is not a date and time"],
        "5": ["updated_at: is not a date and time"],
    }
    first, second = contents(workspace)["users"]
    assert (first["user_id"], first["monthly_income_minor"]) == ("1", 100)
    assert (first["known_at"], first["birth_date"]) == (datetime(2024, 1, 2), datetime(1980, 1, 1))
    assert second["sex"] == "male"
    with psycopg.connect(postgres_database) as bank:
        bank.execute("UPDATE users SET monthly_income_minor = 7, updated_at = '2024-01-03' WHERE user_id = 2")
    report = ingest(postgres_database, workspace, quarantine_limit=1.0, now=NOW)
    assert (report.table("users").read, report.table("users").new, report.table("users").unchanged) == (
        5,
        1,
        1,
    )


def test_a_banks_sqlite_with_anything_in_its_columns(tmp_path: Path, workspace: Workspace) -> None:
    url = bank_sqlite(tmp_path)
    odd = transaction(
        3, amount_minor="12", known_at="2024-01-24T00:00:00Z", updated_at="2024-01-24T00:00:00.5Z"
    )
    ledger = good_ledger()
    ledger["transactions"][3] = odd
    ledger["transactions"].append(transaction(40, amount_minor=1.5))
    ledger["transactions"].append(transaction(41, merchant=b"caf\xe9"))
    with sqlite3.connect(tmp_path / "bank.db") as bank:
        for table, rows in ledger.items():
            names = CONTRACTS[table].column_names
            values = [
                tuple(str(row[n]) if isinstance(row[n], datetime) else row[n] for n in names) for row in rows
            ]
            marks = ", ".join("?" * len(names))
            bank.executemany(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - constants
        bank.execute("UPDATE transactions SET merchant = CAST(merchant AS TEXT)")
        bank.execute("CREATE VIEW branches AS SELECT 1")
    report = ingest(url, workspace, quarantine_limit=0.1, now=NOW)
    assert reasons(workspace) == {
        "t40": ["amount_minor: is not a whole number"],
        "t41": ["merchant: holds bytes that are not UTF-8"],
    }
    assert report.warnings == ("the ledger holds what is no table of it, ignored: branches",)
    expected = ordered(good_ledger())["transactions"]
    changed = next(row for row in expected if row["transaction_id"] == "t3")
    changed |= {
        "amount_minor": 12,
        "known_at": day(23),
        "updated_at": datetime(2024, 1, 24, 0, 0, 0, 500_000),
    }
    assert contents(workspace)["transactions"] == expected
    again = ingest(url, workspace, quarantine_limit=0.1, now=NOW)
    # the good rows of the first write share the newest time with none
    assert again.table("transactions").read == 3
    assert not again.changed_anything


def test_a_folder_of_parts(tmp_path: Path, workspace: Workspace) -> None:
    url = write_parquet(tmp_path / "ledger", good_ledger())
    rows = good_ledger()["transactions"]
    (tmp_path / "ledger" / "transactions.parquet").unlink()
    parts = tmp_path / "ledger" / "transactions"
    parts.mkdir()
    pq.write_table(typed("transactions", rows[:10]), parts / "a.parquet")
    plain = typed("transactions", rows[10:20])
    as_text = pa.table([column.cast(pa.string()) for column in plain.columns], names=plain.column_names)
    pq.write_table(as_text, parts / "b.parquet")
    as_seconds = plain.schema.set(2, pa.field("occurred_at", pa.timestamp("s", "UTC")))
    pq.write_table(typed("transactions", rows[20:30]).cast(as_seconds), parts / "c.parquet")
    write_csv(parts, {"transactions": rows[30:]})
    (parts / "_SUCCESS").write_text("")
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert contents(workspace) == ordered(good_ledger())
    assert not ingest(url, workspace, quarantine_limit=0.0, now=NOW).changed_anything
    (parts / "d.csv").write_bytes(b"")
    (parts / "e.parquet").write_bytes(b"")
    with pytest.raises(ContractError, match=r"transactions/d\.csv is empty"):
        ingest(url, workspace, quarantine_limit=0.0, now=NOW)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: "", "URL is empty"),
        (lambda folder: "mysql://root@localhost/bank", "no ledger can be read from a mysql:// URL"),
        (lambda folder: "sqlite://", "needs a file, not memory"),
        (lambda folder: "duckdb:///:memory:", "needs a file, not memory"),
        (lambda folder: "sqlite://host/file.db", "names a host"),
        (lambda folder: f"postgresql://u:{PASSWORD}@localhost", "names no database"),
        (lambda folder: f"postgresql://u:{PASSWORD}@localhost:x/db", "malformed"),
        (lambda folder: f"postgresql://u:{PASSWORD}@127.0.0.1:{free_port()}/db", "cannot be read"),
        (lambda folder: f"duckdb:///{folder}/none.duckdb", "does not exist"),
        (lambda folder: f"sqlite:///{folder}/none.db", "unable to open database file"),
        (lambda folder: str(folder / "none"), "does not exist"),
        (lambda folder: f"sqlite:///{folder}/text.txt", "file is not a database"),
        (lambda folder: f"duckdb:///{folder}/text.txt", "cannot be opened"),
        (lambda folder: str(folder / "text.txt"), "is a file, not a folder"),
        (str, "holds no ledger table"),
    ],
)
def test_urls_that_cannot_be_read(make: Callable[[Path], str], words: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("just text, and more of it than the first bytes of any database" * 50)
    with pytest.raises(SourceError, match=words) as caught:
        open_source(make(tmp_path))
    assert caught.value.hint
    assert PASSWORD not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


@pytest.mark.server
def test_a_wrong_password_is_never_shown(postgres_url: str) -> None:
    wrong = postgres_url.replace(PASSWORD, "wr%40ng")
    for act in (lambda: open_source(wrong), lambda: write(wrong, good_ledger())):
        with pytest.raises(SourceError, match="password authentication failed") as caught:
            act()
        shown = f"{caught.value} {caught.value.hint} {caught.value.__cause__} {caught.value!r}"
        assert "wr%40ng" not in shown
        assert "wr@ng" not in shown
        assert "password" in caught.value.hint


@pytest.mark.server
def test_databases_without_ledger_tables(postgres_database: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as bank:
        bank.execute("CREATE TABLE branches (x)")
    with duckdb.connect(tmp_path / "x.duckdb") as bank:
        bank.execute("CREATE TABLE branches (x INTEGER)")
    for url in (postgres_database, f"sqlite:///{tmp_path}/x.db", f"duckdb:///{tmp_path}/x.duckdb"):
        with pytest.raises(SourceError, match="holds no ledger table"):
            open_source(url)


def test_what_a_damaged_duckdb_table_says(tmp_path: Path, workspace: Workspace) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as bank:
        columns = ", ".join(
            f"error('boom') AS {name}" if name == "region" else f"'x' AS {name}"
            for name in CONTRACTS["users"].column_names
        )
        bank.execute(f"CREATE VIEW users AS SELECT {columns} FROM range(3)")  # noqa: S608 - constants
        for contract in others():
            bank.execute(create_table(contract, "CREATE TABLE"))
    with pytest.raises(ContractError, match="users cannot be read from"):
        ingest(f"duckdb:///{tmp_path}/x.duckdb", workspace, quarantine_limit=0.0, now=NOW)
    with pytest.raises(LedgerError, match="not ingested yet"):
        warehouse.connect(workspace)
