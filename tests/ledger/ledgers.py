"""Small ledgers for tests: valid rows of all tables, and ways to lay them down."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from finml.ledger import warehouse
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.writer import open_writer
from finml.settings import Workspace

NOW = datetime(2024, 6, 1)
"""The clock of all tests: nothing in a ledger may lie after it."""
START = datetime(2024, 1, 1)

Rows = dict[str, list[dict[str, Any]]]


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def times(number: float) -> dict[str, datetime]:
    return {"known_at": day(number), "updated_at": day(number)}


def user(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "user_id": f"u{number}",
        "created_at": day(number),
        "birth_date": datetime(1980, 5, 17),
        "sex": "female",
        "education": None,
        "marital_status": "single",
        "region": "Kraków",
        "monthly_income_minor": 5_000_000,
        "currency": "INR",
        **times(number),
    }
    return row | changes


def account(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "account_id": f"a{number}",
        "user_id": f"u{number}",
        "kind": "savings",
        "opened_at": day(number),
        "closed_at": None,
        "credit_limit_minor": None,
        "currency": "INR",
        **times(number),
    }
    return row | changes


def transaction(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "transaction_id": f"t{number}",
        "account_id": f"a{number % 10}",
        "occurred_at": day(20 + number),
        "direction": "debit",
        "amount_minor": 1_999 + number,
        "category": "groceries",
        "merchant": 'Bob\'s, "the" café',
        "channel": "upi",
        "balance_after_minor": -5,
        **times(20 + number),
    }
    return row | changes


def loan(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "loan_id": f"l{number}",
        "user_id": f"u{number}",
        "kind": "personal",
        "applied_at": day(20 + number),
        "principal_minor": 10_000_000,
        "term_months": 24,
        "annual_rate": 0.125,
        "installment_minor": 473_000,
        "collateral_value_minor": None,
        "currency": "INR",
        **times(20 + number),
    }
    return row | changes


def loan_payment(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "payment_id": f"p{number}",
        "loan_id": f"l{number % 10}",
        "due_at": day(50 + number),
        "amount_due_minor": 473_000,
        "paid_at": day(51 + number),
        "amount_paid_minor": 473_000,
        "statement_balance_minor": None,
        "days_past_due": 1,
        "status": "late",
        "known_at": day(50 + number),
        "updated_at": day(51 + number),
    }
    return row | changes


def loan_outcome(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "outcome_id": f"o{number}",
        "loan_id": f"l{number}",
        "as_of": day(20 + number),
        "defaulted": number % 3 == 0,
        **times(120 + number),
    }
    return row | changes


def transaction_label(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "transaction_id": f"t{30 + number}",
        "anomalous": number % 2 == 0,
        "kind": "burst" if number % 2 == 0 else None,
        "reviewed_at": day(70 + number),
        **times(70 + number),
    }
    return row | changes


def message(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "message_id": f"m{number}",
        "user_id": None if number % 3 == 0 else f"u{number}",
        "written_at": day(20 + number),
        "text": "मेरे खाते से ₹500 kab kate?",
        "language": "hinglish",
        "intents": "transactions_search|balance",
        "spans": '[{"start": 13, "end": 17, "label": "MONEY"}]',
        **times(20 + number),
    }
    return row | changes


MAKERS = {
    "users": user,
    "accounts": account,
    "transactions": transaction,
    "loans": loan,
    "loan_payments": loan_payment,
    "loan_outcomes": loan_outcome,
    "transaction_labels": transaction_label,
    "messages": message,
}
COUNTS = {
    "users": 10,
    "accounts": 10,
    "transactions": 40,
    "loans": 10,
    "loan_payments": 30,
    "loan_outcomes": 10,
    "transaction_labels": 10,
    "messages": 10,
}


def good_ledger() -> Rows:
    return {table: [maker(number) for number in range(COUNTS[table])] for table, maker in MAKERS.items()}


def typed(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=CONTRACTS[table].arrow_schema)


def write_parquet(folder: Path, ledger: Mapping[str, list[dict[str, Any]]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in ledger.items():
        pq.write_table(typed(table, rows), folder / f"{table}.parquet")
    return str(folder)


def write_csv(folder: Path, ledger: Mapping[str, list[dict[str, Any]]]) -> str:
    folder.mkdir(exist_ok=True)
    for table, rows in ledger.items():
        frame = pd.DataFrame(rows, columns=list(CONTRACTS[table].column_names), dtype=object)
        frame.to_csv(folder / f"{table}.csv", index=False)
    return str(folder)


def contents(workspace: Workspace) -> Rows:
    """The validated tables, each ordered by its key."""
    with duckdb.connect(workspace.warehouse, read_only=True) as connection:
        return {
            table: connection.table(table).order(CONTRACTS[table].primary_key).to_arrow_table().to_pylist()
            for table in TABLES
        }


def ordered(ledger: Rows) -> Rows:
    return {
        table: sorted(rows, key=lambda row: row[CONTRACTS[table].primary_key])
        for table, rows in ledger.items()
    }


def reasons(workspace: Workspace) -> dict[str, list[str]]:
    """Reasons in quarantine by key."""
    frame = warehouse.quarantine(workspace)
    return dict(zip(frame["row_key"], frame["reasons"], strict=True))


def bank_sqlite(folder: Path) -> str:
    """A SQLite ledger that finml did not write: empty tables whose columns take anything."""
    with sqlite3.connect(folder / "bank.db") as bank:
        for table, contract in CONTRACTS.items():
            bank.execute(f"CREATE TABLE {table} ({', '.join(contract.column_names)})")
    return f"sqlite:///{folder}/bank.db"


def write(url: str, ledger: Rows, **options: Any) -> None:
    """Write a ledger with finml's own writer, in pieces of both kinds that it takes."""
    with open_writer(url, "test", **options) as writer:
        for table, rows in ledger.items():
            writer.write(table, typed(table, rows[:3]))
            writer.write(table, typed(table, rows[3:]).to_pandas())
