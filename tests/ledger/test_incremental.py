"""A second ingestion takes what is new or changed, loses nothing, and repeated it changes nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from finml.ledger import warehouse
from finml.ledger.ingest import ingest
from finml.ledger.report import IngestReport
from finml.ledger.writer import open_writer
from finml.settings import Workspace
from tests.ledger.ledgers import (
    MAKERS,
    NOW,
    Rows,
    account,
    contents,
    day,
    good_ledger,
    loan,
    ordered,
    reasons,
    times,
    transaction,
    typed,
    user,
    write_csv,
    write_parquet,
)


class Bank:
    """A ledger in a folder and its workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "ledger"
        self.workspace = Workspace.of(folder, str(self.folder))
        self.rows: Rows = good_ledger()

    def ingest(self, **options: Any) -> IngestReport:
        url = write_parquet(self.folder, self.rows)
        report = ingest(url, self.workspace, **{"quarantine_limit": 0.5, "now": NOW, **options})
        for entry in report.tables:
            taken = entry.new + entry.changed + entry.unchanged + entry.superseded
            assert entry.read + entry.retried == taken + entry.quarantined + entry.known_quarantined
        return report

    @property
    def hash(self) -> str:
        return warehouse.data_hash(self.workspace)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


def figures(report: IngestReport, table: str, *names: str) -> tuple[int, ...]:
    return tuple(getattr(report.table(table), name) for name in names)


def test_ingesting_twice_changes_nothing(bank: Bank) -> None:
    bank.rows["users"].append(user(11, currency="?"))
    first = bank.ingest()
    assert first.everything
    assert first.changed_anything
    before, quarantined = bank.hash, warehouse.quarantine(bank.workspace)
    for _ in range(2):
        again = bank.ingest()
        assert not again.everything
        assert not again.changed_anything
        assert figures(again, "users", "new", "changed", "quarantined", "known_quarantined") == (0, 0, 0, 1)
        assert figures(again, "users", "rows", "in_quarantine") == (10, 1)
        assert bank.hash == before
        assert warehouse.quarantine(bank.workspace).equals(quarantined)


def test_only_new_and_changed_rows_are_taken(bank: Bank) -> None:
    bank.ingest()
    bank.rows["transactions"] += [transaction(40), transaction(41)]
    bank.rows["transactions"][3] |= {"category": "dining", "updated_at": day(70)}
    bank.rows["transactions"][4] |= {"category": "dining"}
    report = bank.ingest()
    # the newest row comes again, for another may have the same time; what changed without a new time does not
    assert figures(report, "transactions", "read", "new", "changed", "unchanged") == (4, 2, 1, 1)
    assert report.changed_anything
    expected = ordered(bank.rows)
    next(row for row in expected["transactions"] if row["transaction_id"] == "t4")["category"] = "groceries"
    assert contents(bank.workspace) == expected


def test_rows_with_the_time_of_the_newest_are_not_lost(bank: Bank) -> None:
    bank.ingest()
    bank.rows["transactions"].append(transaction(40, **times(59), occurred_at=day(59)))
    assert figures(bank.ingest(), "transactions", "read", "new", "unchanged") == (2, 1, 1)


def test_an_older_version_does_not_replace_a_newer(bank: Bank) -> None:
    bank.rows["users"][2] |= {"region": "new", "updated_at": day(100)}
    bank.ingest()
    before = bank.hash
    bank.rows["users"][2] |= {"region": "old", "updated_at": day(99)}
    # a quarantined row of that key makes the ledger's older row come again
    bank.rows["users"].append(user(2, region="x" * 999, updated_at=day(101)))
    bank.ingest()
    bank.rows["users"].pop()
    report = bank.ingest()
    assert figures(report, "users", "superseded", "changed") == (1, 0)
    assert bank.hash == before


def test_a_corrected_row_is_accepted_though_the_watermark_has_passed_it(bank: Bank) -> None:
    bank.rows["users"][4]["currency"] = "?"
    bank.ingest()
    assert len(contents(bank.workspace)["users"]) == 9
    # its new time lies before the newest that was seen
    bank.rows["users"][4] |= {"currency": "INR", "updated_at": day(5)}
    report = bank.ingest()
    assert figures(report, "users", "new", "recovered", "in_quarantine") == (1, 1, 0)
    # and with it come those that waited for it
    assert figures(report, "loans", "new", "recovered", "in_quarantine") == (1, 1, 0)
    assert figures(report, "transactions", "new", "recovered", "in_quarantine") == (4, 4, 0)
    assert contents(bank.workspace) == ordered(bank.rows)
    assert warehouse.quarantine(bank.workspace).empty


def test_an_orphan_is_accepted_once_its_parent_arrives(bank: Bank) -> None:
    orphans = [account(50, **times(1), opened_at=day(1)), account(51)]
    bank.rows["accounts"] += orphans
    bank.ingest()
    assert reasons(bank.workspace)["a50"] == ["user_id: no such row in users"]
    # the next delivery no longer holds the orphans
    bank.rows = {table: [] for table in MAKERS} | {"users": [user(50)]}
    report = bank.ingest()
    assert figures(report, "accounts", "read", "retried", "new", "known_quarantined") == (0, 2, 1, 1)
    assert orphans[0] in contents(bank.workspace)["accounts"]
    assert list(reasons(bank.workspace)) == ["a51"]


