"""The outcome of an ingestion depends on the rows and on nothing else: properties over random deliveries."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from finml.ledger import warehouse
from finml.ledger.contracts import TABLES
from finml.ledger.ingest import ingest
from finml.settings import Workspace
from tests.ledger.ledgers import NOW, Rows, account, contents, day, times, user, write_parquet

pytestmark = pytest.mark.slow

# an ingestion takes too long to look for the smallest example
quiet = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

numbers = st.integers(0, 4)
changes = st.integers(5, 9)
users = st.builds(
    lambda number, changed, currency, region: user(
        number, currency=currency, region=region, updated_at=day(changed)
    ),
    numbers,
    changes,
    st.sampled_from(["INR", "INR", "INR", "?"]),
    st.sampled_from([None, "north", "south"]),
)
accounts = st.builds(
    lambda number, owner, changed, kind: account(
        number, user_id=f"u{owner}", kind=kind, **(times(4) | {"updated_at": day(changed)})
    ),
    numbers,
    numbers,
    changes,
    st.sampled_from(["savings", "savings", "current", "purse"]),
)
deliveries = st.fixed_dictionaries(
    {"users": st.lists(users, min_size=1, max_size=8), "accounts": st.lists(accounts, max_size=8)}
)


def outcome(workspace: Workspace) -> tuple[Any, ...]:
    """All that a later reader can see, but for the name and time of the ingestion."""
    frame = warehouse.quarantine(workspace)
    quarantined = zip(frame["table_name"], frame["row_key"], frame["reasons"], frame["row"], strict=True)
    return contents(workspace), warehouse.data_hash(workspace), sorted(map(str, quarantined))


def take(folder: Path, workspace: Workspace, delivery: Rows, **options: Any) -> None:
    ledger = folder / "ledger"
    every = {table: delivery.get(table, []) for table in TABLES}
    report = ingest(write_parquet(ledger, every), workspace, quarantine_limit=1.0, now=NOW, **options)
    for entry in report.tables:
        taken = entry.new + entry.changed + entry.unchanged + entry.superseded
        assert entry.read + entry.retried == taken + entry.quarantined + entry.known_quarantined


@quiet
@given(deliveries, st.randoms(use_true_random=False))
def test_neither_batches_nor_order_matter(delivery: Rows, random: Any) -> None:
    outcomes = []
    for size in (1, 3, 1000):
        with TemporaryDirectory() as name:
            workspace = Workspace.of(Path(name), "x")
            take(Path(name), workspace, delivery, batch_rows=size)
            outcomes.append(outcome(workspace))
            for rows in delivery.values():
                random.shuffle(rows)
    assert outcomes[0] == outcomes[1] == outcomes[2]


@quiet
@given(st.lists(deliveries, min_size=1, max_size=3))
def test_each_delivery_again_changes_nothing(stream: list[Rows]) -> None:
    with TemporaryDirectory() as name:
        workspace = Workspace.of(Path(name), "x")
        for delivery in stream:
            take(Path(name), workspace, delivery)
            before = outcome(workspace)
            take(Path(name), workspace, delivery)
            assert outcome(workspace) == before


@quiet
@given(st.lists(deliveries, min_size=2, max_size=3))
def test_the_tables_always_keep_their_contract(stream: list[Rows]) -> None:
    with TemporaryDirectory() as name:
        workspace = Workspace.of(Path(name), "x")
        newest: dict[str, datetime] = {}
        for delivery in stream:
            take(Path(name), workspace, delivery)
            tables = contents(workspace)
            owners = [row["user_id"] for row in tables["users"]]
            assert len(set(owners)) == len(owners)
            assert {row["user_id"] for row in tables["accounts"]} <= set(owners)
            assert all(row["currency"] == "INR" for row in tables["users"])
            for row in tables["users"]:
                # no row is ever replaced by an older version
                assert row["updated_at"] >= newest.get(row["user_id"], row["updated_at"])
                newest[row["user_id"]] = row["updated_at"]
