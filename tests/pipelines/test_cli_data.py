import os
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from finml.ledger.contracts import TABLES


def test_a_synthetic_bank_is_written_where_the_settings_say(finml, home):
    outcome = finml("data", "generate", "--users", "20", "--months", "2", "--seed", "3", "--json")
    assert outcome.code == 0
    assert outcome.document["ledger"] == str(home / "ledger")
    assert list(outcome.document["rows"]) == list(TABLES)
    assert outcome.document["rows"]["users"] == 20
    assert len(pd.read_parquet(home / "ledger" / "users.parquet")) == 20


def test_equal_seeds_make_equal_banks(finml, tmp_path):
    for name in ("a", "b"):
        finml(
            "data",
            "generate",
            "--users",
            "10",
            "--months",
            "2",
            "--seed",
            "3",
            "--ledger",
            str(tmp_path / name),
        )
    for table in TABLES:
        left, right = (pd.read_parquet(tmp_path / name / f"{table}.parquet") for name in ("a", "b"))
        pd.testing.assert_frame_equal(left, right)


def test_a_bank_ends_on_the_day_asked_for(finml, home):
    finml("data", "generate", "--users", "10", "--months", "3", "--end", "2025-06-15")
    occurred = pd.read_parquet(home / "ledger" / "transactions.parquet")["occurred_at"]
    assert occurred.max() < pd.Timestamp("2025-06-16")
    assert occurred.max() > pd.Timestamp("2025-06-01")


def test_people_are_told_what_was_written(finml, home):
    outcome = finml("data", "generate", "--users", "10", "--months", "1")
    assert "users" in outcome.stdout
    assert f"written to {home / 'ledger'}" in outcome.stdout
    assert "10 of 10 users" in outcome.stderr


def test_a_ledger_of_others_is_never_replaced(finml, tmp_path):
    bank = tmp_path / "bank.duckdb"
    with duckdb.connect(str(bank)) as connection:
        connection.execute("CREATE TABLE users AS SELECT 'u1' AS user_id")
    outcome = finml(
        "data", "generate", "--users", "10", "--months", "1", "--ledger", f"duckdb:///{bank}", "--json"
    )
    assert outcome.code == 1
    assert "not written by finml" in outcome.document["error"]["message"]
    with duckdb.connect(str(bank)) as connection:
        assert connection.execute("SELECT user_id FROM users").fetchall() == [("u1",)]


@pytest.mark.parametrize("option", [("--users", "0"), ("--months", "0"), ("--seed", "-1"), ("--end", "soon")])
def test_numbers_out_of_range_are_a_wrong_usage(finml, option):
    words = {"--users": "10", "--months": "2", option[0]: option[1]}
    outcome = finml("data", "generate", *[word for pair in words.items() for word in pair], "--json")
    assert outcome.code == 2
    assert option[0] in outcome.document["error"]["message"]


def test_a_folder_without_the_data_set_is_named(finml, tmp_path):
    outcome = finml("data", "import", "berka", str(tmp_path), "--json")
    assert outcome.code == 1
    assert str(tmp_path) in outcome.document["error"]["message"]


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "folder", "users"), [("taiwan", "taiwan_credit_default", 22_497), ("berka", "berka", 5_369)]
)
def test_public_data_becomes_a_ledger(finml, tmp_path, dataset, folder, users):
    data = os.environ.get("FINML_TEST_DATA")
    if not data:
        pytest.skip("FINML_TEST_DATA names no folder with public data")
    ledger = tmp_path / "ledger"
    outcome = finml("data", "import", dataset, str(Path(data) / folder), "--ledger", str(ledger), "--json")
    assert outcome.code == 0
    assert outcome.document["rows"]["users"] == users
