"""The anomalies of the synthetic bank: each kind is what it says, labelled, rare, and not trivial to find."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from finml.ledger.synthetic import generate
from finml.ledger.synthetic.reviews import KINDS
from finml.ledger.writer import open_writer

MINUTE = pd.Timedelta(minutes=1)


@pytest.fixture(scope="module")
def transactions(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """All transactions of a bank by account and time, with their labels where they have any."""
    folder: Path = tmp_path_factory.mktemp("odd") / "ledger"
    with open_writer(str(folder), "synthetic") as writer:
        generate(writer, users=1000, months=14, seed=5)
    rows, labels = (
        pq.read_table(folder / f"{table}.parquet").to_pandas()
        for table in ("transactions", "transaction_labels")
    )
    labels = labels.drop(columns="updated_at").rename(columns={"known_at": "label_known_at"})
    rows = rows.merge(labels, on="transaction_id", how="left", validate="one_to_one")
    assert rows["anomalous"].notna().sum() == len(labels)
    return rows.sort_values(["account_id", "occurred_at"], ignore_index=True)


def of_kind(transactions: pd.DataFrame, kind: str) -> pd.DataFrame:
    return transactions[transactions["kind"] == kind]


def before(transactions: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """What happened on the account of a row before it."""
    same = transactions[transactions["account_id"] == row["account_id"]]
    return same[same["occurred_at"] < row["occurred_at"]]


def test_a_label_says_what_somebody_found_days_later(transactions: pd.DataFrame) -> None:
    labelled = transactions[transactions["anomalous"].notna()]
    found = labelled["anomalous"].astype(bool)
    assert set(KINDS) == set(labelled["kind"].dropna())
    assert (labelled["kind"].notna() == found).all()
    # the newest are not reviewed yet
    settled = transactions["occurred_at"] < transactions["occurred_at"].max() - pd.Timedelta(days=22)
    assert 0.002 < transactions.loc[settled, "kind"].notna().mean() < 0.0045
    assert 0.008 < (labelled.loc[~found].shape[0] / len(transactions)) < 0.013
    delay = labelled["reviewed_at"] - labelled["known_at"]
    assert delay.between(pd.Timedelta(days=1), pd.Timedelta(days=9)).all()
    assert (labelled["label_known_at"] == labelled["reviewed_at"]).all()
    assert min(labelled["kind"].value_counts()) > 40


def test_a_spike_is_many_times_the_usual(transactions: pd.DataFrame) -> None:
    usual = transactions[transactions["kind"].isna()].groupby(["account_id", "category"])["amount_minor"]
    spikes = of_kind(transactions, "amount_spike").join(
        usual.median().rename("usual"), on=["account_id", "category"]
    )
    times = (spikes["amount_minor"] / spikes["usual"]).dropna()
    assert len(times) > 0.95 * len(spikes)
    assert 14 < times.median() < 30
    assert times.quantile(0.1) > 6


def test_a_burst_is_a_run_within_an_hour(transactions: pd.DataFrame) -> None:
    burst = of_kind(transactions, "burst")
    month = burst["occurred_at"].dt.to_period("M")
    runs = burst.groupby(["account_id", month])["occurred_at"].agg(["size", "min", "max"])
    assert runs["size"].between(4, 8).mean() > 0.97
    assert ((runs["max"] - runs["min"]) <= 60 * MINUTE).all()
    assert 0.2 < (runs["min"].dt.hour < 6).mean() < 0.6


def test_a_new_merchant_was_never_paid_before(transactions: pd.DataFrame) -> None:
    usual = transactions.groupby("account_id")["amount_minor"].median()
    for _, row in of_kind(transactions, "new_merchant_large").iterrows():
        earlier = before(transactions, row)
        assert row["category"] not in set(earlier["category"])
        assert row["merchant"] not in set(earlier["merchant"])
        assert row["amount_minor"] > usual[row["account_id"]]


def test_a_duplicate_comes_minutes_after_its_twin(transactions: pd.DataFrame) -> None:
    for _, row in of_kind(transactions, "duplicate").iterrows():
        earlier = before(transactions, row)
        twins = earlier[earlier["occurred_at"] > row["occurred_at"] - 11 * MINUTE]
        same = twins[["amount_minor", "merchant", "category"]].eq(
            row[["amount_minor", "merchant", "category"]]
        )
        # the twin may reach the books after the ledger was taken
        assert (
            same.all(axis=1).any()
            or row["occurred_at"] > transactions["occurred_at"].max() - 11 * 1440 * MINUTE
        )


def test_a_regular_payment_is_off_by_amount_or_by_day(transactions: pd.DataFrame) -> None:
    off = of_kind(transactions, "recurring_off")
    assert set(off["category"]) == {"rent", "utilities", "insurance"}
    normal = transactions[transactions["kind"].isna()]
    rent = normal[normal["category"] == "rent"].groupby("account_id")
    seen = off[off["category"] == "rent"].set_index("account_id")
    amount = seen["amount_minor"] / rent["amount_minor"].median().reindex(seen.index)
    days = seen["occurred_at"].dt.day - rent["occurred_at"].agg(lambda when: when.dt.day.median()).reindex(
        seen.index
    )
    assert ((amount > 1.7) | (days.abs() > 7)).all()
    assert ((amount > 1.7) & (days.abs() > 7)).sum() == 0


def test_large_purchases_that_were_meant_make_it_hard(transactions: pd.DataFrame) -> None:
    from sklearn.metrics import average_precision_score

    debits = transactions[
        (transactions["direction"] == "debit") & ~transactions["account_id"].str.startswith("k")
    ]
    usual = debits.groupby(["account_id", "category"])["amount_minor"].transform("median")
    anomalous = debits["anomalous"].eq(True)
    by_ratio = average_precision_score(anomalous, debits["amount_minor"] / usual)
    by_amount = average_precision_score(anomalous, debits["amount_minor"])
    assert anomalous.mean() < by_amount < 0.1
    assert 3 * anomalous.mean() < by_ratio < 0.5
    meant = debits[(debits["category"] == "other") & debits["kind"].isna()]
    assert len(meant) > 20
    assert meant["occurred_at"].dt.hour.between(8, 22).all()