def test_an_orphan_that_comes_again_is_not_counted_twice(bank: Bank) -> None:
    bank.rows["loans"].append(loan(50))
    bank.ingest()
    report = bank.ingest()
    assert figures(report, "loans", "quarantined", "known_quarantined", "in_quarantine") == (0, 1, 1)
    bank.rows["loans"][-1] |= {"kind": "home", "updated_at": day(99)}
    report = bank.ingest()
    assert figures(report, "loans", "quarantined", "in_quarantine") == (1, 1)
    assert '"kind":"home"' in warehouse.quarantine(bank.workspace)["row"][0].replace(" ", "")


def test_the_reason_of_a_waiting_row_follows_its_parent(bank: Bank) -> None:
    bank.rows["accounts"].append(account(50))
    bank.ingest()
    bank.rows["users"].append(user(50, currency="?"))
    bank.ingest()
    assert reasons(bank.workspace)["a50"] == ["user_id: its row in users is in quarantine"]


def test_a_bad_version_of_a_good_row_leaves_the_good_one(bank: Bank) -> None:
    bank.ingest()
    before = bank.hash
    good = bank.rows["users"][3]
    bank.rows["users"][3] = good | {"sex": "?", "updated_at": day(80)}
    assert figures(bank.ingest(), "users", "quarantined", "changed") == (1, 0)
    assert bank.hash == before
    bank.rows["users"][3] = good | {"sex": "male", "updated_at": day(81)}
    assert figures(bank.ingest(), "users", "changed", "recovered", "in_quarantine") == (1, 1, 0)
    assert contents(bank.workspace) == ordered(bank.rows)


def test_a_bad_row_from_the_future_hides_nothing(bank: Bank) -> None:
    bank.rows["users"].append(user(11, updated_at=datetime(2999, 1, 1)))
    bank.ingest()
    bank.rows["users"].append(user(12))
    assert figures(bank.ingest(), "users", "new", "quarantined") == (1, 0)
    # when that time has come, the row is good
    report = bank.ingest(now=datetime(2999, 1, 2, tzinfo=UTC))
    assert figures(report, "users", "new", "recovered") == (1, 1)


def test_one_bad_row_on_a_quiet_night_stops_nothing(bank: Bank) -> None:
    bank.ingest()
    bank.rows["transactions"].append(transaction(45, amount_minor=-1))
    report = bank.ingest(quarantine_limit=0.05)
    assert figures(report, "transactions", "read", "quarantined") == (2, 1)


def test_a_sizeable_delivery_is_judged_by_itself(bank: Bank) -> None:
    bank.rows["transactions"] = [transaction(n % 40, transaction_id=f"t{n}") for n in range(30_000)]
    bank.ingest()
    bad = [transaction(40, transaction_id=f"x{n}", amount_minor=-1 if n < 100 else 1) for n in range(1000)]
    bank.rows["transactions"] += bad
    with pytest.raises(Exception, match=r"transactions, 100 of 1,\d\d\d rows"):
        bank.ingest(quarantine_limit=0.05)


def test_everything_forgets_what_the_ledger_no_longer_has(bank: Bank) -> None:
    bank.rows["users"].append(user(11, currency="?"))
    bank.ingest()
    for table in bank.rows:
        bank.rows[table] = bank.rows[table][:5]
    # the transactions that they are about are gone
    bank.rows["transaction_labels"].clear()
    assert figures(bank.ingest(), "users", "rows") == (10,)
    report = bank.ingest(everything=True)
    assert figures(report, "users", "rows", "in_quarantine") == (5, 0)
    assert [row["user_id"] for row in contents(bank.workspace)["users"]] == [f"u{n}" for n in range(5)]


def test_a_ledger_that_finml_wrote_anew_replaces_the_old_one(tmp_path: Path) -> None:
    url, workspace = str(tmp_path / "ledger"), Workspace.of(tmp_path, "x")
    for first in (0, 10):
        with open_writer(url, "test", replace=True) as writer:
            writer.write("users", typed("users", [user(n) for n in range(first, first + 10)]))
        report = ingest(url, workspace, quarantine_limit=0.0, now=NOW)
        assert report.everything
    assert report.warnings == ("the ledger or its contracts were made anew: all rows are read again",)
    assert {row["user_id"] for row in contents(workspace)["users"]} == {f"u{n}" for n in range(10, 20)}
    assert not ingest(url, workspace, quarantine_limit=0.0, now=NOW).everything


def test_csv_with_offsets_and_parquet_give_the_same_tables(tmp_path: Path) -> None:
    ledger = good_ledger()
    here = Workspace.of(tmp_path, "parquet")
    ingest(write_parquet(tmp_path / "parquet", ledger), here, quarantine_limit=0.0, now=NOW)
    for rows in ledger.values():
        for row in rows:
            for name, value in row.items():
                if isinstance(value, datetime):
                    row[name] = f"{value + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}+05:30"
    there = Workspace.of(tmp_path, "csv")
    ingest(write_csv(tmp_path / "csv", ledger), there, quarantine_limit=0.0, now=NOW)
    assert contents(here) == contents(there)
    assert warehouse.data_hash(here) == warehouse.data_hash(there)
