"""A ledger is the same wherever it lives: what a writer wrote, a source reads, and ingestion takes over."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from finml.errors import ContractError, LedgerError, SourceError, UsageError
from finml.ledger.contracts import TABLES
from finml.ledger.ingest import ingest
from finml.ledger.source import open_source
from finml.ledger.urls import parse_url
from finml.ledger.writer import open_writer
from finml.settings import Workspace
from tests.ledger.ledgers import (
    NOW,
    contents,
    day,
    good_ledger,
    ordered,
    typed,
    user,
    write,
)
from tests.servers import PASSWORD


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "home", "x")


@pytest.fixture(
    params=["folder", "file", "duckdb", "sqlite", pytest.param("postgresql", marks=pytest.mark.server)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_database"))
    return {
        "folder": str(tmp_path / "ledger"),
        "file": f"file://{tmp_path}/ledger%20of%20a%20bank",
        "duckdb": f"duckdb:///{tmp_path}/deep/ledger.duckdb",
        "sqlite": f"sqlite:///{tmp_path}/deep/ledger.db",
    }[request.param]


def test_a_written_ledger_comes_back(url: str, workspace: Workspace) -> None:
    write(url, good_ledger())
    with open_source(url) as source:
        assert source.tables() == list(TABLES)
        assert source.strangers() == []
        assert source.generation()
        assert PASSWORD not in source.place
    report = ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert contents(workspace) == ordered(good_ledger())
    assert PASSWORD not in report.to_markdown()
    again = ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert not again.changed_anything
    assert again.table("transactions").read == 1


def test_a_source_hands_over_what_changed(url: str) -> None:
    write(url, good_ledger())
    with open_source(url) as source:
        batches = [batch.rows for batch in source.batches("transactions", None, 16)]
        assert [rows.num_rows for rows in batches] == [16, 16, 8]
        found = pa.concat_tables(source_rows.select(["transaction_id"]) for source_rows in batches)
        assert found.num_rows == 40
        changed = [
            key
            for batch in source.batches("transactions", day(57.5), 16, ["t3", "nobody"])
            for key in batch.rows.column("transaction_id").to_pylist()
        ]
        assert sorted(changed) == ["t3", "t38", "t39"]
        assert sum(batch.rows.num_rows for batch in source.batches("users", day(400), 16)) == 0


def test_a_ledger_of_finml_is_replaced_when_asked_and_only_then(url: str, workspace: Workspace) -> None:
    write(url, good_ledger())
    with open_source(url) as source:
        first = source.generation()
    with pytest.raises(SourceError, match=r"already holds a ledger \(origin: test\)"):
        write(url, good_ledger())
    write(url, {"users": [user(77)]}, replace=True)
    with open_source(url) as source:
        assert source.generation() != first
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert [len(rows) for rows in contents(workspace).values()] == [1] + [0] * (len(TABLES) - 1)


def test_a_write_that_fails_leaves_the_old_ledger(url: str, workspace: Workspace) -> None:
    write(url, good_ledger())

    def fail() -> None:
        with open_writer(url, "test", replace=True) as writer:
            writer.write("users", typed("users", [user(1)]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert contents(workspace) == ordered(good_ledger())
    place = parse_url(url)
    if place.kind != "postgresql":
        assert [path.name for path in place.path.parent.iterdir() if path.name.startswith(".")] == []


def test_a_writer_takes_only_what_fits(url: str) -> None:
    writer = open_writer(url, "test")
    with pytest.raises(UsageError, match="not open"):
        writer.write("users", pd.DataFrame())
    with writer:
        with pytest.raises(UsageError, match="no table 'customers'"):
            writer.write("customers", pd.DataFrame())
        with pytest.raises(ContractError) as caught:
            writer.write(
                "users", pd.DataFrame({"user_id": ["u1"], "iban": [1], "monthly_income_minor": [0.5]})
            )
        assert "iban: no such column" in str(caught.value)
        assert "created_at: missing" in str(caught.value)
        assert "monthly_income_minor: double does not fit int64" in str(caught.value)
        row = user(1)
        frame = pd.DataFrame(
            {
                "user_id": ["u1"],
                "monthly_income_minor": [float("nan")],
                "currency": ["INR"],
                **{
                    name: pd.to_datetime([row[name]]).tz_localize("UTC").tz_convert("Asia/Kolkata")
                    for name in ("created_at", "known_at", "updated_at")
                },
            }
        )
        writer.write("users", frame)
    assert writer.rows["users"] == 1
    with open_source(url) as source:
        (batch,) = source.batches("users", None)
    (found,) = batch.rows.to_pylist()
    assert found["monthly_income_minor"] is None
    assert str(found["known_at"]).startswith("2024-01-02 00:00:00")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def test_a_key_twice_cannot_be_written_to_a_database(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = (
        str(request.getfixturevalue("postgres_database"))
        if kind == "postgresql"
        else f"sqlite:///{tmp_path}/x.db"
    )
    with pytest.raises(LedgerError, match="cannot be written") as caught, open_writer(url, "test") as writer:
        writer.write("users", typed("users", [user(1), user(1)]))
    assert "share a key" in caught.value.hint
    write(url, {"users": [user(1)]})


def test_a_relative_database_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("sqlite:///here.db", {"users": [user(1)]})
    assert (tmp_path / "here.db").exists()
    with open_source(f"sqlite:///{tmp_path}/here.db") as source:
        assert source.place == f"sqlite:///{tmp_path}/here.db"
