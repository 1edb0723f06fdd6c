"""The synthetic bank, seen through the ledger that it writes."""

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from finml.errors import UsageError
from finml.ledger.checks import failures, to_frame
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.synthetic import generate
from finml.ledger.writer import open_writer

USERS, MONTHS, SEED = 400, 18, 11
END = pd.Timestamp(2024, 7, 1)

Ledger = dict[str, pd.DataFrame]


def bank(
    folder: Path, users: int = USERS, months: int = MONTHS, seed: int = SEED, **options: object
) -> Ledger:
    with open_writer(str(folder), "synthetic") as writer:
        rows = generate(writer, users=users, months=months, seed=seed, **options)
    tables = {table: to_frame(pq.read_table(folder / f"{table}.parquet")) for table in TABLES}
    assert rows == {table: len(frame) for table, frame in tables.items()}
    return tables


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return bank(tmp_path_factory.mktemp("bank") / "ledger")


def by_key(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(CONTRACTS[table].primary_key, ignore_index=True)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_keeps_its_contract(ledger: Ledger, table: str) -> None:
    contract, frame = CONTRACTS[table], ledger[table]
    assert failures(contract.schema(datetime(2024, 7, 1)), frame) == {}
    assert frame[contract.primary_key].is_unique
    for column, parent in contract.foreign_keys.items():
        assert frame[column].isin(ledger[parent][CONTRACTS[parent].primary_key]).all()


def test_a_seed_is_a_bank(ledger: Ledger, tmp_path: Path) -> None:
    again, other = bank(tmp_path / "again"), bank(tmp_path / "other", seed=SEED + 1)
    for table in TABLES:
        pd.testing.assert_frame_equal(ledger[table], again[table])
        assert len(other[table])
        assert not ledger[table].equals(other[table])


def test_a_user_is_the_same_in_a_smaller_bank(ledger: Ledger, tmp_path: Path) -> None:
    few = bank(tmp_path / "few", users=37)
    users = few["users"]["user_id"]
    accounts = ledger["accounts"][ledger["accounts"]["user_id"].isin(users)]
    loans = ledger["loans"][ledger["loans"]["user_id"].isin(users)]
    transactions = ledger["transactions"][ledger["transactions"]["account_id"].isin(accounts["account_id"])]
    labels = ledger["transaction_labels"]
    same = {
        "users": ledger["users"][ledger["users"]["user_id"].isin(users)],
        "accounts": accounts,
        "loans": loans,
        "transactions": transactions,
        "transaction_labels": labels[labels["transaction_id"].isin(transactions["transaction_id"])],
        "loan_payments": ledger["loan_payments"][ledger["loan_payments"]["loan_id"].isin(loans["loan_id"])],
        "loan_outcomes": ledger["loan_outcomes"][ledger["loan_outcomes"]["loan_id"].isin(loans["loan_id"])],
        "messages": ledger["messages"][ledger["messages"]["user_id"].isin(users)],
    }
    for table in TABLES:
        pd.testing.assert_frame_equal(by_key(table, same[table]), by_key(table, few[table]))


def test_blocks_do_not_show(tmp_path: Path) -> None:
    two_blocks, one_block = (bank(tmp_path / str(users), users=users, months=2) for users in (1003, 1000))
    for table in TABLES:
        key = CONTRACTS[table].primary_key
        first = two_blocks[table][two_blocks[table][key].isin(one_block[table][key])]
        pd.testing.assert_frame_equal(by_key(table, first), by_key(table, one_block[table]))
    assert len(two_blocks["users"]) == 1003


def known_by(table: str, frame: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """What a later ledger says the bank knew at a moment."""
    frame = frame[frame["known_at"] < moment].copy()
    if table == "loan_payments":
        unpaid = frame["paid_at"] >= moment
        frame.loc[unpaid, "updated_at"] = frame.loc[unpaid, "known_at"]
        frame.loc[unpaid, "paid_at"] = pd.NaT
        frame.loc[unpaid, "amount_paid_minor"] = pd.NA
    return frame


@pytest.mark.parametrize(
    ("longer", "shorter", "moment"),
    [
        ({"months": 18}, {"months": 11}, pd.Timestamp(2023, 12, 1)),
        (
            {"months": 3, "end": date(2025, 3, 31)},
            {"months": 3, "end": date(2025, 3, 14)},
            pd.Timestamp(2025, 3, 15),
        ),
    ],
)
def test_more_time_only_adds_what_became_known(
    longer: dict[str, object], shorter: dict[str, object], moment: pd.Timestamp, tmp_path: Path
) -> None:
    late, early = bank(tmp_path / "late", 120, **longer), bank(tmp_path / "early", 120, **shorter)
    for table in TABLES:
        rewound = known_by(table, late[table], moment)
        pd.testing.assert_frame_equal(by_key(table, rewound), by_key(table, early[table]))
    assert len(late["transactions"]) > len(early["transactions"])


def test_the_days_that_are_covered(ledger: Ledger, tmp_path: Path) -> None:
    occurred = ledger["transactions"]["occurred_at"]
    assert pd.Timestamp(2023, 1, 1) <= occurred.min() < pd.Timestamp(2023, 1, 3)
    assert occurred.max() < END
    assert all((frame["updated_at"] < END).all() for frame in ledger.values())

    long = bank(tmp_path / "long", users=5, months=60)["transactions"]["occurred_at"]
    assert (long.min().year, long.max().year) == (2021, 2025)
    chosen = bank(tmp_path / "chosen", users=20, months=2, end=date(2024, 2, 10))["transactions"][
        "occurred_at"
    ]
    assert (chosen.min().month, chosen.max().date()) == (1, date(2024, 2, 10))


def test_a_few_rows_arrive_late(ledger: Ledger) -> None:
    for table, event in (("transactions", "occurred_at"), ("loan_payments", "due_at")):
        delay = ledger[table]["known_at"] - ledger[table][event]
        late = delay >= pd.Timedelta(hours=5)
        assert 0.002 < late.mean() < 0.01
        assert delay.max() <= pd.Timedelta(days=11)
    prompt = (ledger["transactions"]["known_at"] - ledger["transactions"]["occurred_at"]) < pd.Timedelta(
        minutes=3
    )
    assert prompt.mean() > 0.99


def test_balances_follow_from_amounts(ledger: Ledger) -> None:
    # Rows that are not known yet leave gaps, so the last days are left out.
    rows = ledger["transactions"][ledger["transactions"]["occurred_at"] < END - pd.Timedelta(days=11)]
    rows = rows.sort_values(["account_id", "occurred_at"])
    assert not rows.duplicated(["account_id", "occurred_at"]).any()
    signed = rows["amount_minor"].where(rows["direction"] == "credit", -rows["amount_minor"])
    before = rows["balance_after_minor"] - signed
    follows = before == rows.groupby("account_id")["balance_after_minor"].shift()
    assert follows[rows["account_id"].duplicated()].all()
    cards = rows["account_id"].str.startswith("k")
    limits = ledger["accounts"].set_index("account_id")["credit_limit_minor"]
    owed = -rows.loc[cards, "balance_after_minor"]
    assert owed.groupby(rows.loc[cards, "account_id"]).first().ge(0).all()
    assert (owed <= rows.loc[cards, "account_id"].map(limits) * 1.5).all()


def test_the_bank_is_an_indian_one(ledger: Ledger) -> None:
    transactions = ledger["transactions"]
    a_month = len(transactions) / USERS / MONTHS
    assert 10 < a_month < 18
    assert set(ledger["users"]["currency"]) == {"INR"}
    assert transactions["channel"].value_counts(normalize=True)["upi"] > 0.4
    spent = {"rent", "emi", "groceries", "insurance", "cash", "utilities", "penalty", "fees", "investment"}
    assert spent <= set(transactions["category"])
    employer = transactions[transactions["category"] == "salary"].groupby("account_id")["merchant"].nunique()
    assert employer.max() == 1
    diwali = transactions["occurred_at"].between(pd.Timestamp(2023, 11, 2), pd.Timestamp(2023, 11, 12))
    ordinary = transactions["occurred_at"].between(pd.Timestamp(2023, 8, 2), pd.Timestamp(2023, 8, 12))
    shopping = transactions["category"] == "shopping"
    spending = [transactions.loc[shopping & days, "amount_minor"].sum() for days in (diwali, ordinary)]
    assert spending[0] > 1.3 * spending[1]


def test_outcomes_say_what_the_payments_say(ledger: Ledger) -> None:
    outcomes = ledger["loan_outcomes"].merge(
        ledger["loans"][["loan_id", "applied_at", "known_at"]], on="loan_id"
    )
    assert (outcomes["as_of"] == outcomes["applied_at"]).all()
    # A loan is no part of what was known when it was asked for.
    assert (outcomes["known_at_y"] > outcomes["as_of"]).all()
    payments = ledger["loan_payments"].merge(outcomes[["loan_id", "as_of"]], on="loan_id")
    limit = payments["due_at"] + pd.Timedelta(days=60)
    bad = ((payments["paid_at"] > limit) | payments["paid_at"].isna()) & (
        limit <= payments["as_of"] + pd.Timedelta(days=183)
    )
    expected = set(payments.loc[bad, "loan_id"])
    assert set(outcomes.loc[outcomes["defaulted"], "loan_id"]) == expected
    ripe = ledger["loans"]["applied_at"] + pd.Timedelta(days=183) < END
    assert set(outcomes["loan_id"]) == set(
        ledger["loans"].loc[ripe & (ledger["loans"]["kind"] != "credit_line"), "loan_id"]
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return bank(tmp_path_factory.mktemp("large") / "ledger", users=2000, months=24, seed=7)


def test_defaults_are_neither_rare_nor_common(large: Ledger) -> None:
    outcomes = large["loan_outcomes"]
    assert len(outcomes) >= 1500
    assert outcomes["defaulted"].sum() >= 150
    assert 0.08 < outcomes["defaulted"].mean() < 0.15


def test_a_small_bank_has_outcomes(ledger: Ledger) -> None:
    assert len(ledger["loan_outcomes"]) > 250
    assert 0.06 < ledger["loan_outcomes"]["defaulted"].mean() < 0.18


def test_the_causes_show_before_the_default(large: Ledger) -> None:
    """What the bank knew when the loan was asked for tells good from bad, with a handful of plain figures."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    outcomes = large["loan_outcomes"].merge(
        large["loans"][["loan_id", "user_id", "installment_minor"]], on="loan_id"
    )
    main = large["accounts"].query("kind != 'credit_card'")[["account_id", "user_id"]]
    seen = outcomes[["loan_id", "user_id", "as_of"]].merge(large["transactions"].merge(main, on="account_id"))
    seen = seen[seen["known_at"] <= seen["as_of"]].sort_values("occurred_at")
    recent = seen[seen["occurred_at"] > seen["as_of"] - pd.Timedelta(days=90)]
    incoming = recent["category"].isin(["salary", "other_income"])

    def per_loan(rows: pd.DataFrame) -> pd.Series:
        return outcomes["loan_id"].map(rows.groupby("loan_id")["amount_minor"].sum()).fillna(0).astype(float)

    income = per_loan(recent[incoming]).clip(lower=1e5)
    balance = (
        outcomes["loan_id"].map(seen.groupby("loan_id")["balance_after_minor"].last()).fillna(0).astype(float)
    )
    figures = pd.DataFrame(
        {
            "cushion": (balance / income).clip(-1, 5),
            "burden": (3 * outcomes["installment_minor"].astype(float) / income).clip(0, 2),
            "instalments": (per_loan(recent[recent["category"] == "emi"]) / income).clip(0, 2),
            "bounced": (per_loan(seen[seen["category"] == "penalty"]) > 0).astype(float),
        }
    )
    bad = outcomes["defaulted"].astype(bool)
    odd = outcomes["user_id"].str[-1].isin(list("13579")).to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(figures[odd], bad[odd])
    assert 0.68 < roc_auc_score(bad[~odd], model.predict_proba(figures[~odd])[:, 1]) < 0.85


def test_statuses_and_delays_agree(ledger: Ledger) -> None:
    lines = ledger["loans"].query("kind == 'credit_line'")["loan_id"]
    statements = ledger["loan_payments"][ledger["loan_payments"]["loan_id"].isin(lines)]
    assert set(statements["status"]) == {"unused", "paid_in_full", "revolving", "late"}
    assert ((statements["days_past_due"] > 0) == (statements["status"] == "late")).all()
    instalments = ledger["loan_payments"][~ledger["loan_payments"]["loan_id"].isin(lines)]
    assert instalments["status"].isna().all()
    late = (instalments["paid_at"] - instalments["due_at"]) >= pd.Timedelta(days=1)
    assert 0.05 < late.mean() < 0.3
    principal = instalments["loan_id"].map(ledger["loans"].set_index("loan_id")["principal_minor"])
    assert (instalments["statement_balance_minor"] <= principal).all()


def test_progress_is_told_after_each_block(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    bank(tmp_path / "bank", users=2100, months=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(1000, 2100), (2000, 2100), (2100, 2100)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"users": 0}, "0 users"),
        ({"users": 10**9}, "1000000000 users"),
        ({"months": 0}, "0 months"),
        ({"months": 121}, "121 months"),
        ({"seed": -1}, "-1 cannot be a seed"),
    ],
)
def test_sizes_that_cannot_be_meant(wrong: dict[str, int], words: str, tmp_path: Path) -> None:
    sizes = {"users": 1, "months": 1, "seed": 1} | wrong
    with pytest.raises(UsageError, match=words), open_writer(str(tmp_path / "bank"), "synthetic") as writer:
        generate(writer, **sizes)
    assert not (tmp_path / "bank").exists()


def test_one_month_is_a_ledger_too(tmp_path: Path) -> None:
    tables = bank(tmp_path / "bank", users=3, months=1)
    assert len(tables["loan_outcomes"]) == 0
    assert len(tables["users"]) == 3
    assert np.isfinite(tables["transactions"]["amount_minor"].astype("float64")).all()


PEAK = """
import resource, sys
from finml.ledger.synthetic import generate
from finml.ledger.writer import open_writer
with open_writer(sys.argv[1], "synthetic") as writer:
    generate(writer, users=int(sys.argv[2]), months=6, seed=1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_users(tmp_path: Path) -> None:
    def peak(users: int) -> int:
        command = [sys.executable, "-c", PEAK, str(tmp_path / str(users)), str(users)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return int(done.stdout.split()[-1])

    assert peak(8000) < 1.3 * peak(2000)
