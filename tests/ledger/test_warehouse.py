"""The validated tables as others read them."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from finml.errors import LedgerError, UsageError
from finml.ledger import warehouse
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.ingest import ingest
from finml.settings import Workspace
from tests.ledger.ledgers import NOW, Rows, good_ledger, user, write_parquet


def ingested(folder: Path, ledger: Rows) -> Workspace:
    workspace = Workspace.of(folder, "x")
    every = {table: ledger.get(table, []) for table in TABLES}
    ingest(write_parquet(folder / "ledger", every), workspace, quarantine_limit=0.5, now=NOW)
    return workspace


def test_every_table_is_exported_even_without_rows(tmp_path: Path) -> None:
    workspace = ingested(tmp_path, {"users": [user(1)]})
    digest = warehouse.export(workspace, tmp_path / "deep" / "tables")
    assert digest == warehouse.data_hash(workspace)
    for table in TABLES:
        file = pq.read_table(tmp_path / "deep" / "tables" / f"{table}.parquet")
        assert file.schema.equals(CONTRACTS[table].arrow_schema)
        assert file.num_rows == (table == "users")


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    workspace, folder = ingested(tmp_path, good_ledger()), tmp_path / "tables"
    folder.mkdir()
    first = warehouse.export(workspace, folder)
    assert warehouse.export(workspace, folder) == first
    (folder / "mine.txt").write_text("")
    with pytest.raises(LedgerError, match=r"holds files that no export wrote \(mine.txt\)"):
        warehouse.export(workspace, folder)
    assert len(list(folder.iterdir())) == len(TABLES) + 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_export_that_cannot_be_written(tmp_path: Path) -> None:
    workspace = ingested(tmp_path, good_ledger())
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be exported"):
        warehouse.export(workspace, tmp_path / "file" / "tables")


def test_the_hash_follows_the_contents_and_not_their_order(tmp_path: Path) -> None:
    ledger = good_ledger()
    workspace = ingested(tmp_path / "a", ledger)
    turned = {table: rows[::-1] for table, rows in ledger.items()}
    assert warehouse.data_hash(ingested(tmp_path / "b", turned)) == warehouse.data_hash(workspace)
    seen = {warehouse.data_hash(workspace)}
    for number, (table, column, value) in enumerate(
        [("users", "region", None), ("loans", "annual_rate", 0.25), ("loan_outcomes", "defaulted", False)]
    ):
        changed = good_ledger()
        changed[table][0][column] = value
        seen.add(warehouse.data_hash(ingested(tmp_path / str(number), changed)))
    assert len(seen) == 4


def test_values_do_not_run_into_each_other_in_the_hash(tmp_path: Path) -> None:
    first = ingested(tmp_path / "a", {"users": [user(1, education=None, marital_status="other")]})
    second = ingested(tmp_path / "b", {"users": [user(1, education="other", marital_status=None)]})
    assert warehouse.data_hash(first) != warehouse.data_hash(second)


def test_ibis_reads_the_tables(tmp_path: Path) -> None:
    workspace = ingested(tmp_path, good_ledger())
    backend = warehouse.connect(workspace)
    users = backend.table("users")
    assert users.count().execute() == 10
    assert users.filter(users.user_id == "u3").region.execute().tolist() == ["Kraków"]
    backend.disconnect()


def test_the_quarantine_by_table(tmp_path: Path) -> None:
    ledger = good_ledger()
    ledger["users"][0]["currency"] = "?"
    workspace = ingested(tmp_path, ledger)
    assert len(warehouse.quarantine(workspace)) == 12
    (row,) = warehouse.quarantine(workspace, "users").to_dict("records")
    assert (row["table_name"], row["row_key"]) == ("users", "u0")
    assert row["reasons"] == ["currency: must be an ISO 4217 code"]
    assert row["quarantined_at"] == NOW
    with pytest.raises(UsageError, match="no table 'customers'"):
        warehouse.quarantine(workspace, "customers")


def test_before_the_first_ingestion(tmp_path: Path) -> None:
    workspace = Workspace.of(tmp_path, "x")
    for act in (warehouse.connect, warehouse.quarantine, warehouse.data_hash):
        with pytest.raises(LedgerError, match="not ingested yet") as caught:
            act(workspace)
        assert "finml run features" in caught.value.hint
    assert not workspace.root.exists()


def test_a_warehouse_made_under_other_contracts_is_made_anew(tmp_path: Path) -> None:
    books = {table: rows for table, rows in good_ledger().items() if not CONTRACTS[table].optional}
    workspace = ingested(tmp_path, books)
    with duckdb.connect(workspace.warehouse) as old:
        old.execute("DROP TABLE messages")
        old.execute("DROP TABLE transaction_labels")
        old.execute("UPDATE state.source SET contracts = 'those of then'")
    for act in (warehouse.connect, warehouse.quarantine, warehouse.data_hash):
        with pytest.raises(LedgerError, match="under other contracts") as caught:
            act(workspace)
        assert "finml run features" in caught.value.hint
    report = ingest(str(tmp_path / "ledger"), workspace, quarantine_limit=0.0, now=NOW)
    assert report.everything
    assert "all rows are read again" in report.warnings[0]
    assert warehouse.export(workspace, tmp_path / "tables") == warehouse.data_hash(workspace)


def test_while_another_writes(tmp_path: Path) -> None:
    workspace = ingested(tmp_path, good_ledger())
    with duckdb.connect(workspace.warehouse):
        for act in (warehouse.connect, warehouse.quarantine):
            with pytest.raises(LedgerError, match="cannot be opened"):
                act(workspace)
