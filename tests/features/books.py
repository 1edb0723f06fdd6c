"""Small ledgers, row by row, for tests of features."""

import json
import random
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from finml.features.credit_history import credit_history
from finml.features.spending_history import spending_history
from finml.features.tables import LedgerTables
from finml.features.transaction_habits import transaction_habits
from finml.features.user_financials import movements, user_financials
from finml.ledger.contracts import CATEGORIES, CONTRACTS, TABLES

LONG_AGO = datetime(2020, 1, 1)
Spine = Iterable[tuple[str, datetime]]


class Book:
    """A ledger under construction. What is not said gets a plain default."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}

    def add(self, table: str, happened: datetime, values: Mapping[str, Any]) -> dict[str, Any]:
        row = dict.fromkeys(CONTRACTS[table].column_names)
        row |= {CONTRACTS[table].event_time: happened, "known_at": happened} | dict(values)
        row["updated_at"] = values.get("updated_at", row["known_at"])
        if "currency" in row:
            row["currency"] = "INR"
        self.rows[table].append(row)
        return row

    def user(self, user_id: str = "u", at: datetime = LONG_AGO, **values: Any) -> dict[str, Any]:
        return self.add("users", at, {"user_id": user_id, **values})

    def account(self, account_id: str = "a", at: datetime = LONG_AGO, **values: Any) -> dict[str, Any]:
        return self.add(
            "accounts", at, {"account_id": account_id, "user_id": "u", "kind": "savings", **values}
        )

    def money(self, at: datetime, amount: int, category: str = "salary", **values: Any) -> dict[str, Any]:
        """A transaction: in above zero, out below."""
        return self.add(
            "transactions",
            at,
            {
                "transaction_id": f"t{len(self.rows['transactions'])}",
                "account_id": "a",
                "direction": "credit" if amount > 0 else "debit",
                "amount_minor": abs(amount),
                "category": category,
                **values,
            },
        )

    def loan(self, loan_id: str = "l", at: datetime = LONG_AGO, **values: Any) -> dict[str, Any]:
        defaults = {"loan_id": loan_id, "user_id": "u", "kind": "personal", "principal_minor": 1_000_000}
        return self.add("loans", at, {**defaults, **values})

    def payment(self, due: datetime, loan_id: str = "l", **values: Any) -> dict[str, Any]:
        """An instalment that is paid on time unless said otherwise."""
        number = len(self.rows["loan_payments"])
        defaults = {
            "payment_id": f"p{number}",
            "loan_id": loan_id,
            "amount_due_minor": 10_000,
            "paid_at": due,
            "amount_paid_minor": 10_000,
        }
        return self.add("loan_payments", due, {**defaults, **values})

    def outcome(
        self, as_of: datetime, *, defaulted: bool = False, loan_id: str = "l", **values: Any
    ) -> dict[str, Any]:
        number = len(self.rows["loan_outcomes"])
        known = {"known_at": as_of + timedelta(days=90)} | values
        return self.add(
            "loan_outcomes",
            as_of,
            {"outcome_id": f"o{number}", "loan_id": loan_id, "defaulted": defaulted, **known},
        )

    def arrow(self, table: str) -> pa.Table:
        return pa.Table.from_pylist(self.rows[table], schema=CONTRACTS[table].arrow_schema)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            pq.write_table(self.arrow(table), folder / f"{table}.parquet")
        return folder


class Lab:
    """Every view over whatever ledger it is given, its SQL made once so that many ledgers are quick."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="ibis")
            self._prepare()

    def _prepare(self) -> None:
        self._backend = ibis.duckdb.connect()
        empty = Book()
        tables = {name: self._backend.create_table(f"ledger_{name}", empty.arrow(name)) for name in TABLES}
        spine = self._backend.create_table(
            "spine", schema=ibis.schema({"user_id": "string", "event_timestamp": "timestamp(6)"})
        )
        ledger = LedgerTables.of(tables)
        self._sql = {
            view: self._backend.compile(rows)
            for view, rows in {
                "user_financials": user_financials(ledger, spine),
                "credit_history": credit_history(ledger, spine),
                "transaction_habits": transaction_habits(movements(ledger), spine),
                "spending_history": spending_history(ledger, spine),
            }.items()
        }

    def compute(self, view: str, book: Book, spine: Spine) -> pd.DataFrame:
        """The view's rows, indexed by user and time."""
        for name in TABLES:
            self._fill(f"ledger_{name}", book.arrow(name))
        rows = [{"user_id": user, "event_timestamp": at} for user, at in spine]
        self._fill("spine", pa.Table.from_pylist(rows, schema=_SPINE))
        frame = self._backend.raw_sql(self._sql[view]).df()
        return frame.set_index(["user_id", "event_timestamp"]).sort_index()

    def row(self, view: str, book: Book, at: datetime, user_id: str = "u") -> Mapping[str, float]:
        """The one row of a user and time."""
        frame = self.compute(view, book, [(user_id, at)])
        assert len(frame) == 1
        return frame.iloc[0].to_dict()

    def text(self, view: str, book: Book, at: datetime, user_id: str = "u") -> dict[str, Any]:
        """What the one text of a view holds of a user and time."""
        (text,) = self.row(view, book, at, user_id).values()
        return json.loads(text)

    def _fill(self, name: str, rows: pa.Table) -> None:
        self._backend.raw_sql(f"truncate {name}")
        self._backend.con.register("incoming", rows)
        self._backend.raw_sql(f"insert into {name} by name from incoming")
        self._backend.con.unregister("incoming")


