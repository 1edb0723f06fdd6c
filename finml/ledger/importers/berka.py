"""The Czech bank of the PKDD'99 challenge ("Berka") as a ledger.

Dates in the files have no time of day, so each event is placed where it cannot leak: a day's transactions are
known when the day ends, and a loan's question is asked when its day begins. `docs/data.md` has the mapping.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import structlog

from finml.errors import SourceError
from finml.ledger.importers.berka_codes import DIRECTIONS, categorise, channel_of, english
from finml.ledger.importers.berka_order import order_within_days
from finml.ledger.importers.reading import (
    find_file,
    integers,
    known,
    minor_units,
    read_text_table,
    refuse,
    unique,
    write_tables,
)
from finml.ledger.writer import LedgerWriter

log = structlog.get_logger(__name__)

CURRENCY = "CZK"
DATA_END = pd.Timestamp(1998, 12, 31)
END_OF_DAY = pd.Timedelta(hours=23, minutes=59, seconds=59).as_unit("us")
BAD, GOOD, FINISHED = ("B", "D"), ("A", "C"), ("A", "B")


def import_berka(folder: Path, writer: LedgerWriter) -> dict[str, int]:
    """Import the Berka bank.

    Every loan of `loan.asc` is imported; one gets an outcome when its account has transactions from before
    the loan, for without any there is nothing to judge it by.

    Args:
        folder: holds `district.asc`, `client.asc`, `disp.asc`, `account.asc`, `card.asc`, `loan.asc` and the
            transactions, either `trans.asc` (Czech codes) or any `feup_trans_*.csv` (English codes).
        writer: takes the tables.

    Returns:
        Rows written, by table.

    Raises:
        SourceError: the folder or a file is not there.
        ContractError: a file is empty, unreadable or lacks a column.
        LedgerError: a row has a value that cannot be meant, or points to a row that is not there; names the
            file, the column and the first such line.
    """
    owners, cardholders = _dispositions(folder)
    accounts, opened = _accounts(folder, owners)
    users = _users(folder, opened)
    transactions = _transactions(folder, accounts["account_id"])
    loans, raw_loans = _loans(folder, owners)
    first_seen = transactions.groupby("account_id")["occurred_at"].min()
    rows = write_tables(
        writer,
        {
            "users": users,
            "accounts": pd.concat([accounts, _cards(folder, cardholders)], ignore_index=True),
            "transactions": transactions,
            "loans": loans,
            "loan_outcomes": _outcomes(loans, raw_loans, first_seen),
        },
    )
    log.info("berka_imported", **rows)
    return rows


def _read(folder: Path, name: str, columns: tuple[str, ...]) -> tuple[pd.DataFrame, Path]:
    path = find_file(folder, (name,))
    frame = read_text_table(path, columns, separator=";")
    unique(frame, columns[0], path)
    return frame, path


def _dates(frame: pd.DataFrame, column: str, path: Path) -> "pd.Series[pd.Timestamp]":
    """A YYMMDD column (perhaps with a time behind it) as dates of the 20th century."""
    days = pd.to_datetime("19" + frame[column].str[:6], format="%Y%m%d", errors="coerce")
    refuse(days.isna(), frame[column], path, "is no date YYMMDD")
    return days.astype("datetime64[us]")


def _dispositions(folder: Path) -> tuple["pd.Series[str]", "pd.Series[str]"]:
    """Owner by account, and client by disposition."""
    disp, path = _read(folder, "disp.asc", ("disp_id", "client_id", "account_id", "type"))
    client, _ = _read(folder, "client.asc", ("client_id",))
    known(disp["client_id"], client["client_id"], path, "a client")
    owners = disp[disp["type"] == "OWNER"]
    unique(owners, "account_id", path)
    return owners.set_index("account_id")["client_id"], disp.set_index("disp_id")["client_id"]


def _accounts(folder: Path, owners: "pd.Series[str]") -> tuple[pd.DataFrame, "pd.Series[pd.Timestamp]"]:
    """The current accounts, and by client the day on which the first account they own was opened."""
    raw, path = _read(folder, "account.asc", ("account_id", "date"))
    refuse(~raw["account_id"].isin(owners.index), raw["account_id"], path, "has no owner in disp.asc")
    opened = _dates(raw, "date", path)
    client = raw["account_id"].map(owners)
    accounts = _account_rows("berka-a" + raw["account_id"], client, "current", opened)
    return accounts, opened.groupby(client).min()


def _cards(folder: Path, cardholders: "pd.Series[str]") -> pd.DataFrame:
    raw, path = _read(folder, "card.asc", ("card_id", "disp_id", "issued"))
    known(raw["disp_id"], pd.Series(cardholders.index), path, "a disposition")
    issued = _dates(raw, "issued", path)
    return _account_rows("berka-k" + raw["card_id"], raw["disp_id"].map(cardholders), "credit_card", issued)


def _account_rows(
    account_id: "pd.Series[str]", client: "pd.Series[str]", kind: str, opened: "pd.Series[pd.Timestamp]"
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": account_id,
            "user_id": "berka-c" + client,
            "kind": kind,
            "opened_at": opened,
            "currency": CURRENCY,
            "known_at": opened + END_OF_DAY,
            "updated_at": opened + END_OF_DAY,
        }
    )


def _users(folder: Path, opened: "pd.Series[pd.Timestamp]") -> pd.DataFrame:
    raw, path = _read(folder, "client.asc", ("client_id", "birth_number", "district_id"))
    district, _ = _read(folder, "district.asc", ("A1", "A2"))
    known(raw["district_id"], district["A1"], path, "a district")
    number = integers(raw, "birth_number", path, 0, 999_999)
    female = number // 100 % 100 > 50
    born = raw.assign(birth_number=pd.Series(number - female * 5000).astype(str).str.zfill(6))
    # A client who owns no account has no date; the bank itself opened on the first day of its files.
    created = raw["client_id"].map(opened).fillna(opened.min())
    return pd.DataFrame(
        {
            "user_id": "berka-c" + raw["client_id"],
            "created_at": created,
            "birth_date": _dates(born, "birth_number", path),
            "sex": np.where(female, "female", "male"),
            "region": raw["district_id"].map(district.set_index("A1")["A2"]),
            "currency": CURRENCY,
            "known_at": created + END_OF_DAY,
            "updated_at": created + END_OF_DAY,
        }
    )


def _transactions(folder: Path, accounts: "pd.Series[str]") -> pd.DataFrame:
    columns = ("trans_id", "account_id", "date", "type", "operation", "amount", "balance", "k_symbol")
    paths = (
        [folder / "trans.asc"]
        if (folder / "trans.asc").is_file()
        else sorted(folder.glob("feup_trans_*.csv"))
    )
    if not paths:
        raise SourceError(
            f"{folder} holds no trans.asc and no feup_trans_*.csv",
            hint="docs/data.md lists the files an import reads",
        )
    parts = []
    for path in paths:
        raw, _ = _read(folder, path.name, columns)
        known("berka-a" + raw["account_id"], accounts, path, "an account")
        parts.append(_transaction_rows(raw, path))
    transactions = pd.concat(parts, ignore_index=True)
    return transactions.drop_duplicates("transaction_id", ignore_index=True)


def _transaction_rows(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    direction = english(raw["type"]).map(DIRECTIONS)
    refuse(direction.isna(), raw["type"], path, "is no known type of transaction")
    amount = minor_units(raw, "amount", path)
    refuse(pd.Series(amount < 0), raw["amount"], path, "is below zero")
    balance = minor_units(raw, "balance", path)
    date = _dates(raw, "date", path)
    operation, purpose = english(raw["operation"]), english(raw["k_symbol"])
    category = categorise(operation, purpose)
    position = order_within_days(
        integers(raw, "account_id", path, 0, 10**9),
        date.to_numpy().astype(np.int64),
        np.where(direction == "credit", amount, -amount),
        balance,
    )
    rows = pd.DataFrame(
        {
            "transaction_id": "berka-t" + raw["trans_id"],
            "account_id": "berka-a" + raw["account_id"],
            "occurred_at": date + pd.to_timedelta(position, unit="s").astype("timedelta64[us]"),
            "direction": direction,
            "amount_minor": amount,
            "category": category,
            "channel": channel_of(operation, category),
            "balance_after_minor": balance,
            "known_at": date + END_OF_DAY,
            "updated_at": date + END_OF_DAY,
        }
    )
    moved = amount > 0
    if not moved.all():
        log.info("berka_empty_transactions_left_out", file=path.name, rows=int((~moved).sum()))
    return rows[moved]


def _loans(folder: Path, owners: "pd.Series[str]") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The loans, and row by row what `loan.asc` says of them."""
    raw, path = _read(
        folder, "loan.asc", ("loan_id", "account_id", "date", "amount", "duration", "payments", "status")
    )
    known(raw["account_id"], pd.Series(owners.index), path, "an account")
    refuse(~raw["status"].isin((*GOOD, *BAD, "")), raw["status"], path, "is none of A, B, C, D")
    granted = _dates(raw, "date", path)
    principal = minor_units(raw, "amount", path)
    refuse(pd.Series(principal <= 0), raw["amount"], path, "is not above zero")
    loans = pd.DataFrame(
        {
            "loan_id": "berka-l" + raw["loan_id"],
            "user_id": "berka-c" + raw["account_id"].map(owners),
            "kind": "personal",
            "applied_at": granted,
            "principal_minor": principal,
            "term_months": integers(raw, "duration", path, 1, 600),
            "installment_minor": minor_units(raw, "payments", path),
            "currency": CURRENCY,
            # Later than the moment of the question, so that a loan is no part of the history it is judged by.
            "known_at": granted + END_OF_DAY,
            "updated_at": granted + END_OF_DAY,
        }
    )
    return loans, raw


def _outcomes(loans: pd.DataFrame, raw: pd.DataFrame, first_seen: "pd.Series[pd.Timestamp]") -> pd.DataFrame:
    """Outcomes of the loans whose account has a history from before the loan."""
    judged = (("berka-a" + raw["account_id"]).map(first_seen) < loans["applied_at"]) & (raw["status"] != "")
    loans, raw = loans[judged], raw[judged]
    # A finished loan's outcome is known at its end, a running one's when the bank's files end.
    known_at = pd.Series(DATA_END, index=loans.index)
    for row in np.flatnonzero(raw["status"].isin(FINISHED)).tolist():
        end = loans["applied_at"].iloc[row] + pd.DateOffset(months=int(loans["term_months"].iloc[row]))
        known_at.iloc[row] = min(end, DATA_END)
    known_at = known_at.astype("datetime64[us]") + END_OF_DAY
    return pd.DataFrame(
        {
            "outcome_id": "berka-o" + raw["loan_id"],
            "loan_id": loans["loan_id"],
            "as_of": loans["applied_at"],
            "defaulted": raw["status"].isin(BAD),
            "known_at": known_at,
            "updated_at": known_at,
        }
    )
