"""The UCI data set "default of credit card clients" (Taiwan, 2005) as a ledger.

One row of the file is one client with one credit card. It becomes a user, a card account, a credit line, six
monthly statements and the outcome of the month after. `docs/data.md` has the mapping column by column.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import structlog

from finml.ledger.importers.reading import (
    Int64s,
    find_file,
    integers,
    minor_units,
    read_text_table,
    refuse,
    unique,
    write_tables,
)
from finml.ledger.writer import LedgerWriter

log = structlog.get_logger(__name__)

FILES = ("credit_card_clients.csv", "UCI_Credit_Card.csv")
CURRENCY = "TWD"
STATEMENTS = tuple(pd.Timestamp(2005, month, 1) + pd.offsets.MonthEnd() for month in range(4, 10))
"""Statement dates, April to September 2005; the k-th has the columns numbered 6 - k."""

START = pd.Timestamp(2005, 4, 1)
AS_OF = pd.Timestamp(2005, 9, 30, 23, 59, 59)
LABEL_KNOWN = pd.Timestamp(2005, 10, 31, 23, 59, 59)

SEX = {1: "male", 2: "female"}
EDUCATION = {1: "graduate_school", 2: "university", 3: "high_school"}
MARRIAGE = {1: "married", 2: "single"}
STATUS = {-2: "unused", -1: "paid_in_full", 0: "revolving"}
DAYS_A_MONTH_LATE = 30
HALF_A_DAY = pd.Timedelta(hours=12)

LABEL = "DEFAULT"
RENAMED = {"DEFAULT_PAYMENT_NEXT_MONTH": LABEL, "PAY_1": "PAY_0"}
PAY = ("PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0")
BILLS = tuple(f"BILL_AMT{k}" for k in range(6, 0, -1))
PAID = tuple(f"PAY_AMT{k}" for k in range(6, 0, -1))
COLUMNS = ("ID", "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", *PAY, *BILLS, *PAID, LABEL)


def import_taiwan(folder: Path, writer: LedgerWriter) -> dict[str, int]:
    """Import the Taiwan credit card clients.

    Args:
        folder: holds `credit_card_clients.csv` or `UCI_Credit_Card.csv`, with any header in circulation.
        writer: takes the tables.

    Returns:
        Rows written, by table.

    Raises:
        SourceError: the folder or the file is not there.
        ContractError: the file is empty, unreadable or lacks a column.
        LedgerError: a row has a value that cannot be meant; names the column and the first such line.
    """
    path = find_file(folder, FILES)
    raw = read_text_table(path, COLUMNS, separator=",", rename=_column)
    refuse(raw["ID"] == "", raw["ID"], path, "is empty")
    unique(raw, "ID", path)
    label = integers(raw, LABEL, path, 0, 1)
    limit = minor_units(raw, "LIMIT_BAL", path)
    refuse(pd.Series(limit <= 0), raw["LIMIT_BAL"], path, "is not above zero")

    rows = write_tables(
        writer,
        {
            "users": _users(raw, path),
            "accounts": _accounts(raw, limit),
            "loans": _loans(raw, limit),
            "loan_payments": _statements(raw, path),
            "loan_outcomes": pd.DataFrame(
                {
                    "outcome_id": "taiwan-o" + raw["ID"],
                    "loan_id": "taiwan-l" + raw["ID"],
                    "as_of": AS_OF,
                    "defaulted": label == 1,
                    "known_at": LABEL_KNOWN,
                    "updated_at": LABEL_KNOWN,
                }
            ),
        },
    )
    log.info("taiwan_imported", **rows)
    return rows


def _column(name: str) -> str:
    """The one spelling of a header that circulates in several."""
    spelled = re.sub(r"[^0-9A-Z]+", "_", name.upper()).strip("_")
    return RENAMED.get(spelled, spelled)


def _users(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    age = integers(raw, "AGE", path, 18, 120)
    # The file has the age alone. Born at mid-year, a client is that old on the day of the question.
    born = pd.to_datetime({"year": 2005 - age, "month": 7, "day": 1})
    return pd.DataFrame(
        {
            "user_id": "taiwan-c" + raw["ID"],
            "created_at": START,
            "birth_date": born,
            "sex": _decoded(raw, "SEX", path, SEX),
            "education": _decoded(raw, "EDUCATION", path, EDUCATION),
            "marital_status": _decoded(raw, "MARRIAGE", path, MARRIAGE),
            "currency": CURRENCY,
            "known_at": START,
            "updated_at": START,
        }
    )


def _decoded(raw: pd.DataFrame, column: str, path: Path, codes: dict[int, str]) -> "pd.Series[str]":
    return pd.Series(integers(raw, column, path, 0, 99)).map(codes).fillna("other")


def _accounts(raw: pd.DataFrame, limit: Int64s) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": "taiwan-a" + raw["ID"],
            "user_id": "taiwan-c" + raw["ID"],
            "kind": "credit_card",
            "opened_at": START,
            "credit_limit_minor": pd.Series(limit).astype("Int64"),
            "currency": CURRENCY,
            "known_at": START,
            "updated_at": START,
        }
    )


def _loans(raw: pd.DataFrame, limit: Int64s) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "loan_id": "taiwan-l" + raw["ID"],
            "user_id": "taiwan-c" + raw["ID"],
            "kind": "credit_line",
            "applied_at": START,
            "principal_minor": limit,
            "currency": CURRENCY,
            "known_at": START,
            "updated_at": START,
        }
    )


def _statements(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    months = []
    for date, code_column, bill_column, paid_column in zip(STATEMENTS, PAY, BILLS, PAID, strict=True):
        code = integers(raw, code_column, path, -2, 99)
        bill = minor_units(raw, bill_column, path)
        paid = minor_units(raw, paid_column, path)
        refuse(pd.Series(paid < 0), raw[paid_column], path, "is below zero")
        closed = date + HALF_A_DAY
        months.append(
            pd.DataFrame(
                {
                    "payment_id": "taiwan-p" + raw["ID"] + f"-{date:%Y%m}",
                    "loan_id": "taiwan-l" + raw["ID"],
                    "due_at": date,
                    # No minimum is reported, so what could have been asked for is the whole balance.
                    "amount_due_minor": np.maximum(bill, 0),
                    "paid_at": pd.Series(date, index=raw.index).where(paid > 0),
                    "amount_paid_minor": pd.Series(paid).astype("Int64").where(paid > 0),
                    "statement_balance_minor": pd.Series(bill).astype("Int64"),
                    "days_past_due": pd.Series(np.maximum(code, 0) * DAYS_A_MONTH_LATE).astype("Int64"),
                    "status": pd.Series(code).map(STATUS).fillna("late"),
                    "known_at": closed,
                    "updated_at": closed,
                }
            )
        )
    return pd.concat(months, ignore_index=True)