_SPINE = pa.schema([("user_id", pa.string()), ("event_timestamp", pa.timestamp("us"))])


def bank(seed: int, *, users: int = 8, months: int = 8) -> Book:
    """A random ledger of some users, their accounts, loans and outcomes; the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - test data, no secret
    merchants = random.Random(seed)  # noqa: S311 - test data, no secret
    book = Book()
    start = datetime(2024, 1, 1)

    def moment(days: float) -> datetime:
        return start + timedelta(seconds=draw.randrange(int(days * 86_400)))

    for number in range(users):
        user = f"u{number}"
        income = draw.choice((None, draw.randrange(10**6)))
        book.user(user, start - timedelta(days=draw.randrange(300)), monthly_income_minor=income)
        for kind in ("savings", "credit_card"):
            account = f"{user}-{kind}"
            book.account(account, start, user_id=user, kind=kind, credit_limit_minor=10**6)
            for _ in range(draw.randrange(40)):
                at = moment(30 * months)
                book.money(
                    at,
                    draw.choice((-1, -1, -1, 1)) * draw.randrange(1, 10**6),
                    draw.choice(CATEGORIES),
                    account_id=account,
                    known_at=at + timedelta(days=draw.choice((0, 0, 0, 20))),
                    merchant=merchants.choice((None, "Café", "Bus", 'A "quoted", name')),
                    balance_after_minor=draw.choice((None, draw.randrange(-(10**5), 10**6))),
                )
        loan = f"{user}-loan"
        book.loan(loan, start - timedelta(days=1), user_id=user, installment_minor=10_000, term_months=24)
        for month in range(months):
            due = start + timedelta(days=30 * month)
            paid = draw.choice((None, due + timedelta(days=draw.randrange(60))))
            book.payment(
                due,
                loan,
                paid_at=paid,
                amount_paid_minor=None if paid is None else 10_000,
                known_at=due,
                updated_at=paid or due,
            )
        asked = f"{user}-asked"
        as_of = start + timedelta(hours=24 * draw.randrange(12 * months, 30 * months - 10) + 7)
        book.loan(asked, as_of, user_id=user, principal_minor=5 * 10**6, term_months=12, annual_rate=0.14)
        book.outcome(as_of, defaulted=draw.random() < 0.3, loan_id=asked)
    return book


def offline(folder: Path, view: str) -> pd.DataFrame:
    """Everything that the offline store holds of a view, in one order."""
    frame = pd.read_parquet(folder / "current" / view)
    return frame.sort_values(["user_id", "event_timestamp"], ignore_index=True)


def bits(frame: pd.DataFrame) -> bytes:
    """The bytes of all numbers and texts of a frame; equal only if every value has the same bits."""
    texts = frame.select_dtypes("object").astype("string").to_csv(index=False)
    return frame.select_dtypes("float64").to_numpy().tobytes() + texts.encode()
