"""A ledger that breaks its contract as a whole is refused with a message that names the fault."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finml.errors import ContractError, LedgerError, SourceError, UsageError
from finml.ledger import warehouse
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.ingest import IngestionRefusedError, ingest
from finml.settings import Workspace
from tests.ledger.ledgers import NOW, contents, good_ledger, ordered, typed, user, write_csv, write_parquet


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def without_column(name: str) -> Callable[[str], str]:
    return lambda text: text.replace(name, f"{name}_renamed", 1)


def empty_file(folder: Path) -> None:
    (folder / "loans.csv").write_bytes(b"")


def empty_parquet(folder: Path) -> None:
    (folder / "loans.csv").unlink()
    (folder / "loans.parquet").write_bytes(b"")


def cut_parquet(folder: Path) -> None:
    (folder / "loans.csv").unlink()
    pq.write_table(typed("loans", good_ledger()["loans"]), folder / "loans.parquet")
    (folder / "loans.parquet").write_bytes((folder / "loans.parquet").read_bytes()[:-100])


def damaged_parquet(folder: Path) -> None:
    (folder / "loans.csv").unlink()
    file = folder / "loans.parquet"
    pq.write_table(typed("loans", good_ledger()["loans"]), file, compression="none")
    content = bytearray(file.read_bytes())
    content[4:200] = b"\xff" * 196
    file.write_bytes(content)


def twice(folder: Path) -> None:
    pq.write_table(typed("loans", good_ledger()["loans"]), folder / "loans.parquet")


def missing_column(folder: Path) -> None:
    rewrite(folder / "transactions.csv", without_column("amount_minor"))
    rewrite(folder / "users.csv", without_column("region"))


def column_twice(folder: Path) -> None:
    rewrite(folder / "users.csv", lambda text: text.replace("region", "sex", 1))


def missing_table(folder: Path) -> None:
    (folder / "users.csv").unlink()


def no_rows(folder: Path) -> None:
    rewrite(folder / "users.csv", lambda text: text.splitlines()[0] + "\n")


def utf16(folder: Path) -> None:
    text = (folder / "users.csv").read_text(encoding="utf-8")
    (folder / "users.csv").write_text(text, encoding="utf-16")


def semicolons(folder: Path) -> None:
    rewrite(folder / "users.csv", lambda text: text.replace(",", ";"))


def open_quote(folder: Path) -> None:
    # the quote swallows everything behind it, more than a block of the reader
    rewrite(folder / "users.csv", lambda text: text + '"' + "x,\n" * 6_000_000)


BROKEN = [
    (empty_file, ContractError, "loans.csv is empty"),
    (empty_parquet, ContractError, "loans.parquet is empty (0 bytes)"),
    (cut_parquet, ContractError, "loans.parquet is not a readable Parquet file"),
    (damaged_parquet, ContractError, "loans.parquet is not a readable Parquet file"),
    (twice, ContractError, "loans is there more than once: loans.parquet, loans.csv"),
    (missing_column, ContractError, "transactions.csv has no column amount_minor"),
    (missing_column, ContractError, "users.csv has no column region"),
    (column_twice, ContractError, "users.csv has columns twice: sex"),
    (missing_table, ContractError, "the table users is missing"),
    (no_rows, ContractError, "the table users of the ledger .* has no rows"),
    (utf16, ContractError, "users.csv is UTF-16"),
    (semicolons, ContractError, "users.csv has no column user_id, created_at"),
    (open_quote, ContractError, "users.csv cannot be read"),
]


@pytest.mark.parametrize(
    ("break_it", "error", "words"), BROKEN, ids=[f"{b[0].__name__}-{b[2]}" for b in BROKEN]
)
def test_a_broken_ledger_is_refused_and_changes_nothing(
    break_it: Callable[[Path], None], error: type[LedgerError], words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "ledger"
    workspace = Workspace.of(tmp_path, "ledger")
    url = write_csv(folder, good_ledger())
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    before = warehouse.data_hash(workspace)
    break_it(folder)
    with pytest.raises(error, match=words.replace("(", r"\(").replace(")", r"\)")) as caught:
        ingest(url, workspace, quarantine_limit=1.0, now=NOW, everything=True)
    assert caught.value.hint
    assert warehouse.data_hash(workspace) == before
    assert contents(workspace) == ordered(good_ledger())
    # and with the fault mended it goes on
    for file in folder.iterdir():
        file.unlink()
    assert not ingest(
        write_csv(folder, good_ledger()), workspace, quarantine_limit=0.0, now=NOW
    ).changed_anything


def test_too_many_bad_rows_refuse_the_whole_ingestion(tmp_path: Path) -> None:
    workspace = Workspace.of(tmp_path, "ledger")
    url = write_parquet(tmp_path / "ledger", good_ledger())
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    bad = good_ledger()
    bad["users"] += [user(number, currency="?") for number in range(20, 22)]
    bad["transactions"][0]["amount_minor"] = -1
    bad["users"].append(user(30))
    write_parquet(tmp_path / "ledger", bad)
    with pytest.raises(IngestionRefusedError) as caught:
        ingest(url, workspace, quarantine_limit=0.1, now=NOW, everything=True)
    words = "users, 2 of 13 rows (15.4%): currency: must be an ISO 4217 code (2)"
    assert words in str(caught.value)
    assert "transactions" not in str(caught.value)
    assert contents(workspace) == ordered(good_ledger())
    assert warehouse.quarantine(workspace).empty

    # what was refused can be looked at
    folder = caught.value.folder
    assert folder.is_relative_to(workspace.root / "reports")
    assert str(folder) in caught.value.hint
    assert words in (folder / "report.md").read_text()
    assert json.loads((folder / "report.json").read_text())["refused"] == caught.value.report.refused
    quarantined = pq.read_table(folder / "quarantine.parquet").to_pylist()
    assert {row["row_key"] for row in quarantined} == {"u20", "u21", "t0"}

    # and a higher limit lets the good rows through
    report = ingest(url, workspace, quarantine_limit=0.2, now=NOW)
    assert report.table("users").new == 1
    assert len(warehouse.quarantine(workspace)) == 2


def test_every_row_bad(tmp_path: Path) -> None:
    ledger = good_ledger()
    for row in ledger["users"]:
        row["updated_at"] = row["known_at"].replace(year=2020)
    workspace = Workspace.of(tmp_path, "ledger")
    with pytest.raises(IngestionRefusedError, match="users, 10 of 10 rows") as caught:
        ingest(write_parquet(tmp_path / "ledger", ledger), workspace, quarantine_limit=0.05, now=NOW)
    assert caught.value.report.table("loan_outcomes").quarantined == 10
    with pytest.raises(LedgerError):
        ingest(str(tmp_path / "ledger"), workspace, quarantine_limit=0.99, now=NOW)


def test_unknown_columns_and_files_are_ignored_with_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    url = write_parquet(folder, good_ledger())
    pq.write_table(pa.table({"x": [1]}), folder / "branches.parquet")
    users = typed("users", good_ledger()["users"])
    users = users.set_column(8, "currency", pa.array(["?"] + ["INR"] * 9))
    pq.write_table(users.append_column("iban", pa.array(["DE0123"] * 10)), folder / "users.parquet")
    workspace = Workspace.of(tmp_path, url)
    report = ingest(url, workspace, quarantine_limit=1.0, now=NOW)
    # what nobody asked for is not kept either
    assert "DE0123" not in warehouse.quarantine(workspace, "users")["row"][0]
    assert report.warnings == (
        "users.parquet has unknown columns, which are ignored: iban",
        "the ledger holds what is no table of it, ignored: branches.parquet",
    )
    assert all(warning in report.to_markdown() for warning in report.warnings)


OPTIONAL = [table for table in TABLES if CONTRACTS[table].optional]


@pytest.mark.parametrize("table", [table for table in TABLES if table not in OPTIONAL])
def test_a_table_of_the_books_that_is_not_there_is_no_empty_one(tmp_path: Path, table: str) -> None:
    url = write_parquet(tmp_path / "ledger", good_ledger())
    (tmp_path / "ledger" / f"{table}.parquet").unlink()
    with pytest.raises(ContractError, match=f"the table {table} is missing"):
        ingest(url, Workspace.of(tmp_path, url), quarantine_limit=1.0, now=NOW)


def test_a_ledger_without_the_optional_tables_is_one_where_they_are_empty(tmp_path: Path) -> None:
    assert OPTIONAL == ["transaction_labels", "messages"]
    hashes = []
    for name, tables in (("without", ()), ("empty", OPTIONAL)):
        books = {table: rows for table, rows in good_ledger().items() if table not in OPTIONAL}
        url = write_parquet(tmp_path / name, books | {table: [] for table in tables})
        workspace = Workspace.of(tmp_path / f"{name}-home", url)
        report = ingest(url, workspace, quarantine_limit=0.0, now=NOW)
        assert [report.table(table).rows for table in OPTIONAL] == [0, 0]
        assert report.warnings == ()
        hashes.append(warehouse.export(workspace, tmp_path / f"{name}-tables"))
        for table in OPTIONAL:
            written = pq.read_table(tmp_path / f"{name}-tables" / f"{table}.parquet")
            assert written.schema.equals(CONTRACTS[table].arrow_schema)
    assert hashes[0] == hashes[1]


def test_an_optional_table_that_is_there_has_to_keep_its_contract(tmp_path: Path) -> None:
    url = write_parquet(tmp_path / "ledger", good_ledger())
    pq.write_table(pa.table({"body": ["hello"]}), tmp_path / "ledger" / "messages.parquet")
    with pytest.raises(ContractError, match=r"messages\.parquet has no column message_id, user_id"):
        ingest(url, Workspace.of(tmp_path, url), quarantine_limit=1.0, now=NOW)


def test_values_that_only_typed_files_can_hold(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    url = write_parquet(folder, good_ledger())
    loans = typed("loans", good_ledger()["loans"]).to_pydict()
    nan, infinity = float("nan"), float("inf")
    odd = {
        "annual_rate": pa.array([nan, infinity, 0.5, *[None] * 7]),
        "principal_minor": pa.array([*[100.0] * 3, 0.5, infinity, *[100.0] * 5]),
        "collateral_value_minor": pa.array([True] + [None] * 9),
        "term_months": pa.array([None] * 5 + [2**40] + [None] * 4),
        "applied_at": pa.array(
            [*loans["applied_at"][:6], None, *loans["applied_at"][7:]], pa.timestamp("ns", "UTC")
        ),
    }
    pq.write_table(pa.table(loans | odd), folder / "loans.parquet")
    workspace = Workspace.of(tmp_path, url)
    ingest(url, workspace, quarantine_limit=1.0, now=NOW)
    frame = warehouse.quarantine(workspace, "loans")
    assert dict(zip(frame["row_key"], frame["reasons"], strict=True)) == {
        "l0": ["annual_rate: is not a finite number", "collateral_value_minor: is not a whole number"],
        "l1": ["annual_rate: is not a finite number"],
        "l3": ["principal_minor: is not a whole number"],
        "l4": ["principal_minor: is not a whole number"],
        "l5": ["term_months: must be at most 600"],
        "l6": ["applied_at: must not be missing"],
    }
    assert json.loads(frame["row"][0])["annual_rate"] == "nan"
    assert [row["loan_id"] for row in contents(workspace)["loans"]] == ["l2", "l7", "l8", "l9"]


def test_the_warehouse_in_use_is_a_clear_error(tmp_path: Path) -> None:
    workspace = Workspace.of(tmp_path, "ledger")
    url = write_parquet(tmp_path / "ledger", good_ledger())
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    with (
        duckdb.connect(workspace.warehouse, read_only=True),
        pytest.raises(LedgerError, match="cannot be opened") as caught,
    ):
        ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert "wait for it to end" in caught.value.hint


def test_arguments_out_of_range(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        ingest(str(tmp_path), Workspace.of(tmp_path, "x"), quarantine_limit=1.5)


def test_nothing_is_made_for_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    workspace = Workspace.of(tmp_path, "x")
    with pytest.raises(SourceError, match="does not exist"):
        ingest(str(tmp_path / "nowhere"), workspace, quarantine_limit=0.5)
    assert not workspace.root.exists()
