"""The Berka bank as a ledger."""

import os
from datetime import datetime
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import ContractError, LedgerError, SourceError
from finml.ledger.checks import failures, to_frame
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.importers import import_berka
from finml.ledger.importers.berka_order import order_within_days
from finml.ledger.writer import open_writer

Ledger = dict[str, pd.DataFrame]

FILES = {
    "district.asc": "A1;A2;A3\n1;Prague;x\n2;Pisek;y\n",
    "client.asc": 'client_id;birth_number;district_id\n1;"706213";1\n2;"450204";2\n3;"050101";2\n',
    "disp.asc": 'disp_id;client_id;account_id;type\n1;1;10;"OWNER"\n2;2;20;"OWNER"\n3;3;20;"DISPONENT"\n',
    "account.asc": (
        "account_id;district_id;frequency;date\n10;1;POPLATEK MESICNE;930101\n20;2;POPLATEK TYDNE;940215\n"
    ),
    "card.asc": 'card_id;disp_id;type;issued\n7;2;"gold";960107 00:00:00\n',
    "loan.asc": (
        "loan_id;account_id;date;amount;duration;payments;status\n"
        '100;10;950110;96396;12;8033.00;"B"\n200;20;970703;165960;36;4610.00;"C"\n'
    ),
    "feup_trans_test.csv": (
        "trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account\n"
        "1;10;941203;credit;credit in cash;1000.00;1000.00;;;\n"
        "3;10;941205;withdrawal;withdrawal in cash;600.00;2400.50;;;\n"
        "2;10;941205;credit;collection from another bank;2000.50;3000.50;;;\n"
        "4;10;941231;withdrawal;withdrawal in cash;14.60;2385.90;payment for statement;;\n"
        "5;10;941231;credit;;30.00;2415.90;interest credited;;\n"
        "6;10;950110;withdrawal in cash;withdrawal in cash;100.00;2315.90;;;\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    for name, content in FILES.items():
        (path / name).write_text(content)
    return path


def imported(folder: Path) -> Ledger:
    ledger = folder.parent / "ledger"
    with open_writer(str(ledger), "berka", replace=True) as writer:
        rows = import_berka(folder, writer)
    tables = {table: to_frame(pq.read_table(ledger / f"{table}.parquet")) for table in TABLES}
    beside = {"loan_payments", "transaction_labels", "messages"}
    assert rows == {table: len(frame) for table, frame in tables.items() if table not in beside}
    for table, contract in CONTRACTS.items():
        assert failures(contract.schema(datetime(1999, 1, 1)), tables[table]) == {}
        assert tables[table][contract.primary_key].is_unique
        for column, parent in contract.foreign_keys.items():
            assert tables[table][column].isin(tables[parent][CONTRACTS[parent].primary_key]).all()
    return tables


def edit(folder: Path, name: str, old: str, new: str) -> None:
    content = (folder / name).read_text()
    assert old in content
    (folder / name).write_text(content.replace(old, new))


def test_clients_become_users(folder: Path) -> None:
    users = imported(folder)["users"].set_index("user_id")
    woman, man = users.loc["berka-c1"], users.loc["berka-c2"]
    assert (woman["sex"], woman["birth_date"], woman["region"]) == (
        "female",
        pd.Timestamp(1970, 12, 13),
        "Prague",
    )
    assert (man["sex"], man["birth_date"], man["region"]) == ("male", pd.Timestamp(1945, 2, 4), "Pisek")
    assert (woman["created_at"], man["created_at"]) == (pd.Timestamp(1993, 1, 1), pd.Timestamp(1994, 2, 15))
    assert users.loc["berka-c3", "birth_date"] == pd.Timestamp(1905, 1, 1)
    assert set(users["currency"]) == {"CZK"}


def test_accounts_belong_to_their_owners_and_cards_to_their_holders(folder: Path) -> None:
    accounts = imported(folder)["accounts"].set_index("account_id")
    assert accounts["user_id"].to_dict() == {
        "berka-a10": "berka-c1",
        "berka-a20": "berka-c2",
        "berka-k7": "berka-c2",
    }
    assert accounts.loc["berka-k7", ["kind", "opened_at"]].tolist() == [
        "credit_card",
        pd.Timestamp(1996, 1, 7),
    ]


def test_transactions_have_category_channel_and_direction(folder: Path) -> None:
    rows = imported(folder)["transactions"].set_index("transaction_id")
    assert rows.loc["berka-t1", ["direction", "category", "channel"]].tolist() == [
        "credit",
        "other_income",
        "cash",
    ]
    assert rows.loc["berka-t2", ["direction", "category", "channel"]].tolist() == [
        "credit",
        "other_income",
        "transfer",
    ]
    assert rows.loc["berka-t4", ["direction", "category", "channel"]].tolist() == ["debit", "fees", "other"]
    assert rows.loc["berka-t5", ["direction", "category", "channel"]].tolist() == [
        "credit",
        "interest",
        "other",
    ]
    assert rows.loc["berka-t6", ["direction", "category", "channel"]].tolist() == ["debit", "cash", "cash"]
    assert rows.loc["berka-t2", ["amount_minor", "balance_after_minor"]].tolist() == [200_050, 300_050]


def test_a_day_is_put_in_the_order_of_its_balances_and_known_when_it_ends(folder: Path) -> None:
    rows = imported(folder)["transactions"].set_index("transaction_id")
    assert rows.loc["berka-t2", "occurred_at"] < rows.loc["berka-t3", "occurred_at"]
    assert rows.loc["berka-t4", "occurred_at"] < rows.loc["berka-t5", "occurred_at"]
    assert (rows["known_at"] == rows["occurred_at"].dt.normalize() + pd.Timedelta("23:59:59")).all()


def test_only_a_loan_with_a_history_gets_an_outcome(folder: Path) -> None:
    tables = imported(folder)
    assert set(tables["loans"]["loan_id"]) == {"berka-l100", "berka-l200"}
    outcome = tables["loan_outcomes"].iloc[0]
    assert (outcome["loan_id"], outcome["defaulted"]) == ("berka-l100", True)
    assert (outcome["as_of"], outcome["known_at"]) == (
        pd.Timestamp(1995, 1, 10),
        pd.Timestamp(1996, 1, 10, 23, 59, 59),
    )
    # Neither what happens on the loan's day nor the loan itself was known when it was asked for.
    loan = tables["loans"].set_index("loan_id").loc["berka-l100"]
    assert loan["known_at"] > outcome["as_of"]
    seen = tables["transactions"][tables["transactions"]["known_at"] <= outcome["as_of"]]
    assert set(seen["transaction_id"]) == {f"berka-t{k}" for k in range(1, 6)}


def test_a_transaction_of_the_loans_own_day_is_no_history(folder: Path) -> None:
    edit(folder, "loan.asc", "100;10;950110", "100;10;941203")
    assert len(imported(folder)["loan_outcomes"]) == 0


def test_a_running_loan_is_judged_at_the_end_of_the_files(folder: Path) -> None:
    edit(folder, "loan.asc", '"B"', '"D"')
    edit(folder, "loan.asc", '"C"', '""')
    outcomes = imported(folder)["loan_outcomes"]
    assert outcomes[["defaulted", "known_at"]].iloc[0].tolist() == [
        True,
        pd.Timestamp(1998, 12, 31, 23, 59, 59),
    ]


CZECH = (
    '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"\n'
    '1;20;950101;"PRIJEM";"VKLAD";1000.00;1000.00;"";"";\n'
    '2;20;950102;"PRIJEM";"PREVOD Z UCTU";500.00;1500.00;"DUCHOD";"AB";5\n'
    '3;20;950103;"VYDAJ";"PREVOD NA UCET";100.00;1400.00;"SIPO";"AB";5\n'
    '4;20;950104;"VYDAJ";"PREVOD NA UCET";100.00;1300.00;"UVER";"AB";5\n'
    '5;20;950105;"VYDAJ";"PREVOD NA UCET";100.00;1200.00;"POJISTNE";"AB";5\n'
    '6;20;950106;"VYDAJ";"VYBER";100.00;1100.00;"SLUZBY";"";\n'
    '7;20;950107;"VYDAJ";"VYBER";100.00;1000.00;"SANKC. UROK";"";\n'
    '8;20;950108;"PRIJEM";"";10.00;1010.00;"UROK";"";\n'
    '9;20;950109;"VYDAJ";"VYBER KARTOU";10.00;1000.00;" ";"";\n'
    '10;20;950110;"VYBER";"VYBER";10.00;990.00;;"";\n'
    '11;20;950111;"VYDAJ";"PREVOD NA UCET";10.00;980.00;" ";"AB";5\n'
    '12;20;950112;"VYDAJ";"NOVINKA";10.00;970.00;"";"";\n'
    '13;20;950113;"VYDAJ";"VYBER";0.00;970.00;"SANKC. UROK";"";\n'
)


def test_the_banks_own_file_has_czech_codes(folder: Path) -> None:
    (folder / "trans.asc").write_text(CZECH)
    tables = imported(folder)
    rows = tables["transactions"].set_index("transaction_id")
    categories = (
        "other_income other_income utilities emi insurance fees penalty interest cash cash transfer other"
    )
    assert [rows.loc[f"berka-t{k + 1}", "category"] for k in range(12)] == categories.split()
    assert rows.loc[["berka-t9", "berka-t12"], "channel"].tolist() == ["card", "other"]
    assert "berka-t13" not in rows.index
    assert set(tables["loan_outcomes"]["loan_id"]) == {"berka-l200"}


def test_several_files_of_transactions_are_read_together(folder: Path) -> None:
    (folder / "feup_trans_train.csv").write_text(
        FILES["feup_trans_test.csv"].splitlines()[0] + "\n"
        "1;10;941203;credit;credit in cash;1000.00;1000.00;;;\n"
        "90;20;950101;credit;credit in cash;5.00;5.00;;;\n"
    )
    tables = imported(folder)
    assert len(tables["transactions"]) == 7
    assert len(tables["loan_outcomes"]) == 2


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("client.asc", "706213", "709913", "birth_number is no date"),
        ("client.asc", "706213", "7062137", "birth_number is no whole number"),
        (
            "client.asc",
            '"450204";2',
            '"450204";9',
            "district_id is a district that the data set does not have",
        ),
        ("client.asc", "2;", "1;", "client_id comes twice"),
        ("disp.asc", "3;3;20", "3;4;20", "client_id is a client that"),
        ("disp.asc", "DISPONENT", "OWNER", "account_id comes twice"),
        ("account.asc", "20;2;", "30;2;", "account_id has no owner"),
        ("account.asc", "940215", "940230", "date is no date YYMMDD"),
        ("card.asc", "7;2;", "7;9;", "disp_id is a disposition that"),
        ("loan.asc", '"B"', '"X"', "status is none of A, B, C, D"),
        ("loan.asc", "96396", "0", "amount is not above zero"),
        ("loan.asc", ";12;", ";0;", "duration is no whole number"),
        ("loan.asc", "100;10", "100;11", "account_id is an account that"),
        ("feup_trans_test.csv", "5;10;", "5;11;", "account_id is an account that"),
        ("feup_trans_test.csv", ";1000.00;1000.00", ";-1;1000.00", "amount is below zero"),
        ("feup_trans_test.csv", ";1000.00;1000.00", ";1;much", "balance is no amount"),
        ("feup_trans_test.csv", "credit;;30", "gift;;30", "type is no known type of transaction"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(folder: Path, name: str, old: str, new: str, words: str) -> None:
    edit(folder, name, old, new)
    with pytest.raises(LedgerError, match=words) as refused:
        imported(folder)
    assert name in str(refused.value)
    assert not (folder.parent / "ledger").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_empty_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("")
    with pytest.raises(ContractError, match=f"{name} is empty"):
        imported(folder)
    (folder / name).unlink()
    with pytest.raises(SourceError, match="holds no "):
        imported(folder)


def test_a_missing_column_is_named(folder: Path) -> None:
    edit(folder, "loan.asc", "duration", "length")
    with pytest.raises(ContractError, match=r"loan\.asc lacks the column duration"):
        imported(folder)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=24),
    st.randoms(use_true_random=False),
)
def test_a_shuffled_day_gets_an_order_in_which_balances_follow(
    events: list[tuple[int, int]], random: Random
) -> None:
    # Amounts that differ and are no sums of others have one order only.
    rows = sorted(events)
    signed = [(-1) ** k * 4**k for k in range(len(rows))]
    frame = pd.DataFrame(rows, columns=["account", "day"]).assign(signed=signed)
    frame["balance"] = frame.groupby("account")["signed"].cumsum()
    frame["place"] = frame.groupby(["account", "day"]).cumcount()
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    columns = (shuffled[name].to_numpy(np.int64) for name in ("account", "day", "signed", "balance"))
    assert order_within_days(*columns).tolist() == shuffled["place"].tolist()


@pytest.mark.realdata
@pytest.mark.skipif(
    "FINML_TEST_DATA" not in os.environ, reason="FINML_TEST_DATA names no folder of public data"
)
def test_the_public_files_are_imported_whole(tmp_path: Path) -> None:
    source = Path(os.environ["FINML_TEST_DATA"]) / "berka"
    raw = {path.stem: pd.read_csv(path, sep=";", low_memory=False) for path in source.iterdir()}
    data = tmp_path / "data"
    data.symlink_to(source)
    tables = imported(data)
    assert len(tables["users"]) == len(raw["client"])
    assert len(tables["accounts"]) == len(raw["account"]) + len(raw["card"])
    assert len(tables["loans"]) == len(raw["loan"])
    assert len(tables["transactions"]) == len(raw["feup_trans_test"])
    assert tables["transactions"]["amount_minor"].sum() == round(100 * raw["feup_trans_test"]["amount"].sum())
    outcomes = tables["loan_outcomes"]
    assert set(outcomes["loan_id"]) == {f"berka-l{number}" for number in raw["feup_loan_test"]["loan_id"]}
    assert (len(outcomes), outcomes["defaulted"].sum()) == (354, 30)

    rows = tables["transactions"].sort_values(["account_id", "occurred_at"])
    signed = rows["amount_minor"].where(rows["direction"] == "credit", -rows["amount_minor"])
    before = rows.groupby("account_id")["balance_after_minor"].shift()
    assert ((before + signed - rows["balance_after_minor"]).dropna().abs() <= 100).mean() > 0.999

    owner = outcomes.merge(tables["loans"][["loan_id", "user_id"]]).merge(
        tables["accounts"][["account_id", "user_id"]]
    )
    seen = owner.merge(tables["transactions"][["account_id", "known_at"]], on="account_id")
    assert (seen["known_at_y"] < seen["as_of"]).all()
