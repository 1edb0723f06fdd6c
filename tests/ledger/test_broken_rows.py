"""Every kind of broken row goes to quarantine with a reason that names it, and the good rows come through."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finml.ledger import warehouse
from finml.ledger.contracts import CONTRACTS
from finml.ledger.ingest import ingest
from finml.ledger.report import IngestReport
from finml.settings import Workspace
from tests.ledger.ledgers import (
    COUNTS,
    MAKERS,
    NOW,
    contents,
    day,
    good_ledger,
    ordered,
    reasons,
    times,
    write_csv,
    write_parquet,
)

LATE = datetime(2024, 6, 1, 0, 0, 1)


def span(start: object, end: object, label: str = "MONEY") -> str:
    return json.dumps([{"start": start, "end": end, "label": label}])


# what is broken, table, changes to a valid row, what the reason must say
BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("text in a number", "transactions", {"amount_minor": "abc"}, "amount_minor: is not a whole number"),
    ("fraction of a cent", "transactions", {"amount_minor": "12.5"}, "amount_minor: is not a whole number"),
    ("not a number", "transactions", {"amount_minor": "NaN"}, "amount_minor: is not a whole number"),
    ("more than int64", "transactions", {"amount_minor": "9" * 25}, "amount_minor: is not a whole number"),
    ("negative amount", "transactions", {"amount_minor": -5}, "amount_minor: must be at least 1"),
    ("nothing moved", "transactions", {"amount_minor": 0}, "amount_minor: must be at least 1"),
    ("impossible amount", "transactions", {"amount_minor": 10**13 + 1}, "amount_minor: must be at most"),
    ("missing amount", "transactions", {"amount_minor": None}, "amount_minor: must not be missing"),
    (
        "future event",
        "transactions",
        {"occurred_at": LATE, **times(152)},
        "occurred_at: must not lie in the future",
    ),
    ("future knowledge", "transactions", {"known_at": LATE}, "known_at: must not lie in the future"),
    ("future change", "transactions", {"updated_at": LATE}, "updated_at: must not lie in the future"),
    ("no such day", "transactions", {"occurred_at": "2024-02-30"}, "occurred_at: is not a date and time"),
    ("no date", "transactions", {"occurred_at": "yesterday"}, "occurred_at: is not a date and time"),
    ("infinite date", "transactions", {"known_at": "infinity"}, "known_at: is not a date and time"),
    (
        "known before it was",
        "transactions",
        {"known_at": day(1)},
        "occurred_at: must be at or before known_at",
    ),
    (
        "changed before known",
        "transactions",
        {"updated_at": day(1)},
        "known_at: must be at or before updated_at",
    ),
    ("orphan", "transactions", {"account_id": "nobody"}, "account_id: no such row in accounts"),
    ("no parent named", "transactions", {"account_id": None}, "account_id: must not be missing"),
    ("unknown category", "transactions", {"category": "Groceries"}, "category: must be one of salary"),
    ("unknown direction", "transactions", {"direction": "in"}, "direction: must be one of credit, debit"),
    ("long text", "transactions", {"merchant": "m" * 257}, "merchant: must have at most 256 characters"),
    (
        "control character",
        "transactions",
        {"merchant": "a\x07b"},
        "merchant: must not hold control characters",
    ),
    ("line break", "transactions", {"merchant": "a\nb"}, "merchant: must not hold control characters"),
    ("long key", "users", {"user_id": "u" * 65}, "user_id: must have at most 64 characters"),
    ("space in key", "users", {"user_id": " u77"}, "user_id: must not begin or end with a space"),
    ("no key", "users", {"user_id": None}, "user_id: must not be missing"),
    ("lower-case currency", "users", {"currency": "inr"}, "currency: must be an ISO 4217 code"),
    ("made-up currency", "accounts", {"currency": "ZZZ"}, "currency: must be an ISO 4217 code"),
    ("unknown sex", "users", {"sex": "F"}, "sex: must be one of female, male, other"),
    ("born long ago", "users", {"birth_date": "1799-01-01"}, "birth_date: must not lie before 1900"),
    ("born a customer", "users", {"birth_date": day(90)}, "birth_date: must be at or before created_at"),
    ("closed before opened", "accounts", {"closed_at": day(-1)}, "opened_at: must be at or before closed_at"),
    ("usury", "loans", {"annual_rate": 2.01}, "annual_rate: must be at most 2"),
    ("infinite rate", "loans", {"annual_rate": "inf"}, "annual_rate: is not a finite number"),
    ("no term", "loans", {"term_months": 0}, "term_months: must be at least 1"),
    ("lent nothing", "loans", {"principal_minor": 0}, "principal_minor: must be at least 1"),
    ("negative delay", "loan_payments", {"days_past_due": -1}, "days_past_due: must be at least 0"),
    ("due in 500 years", "loan_payments", {"due_at": "2524-01-01"}, "due_at: must not lie after 2084"),
    ("paid before known", "loan_payments", {"paid_at": day(99)}, "paid_at: must be at or before updated_at"),
    ("neither true nor false", "loan_outcomes", {"defaulted": "maybe"}, "defaulted: is not true or false"),
    ("reviewed nothing", "transaction_labels", {"transaction_id": "t99"}, "transaction_id: no such row in"),
    ("neither usual nor not", "transaction_labels", {"anomalous": None}, "anomalous: must not be missing"),
    ("reviewed tomorrow", "transaction_labels", {"reviewed_at": LATE}, "reviewed_at: must not lie in the"),
    ("nothing typed", "messages", {"text": ""}, "text: must not be missing"),
    ("only spaces typed", "messages", {"text": "  "}, "text: must not be blank"),
    ("a letter, not a message", "messages", {"text": "x" * 513}, "text: must have at most 512 characters"),
    ("control in a message", "messages", {"text": "hi\x1b"}, "text: must not hold control characters"),
    ("made-up language", "messages", {"language": "tamil"}, "language: must be one of en, hi, hinglish"),
    ("intent without a name", "messages", {"intents": "balance|"}, "intents: must be labels without spaces"),
    ("spans that are no JSON", "messages", {"spans": "[{"}, "spans: must be a JSON list of"),
    ("spans that are no list", "messages", {"spans": "{}"}, "spans: must be a JSON list of"),
    ("a span without label", "messages", {"spans": '[{"start": 0, "end": 1}]'}, "spans: must be a JSON list"),
    ("half a character", "messages", {"spans": span(0, 1.5)}, "spans: must be a JSON list of"),
    ("a flag for a place", "messages", {"spans": span(False, 1)}, "spans: must be a JSON list of"),
    ("an unnamed span", "messages", {"spans": span(0, 1, " ")}, "spans: must be a JSON list of"),
    ("a span past the end", "messages", {"spans": span(24, 28)}, "spans: must lie within the text"),
    ("a span before the start", "messages", {"spans": span(-1, 3)}, "spans: must lie within the text"),
    ("an empty span", "messages", {"spans": span(3, 3)}, "spans: must lie within the text"),
    ("too many spans", "messages", {"spans": "[" * 4097}, "spans: must have at most 4096 characters"),
    ("label known at once", "loan_outcomes", {"as_of": day(133)}, "as_of: must be before known_at"),
]


def broken_row(number: int, table: str, changes: dict[str, Any]) -> dict[str, Any]:
    """A valid row with a key of its own and a parent that is there, so that only the changes are wrong."""
    contract, row = CONTRACTS[table], MAKERS[table](13)
    parents = {column: row[column][0] + "3" for column in contract.foreign_keys}
    return row | parents | {contract.primary_key: f"broken{number}"} | changes


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, IngestReport]:
    """A ledger of good rows with every kind of broken row among them."""
    folder = tmp_path_factory.mktemp("broken")
    ledger = good_ledger()
    for number, (_, table, changes, _) in enumerate(BROKEN):
        ledger[table].insert(number % 7, broken_row(number, table, changes))
    workspace = Workspace.of(folder, "ledger")
    report = ingest(
        write_csv(folder / "ledger", ledger), workspace, quarantine_limit=0.7, now=NOW, batch_rows=16
    )
    return workspace, report


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[case[0] for case in BROKEN])
def test_a_broken_row_is_quarantined_and_named(number: int, ingested: tuple[Workspace, IngestReport]) -> None:
    _, table, changes, expected = BROKEN[number]
    workspace, report = ingested
    frame = warehouse.quarantine(workspace, table)
    keys = frame["row_key"].to_numpy(dtype=object, na_value=None)
    (found,) = frame["reasons"][keys == changes.get(CONTRACTS[table].primary_key, f"broken{number}")]
    assert [reason for reason in found if reason.startswith(expected)]
    assert expected in report.to_markdown()


def test_the_good_rows_come_through(ingested: tuple[Workspace, IngestReport]) -> None:
    workspace, report = ingested
    assert contents(workspace) == ordered(good_ledger())
    assert {entry.table: entry.rows for entry in report.tables} == COUNTS
    assert sum(entry.quarantined for entry in report.tables) == len(BROKEN)
    assert len(warehouse.quarantine(workspace)) == len(BROKEN)


def test_a_row_says_everything_that_is_wrong_with_it(tmp_path: Path) -> None:
    ledger = good_ledger()
    ledger["transactions"].append(
        broken_row(
            0,
            "transactions",
            {"amount_minor": -1, "category": "x", "account_id": "nobody", "merchant": "\x01"},
        )
    )
    workspace = Workspace.of(tmp_path, "ledger")
    ingest(write_csv(tmp_path / "ledger", ledger), workspace, quarantine_limit=0.5, now=NOW)
    found = reasons(workspace)["broken0"]
    assert [reason.partition(":")[0] for reason in found] == [
        "amount_minor",
        "category",
        "merchant",
        "account_id",
    ]
    assert '"amount_minor": "-1"' in warehouse.quarantine(workspace)["row"][0]


def test_children_of_a_quarantined_parent_go_with_it(tmp_path: Path) -> None:
    ledger = good_ledger()
    ledger["users"][4]["currency"] = "???"
    workspace = Workspace.of(tmp_path, "ledger")
    ingest(write_parquet(tmp_path / "ledger", ledger), workspace, quarantine_limit=0.5, now=NOW)
    found = reasons(workspace)
    assert found["a4"] == ["user_id: its row in users is in quarantine"]
    assert found["l4"] == ["user_id: its row in users is in quarantine"]
    assert found["t14"] == ["account_id: its row in accounts is in quarantine"]
    assert found["o4"] == ["loan_id: its row in loans is in quarantine"]
    lost = {"u4", "a4", "l4", "o4", "p4", "p14", "p24", "t4", "t14", "t24", "t34"}
    assert set(found) == lost
    left = {row[next(iter(row))] for rows in contents(workspace).values() for row in rows}
    assert left == {row[next(iter(row))] for rows in good_ledger().values() for row in rows} - lost


def test_a_row_that_comes_twice_counts_once(tmp_path: Path) -> None:
    ledger = good_ledger()
    ledger["transactions"] += [ledger["transactions"][7]] * 2
    workspace = Workspace.of(tmp_path, "ledger")
    report = ingest(write_parquet(tmp_path / "ledger", ledger), workspace, quarantine_limit=0.5, now=NOW)
    assert report.table("transactions").quarantined == 2
    assert reasons(workspace) == {"t7": ["transaction_id: duplicate key, the row came more than once"]}
    assert contents(workspace) == ordered(good_ledger())


def test_rows_that_contradict_each_other_are_both_refused(tmp_path: Path) -> None:
    ledger = good_ledger()
    ledger["transactions"].append(ledger["transactions"][7] | {"amount_minor": 1})
    workspace = Workspace.of(tmp_path, "ledger")
    ingest(write_parquet(tmp_path / "ledger", ledger), workspace, quarantine_limit=0.5, now=NOW, batch_rows=5)
    frame = warehouse.quarantine(workspace)
    assert list(frame["row_key"]) == ["t7", "t7"]
    assert all(
        r == ["transaction_id: duplicate key, the rows contradict each other"] for r in frame["reasons"]
    )
    expected = ordered(good_ledger())
    expected["transactions"] = [row for row in expected["transactions"] if row["transaction_id"] != "t7"]
    assert contents(workspace) == expected


def test_of_two_versions_in_one_delivery_the_newer_counts(tmp_path: Path) -> None:
    ledger = good_ledger()
    newer = ledger["transactions"][7] | {"amount_minor": 1, "updated_at": day(100)}
    ledger["transactions"].insert(0, newer)
    workspace = Workspace.of(tmp_path, "ledger")
    report = ingest(write_parquet(tmp_path / "ledger", ledger), workspace, quarantine_limit=0.0, now=NOW)
    assert report.table("transactions").superseded == 1
    assert newer in contents(workspace)["transactions"]


def test_bytes_that_are_not_utf8_are_quarantined(tmp_path: Path) -> None:
    url = write_csv(tmp_path / "ledger", good_ledger())
    file = tmp_path / "ledger" / "users.csv"
    text = file.read_text(encoding="utf-8").replace("u3,", "u3,", 1)
    lines = text.splitlines()
    lines[4] = lines[4].replace("Kraków", "Krakow\N{LATIN SMALL LETTER E WITH ACUTE}")
    file.write_bytes(
        b"\n".join(line.encode("latin-1" if index == 4 else "utf-8") for index, line in enumerate(lines))
    )
    workspace = Workspace.of(tmp_path, "ledger")
    ingest(url, workspace, quarantine_limit=0.5, now=NOW)
    assert reasons(workspace)["u3"] == ["region: holds bytes that are not UTF-8"]
    assert len(contents(workspace)["users"]) == 9


@pytest.mark.parametrize(
    ("change", "values"), [(lambda line: line + ",extra", 12), (lambda line: line.rpartition(",")[0], 10)]
)
def test_a_line_with_too_many_or_too_few_values_is_quarantined(
    change: Any, values: int, tmp_path: Path
) -> None:
    url = write_csv(tmp_path / "ledger", good_ledger())
    file = tmp_path / "ledger" / "transactions.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    lines.append(change(lines[5].replace("t4,", "t99,")))
    file.write_text("\n".join(lines), encoding="utf-8")
    workspace = Workspace.of(tmp_path, "ledger")
    for _ in range(2):
        ingest(url, workspace, quarantine_limit=0.5, now=NOW)
    frame = warehouse.quarantine(workspace)
    assert frame["reasons"].tolist() == [[f"line: line has {values} values, the header 11"]]
    assert "t99" in frame["row"][0]
    assert contents(workspace) == ordered(good_ledger())
