"""The Taiwan credit card clients as a ledger."""

import os
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from finml.errors import ContractError, LedgerError, SourceError
from finml.ledger.checks import failures, to_frame
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.importers import import_taiwan
from finml.ledger.writer import open_writer

HEADER = (
    "ID,LIMIT_BAL,SEX,EDUCATION,MARRIAGE,AGE,PAY_0,PAY_2,PAY_3,PAY_4,PAY_5,PAY_6,"
    "BILL_AMT1,BILL_AMT2,BILL_AMT3,BILL_AMT4,BILL_AMT5,BILL_AMT6,"
    "PAY_AMT1,PAY_AMT2,PAY_AMT3,PAY_AMT4,PAY_AMT5,PAY_AMT6,default.payment.next.month"
)
ROWS = (
    "2,120000,2,2,2,26,-1,2,0,0,0,2,2682.0,1725.0,2682.0,3272.0,3455.0,3261.0,0.0,1000.0,1000.0,1000.0,0.0,2000.0,1",
    "3,90000,1,5,0,34,-2,0,0,0,0,0,-29.5,14027,13559,14331,14948,15549,1518,1500,1000,1000,1000,5000,0",
)

Ledger = dict[str, pd.DataFrame]


def write(folder: Path, *rows: str, header: str = HEADER, name: str = "credit_card_clients.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return folder


def imported(folder: Path, ledger: Path) -> Ledger:
    with open_writer(str(ledger), "taiwan") as writer:
        rows = import_taiwan(folder, writer)
    tables = {table: to_frame(pq.read_table(ledger / f"{table}.parquet")) for table in TABLES}
    assert rows == {table: len(frame) for table, frame in tables.items() if len(frame)}
    for table, contract in CONTRACTS.items():
        assert failures(contract.schema(datetime(2006, 1, 1)), tables[table]) == {}
        assert tables[table][contract.primary_key].is_unique
        for column, parent in contract.foreign_keys.items():
            assert tables[table][column].isin(tables[parent][CONTRACTS[parent].primary_key]).all()
    return tables


def test_a_client_becomes_a_user_with_a_card_and_a_credit_line(tmp_path: Path) -> None:
    tables = imported(write(tmp_path / "data", *ROWS), tmp_path / "ledger")
    user = tables["users"].set_index("user_id").loc["taiwan-c2"]
    assert (user["sex"], user["education"], user["marital_status"]) == ("female", "university", "single")
    age = (pd.Timestamp(2005, 9, 30) - user["birth_date"]).days / 365.25
    assert int(age) == 26
    account = tables["accounts"].set_index("account_id").loc["taiwan-a2"]
    assert (account["kind"], account["credit_limit_minor"], account["currency"]) == (
        "credit_card",
        12_000_000,
        "TWD",
    )
    loan = tables["loans"].set_index("loan_id").loc["taiwan-l2"]
    assert (loan["kind"], loan["principal_minor"], loan["user_id"]) == (
        "credit_line",
        12_000_000,
        "taiwan-c2",
    )
    assert len(tables["transactions"]) == 0


def test_undocumented_codes_become_other(tmp_path: Path) -> None:
    tables = imported(write(tmp_path / "data", *ROWS), tmp_path / "ledger")
    user = tables["users"].set_index("user_id").loc["taiwan-c3"]
    assert (user["sex"], user["education"], user["marital_status"]) == ("male", "other", "other")


def test_statements_keep_all_that_the_codes_say(tmp_path: Path) -> None:
    tables = imported(write(tmp_path / "data", *ROWS), tmp_path / "ledger")
    statements = tables["loan_payments"].set_index("payment_id")
    september, august = statements.loc["taiwan-p2-200509"], statements.loc["taiwan-p2-200508"]
    assert (september["status"], september["days_past_due"]) == ("paid_in_full", 0)
    assert (august["status"], august["days_past_due"]) == ("late", 60)
    assert statements.loc["taiwan-p3-200509", "status"] == "unused"
    assert statements.loc["taiwan-p3-200508", "status"] == "revolving"
    assert august["statement_balance_minor"] == 172_500
    assert (august["amount_paid_minor"], august["paid_at"]) == (100_000, pd.Timestamp(2005, 8, 31))
    assert pd.isna(september["paid_at"])
    assert pd.isna(september["amount_paid_minor"])
    in_credit = statements.loc["taiwan-p3-200509"]
    assert (in_credit["statement_balance_minor"], in_credit["amount_due_minor"]) == (-2950, 0)
    april = statements.loc["taiwan-p2-200504"]
    assert (april["due_at"], april["status"], april["amount_paid_minor"]) == (
        pd.Timestamp(2005, 4, 30),
        "late",
        200_000,
    )


def test_the_question_is_asked_after_the_last_statement_and_before_the_answer(tmp_path: Path) -> None:
    tables = imported(write(tmp_path / "data", *ROWS), tmp_path / "ledger")
    outcomes = tables["loan_outcomes"].set_index("loan_id")
    assert outcomes["defaulted"].to_dict() == {"taiwan-l2": True, "taiwan-l3": False}
    known = pd.concat(
        [tables[table]["known_at"] for table in ("users", "accounts", "loans", "loan_payments")]
    )
    assert (known.max() <= outcomes["as_of"]).all()
    assert (outcomes["known_at"] == pd.Timestamp(2005, 10, 31, 23, 59, 59)).all()


@pytest.mark.parametrize(
    "label", ["default payment next month", "default.payment.next.month", "default", '"Default "']
)
def test_the_headers_in_circulation_mean_the_same(label: str, tmp_path: Path) -> None:
    header = HEADER.replace("default.payment.next.month", label).replace("PAY_0", "PAY_1")
    plain = imported(write(tmp_path / "plain", *ROWS), tmp_path / "first")
    other = imported(
        write(tmp_path / "other", *ROWS, header="\ufeff" + header, name="UCI_Credit_Card.csv"),
        tmp_path / "second",
    )
    for table in TABLES:
        pd.testing.assert_frame_equal(plain[table], other[table])


def changed(row: str, place: int, value: str) -> str:
    cells = row.split(",")
    cells[place] = value
    return ",".join(cells)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, "", "ID is empty"),
        (0, "2", "ID comes twice"),
        (1, "-5", "LIMIT_BAL is not above zero"),
        (1, "many", "LIMIT_BAL is no amount in 1 row"),
        (2, "x", "SEX is no whole number"),
        (5, "17", "AGE is no whole number 18..120"),
        (6, "-3", "PAY_0 is no whole number"),
        (12, "", "BILL_AMT1 is no amount"),
        (18, "-1", "PAY_AMT1 is below zero"),
        (24, "2", "DEFAULT is no whole number 0..1"),
        (24, "", "DEFAULT is no whole number 0..1"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(place: int, value: str, words: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "data", ROWS[0], changed(ROWS[1], place, value))
    with pytest.raises(LedgerError, match=words) as refused:
        imported(folder, tmp_path / "ledger")
    assert "credit_card_clients.csv" in str(refused.value)
    assert "line 3" in str(refused.value)
    assert refused.value.hint
    assert not (tmp_path / "ledger").exists()


def test_missing_columns_are_named(tmp_path: Path) -> None:
    header = HEADER.replace(",PAY_4,", ",").replace(",AGE,", ",")
    with pytest.raises(ContractError, match="lacks the columns AGE, PAY_4"):
        imported(write(tmp_path / "data", header=header), tmp_path / "ledger")


def test_a_label_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", *(f"{row},1" for row in ROWS), header=HEADER + ",default")
    with pytest.raises(ContractError, match="a column twice"):
        imported(folder, tmp_path / "ledger")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (HEADER.encode() + b"\n", "no rows"),
        (b"\xff\xfe\x00\x01" + HEADER.encode(), "not UTF-8"),
        (HEADER.encode() + b"\n1\n" + b",".join([b"1"] * 40) + b"\n", "not a table"),
        (HEADER.encode() + b"\n" + ROWS[0].encode() + b",1,1\n", "more cells than the header"),
    ],
)
def test_files_that_are_no_table_are_refused(content: bytes, words: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    (folder / "credit_card_clients.csv").write_bytes(content)
    with pytest.raises(ContractError, match=words):
        imported(folder, tmp_path / "ledger")


def test_a_folder_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no credit_card_clients\.csv or UCI_Credit_Card\.csv"):
        imported(tmp_path, tmp_path / "ledger")
    with pytest.raises(SourceError, match="is not a folder"):
        imported(tmp_path / "nowhere", tmp_path / "ledger")


@pytest.mark.realdata
@pytest.mark.skipif(
    "FINML_TEST_DATA" not in os.environ, reason="FINML_TEST_DATA names no folder of public data"
)
def test_the_public_file_is_imported_whole(tmp_path: Path) -> None:
    folder = Path(os.environ["FINML_TEST_DATA"]) / "taiwan_credit_default"
    raw = pd.read_csv(folder / "credit_card_clients.csv")
    tables = imported(folder, tmp_path / "ledger")
    assert len(tables["users"]) == len(tables["loans"]) == len(tables["loan_outcomes"]) == len(raw)
    assert len(tables["loan_payments"]) == 6 * len(raw)
    assert tables["loan_outcomes"]["defaulted"].sum() == raw["default.payment.next.month"].sum()
    assert tables["loan_payments"]["statement_balance_minor"].sum() == round(
        100 * raw.filter(like="BILL_AMT").to_numpy().sum()
    )
    assert tables["loan_payments"]["amount_paid_minor"].sum() == round(
        100 * raw.filter(like="PAY_AMT").to_numpy().sum()
    )
    assert tables["loans"]["principal_minor"].sum() == 100 * raw["LIMIT_BAL"].sum()
    codes = raw[["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]].stack()
    assert tables["loan_payments"]["days_past_due"].sum() == 30 * codes.clip(lower=0).sum()
    counts = tables["loan_payments"]["status"].value_counts()
    assert counts["unused"] == (codes == -2).sum()
    assert counts["paid_in_full"] == (codes == -1).sum()
    assert counts["revolving"] == (codes == 0).sum()
