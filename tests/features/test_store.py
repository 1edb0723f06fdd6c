"""The feature store end to end on one machine: registered, materialized, read, joined, verified."""

import json
import math
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import feature_repo
from finml.errors import FeatureError, SettingsError, UsageError
from finml.features import materialize as materializing
from finml.features.build import VIEW_NAMES, build
from finml.features.declarations import CREDIT_HISTORY, LOAN_REQUEST, SERVICES, USER_FINANCIALS, VIEWS
from finml.features.labels import anomaly_spine, credit_risk_spine
from finml.features.materialize import freshness, materialize
from finml.features.offline import OfflineStore
from finml.features.online import OnlineFeatures
from finml.features.serving import export_serving, serving_store
from finml.features.store import FeatureRepo, apply, feature_store, training_set
from finml.features.verify import verify
from finml.settings import Settings
from tests.features.books import Book, bank, bits

SERVICE = "credit_risk_v1"
NAMES = [name for view in SERVICES[SERVICE] for name in VIEWS[view].feature_names]
LOAN = {"loan_amount": 100_000.0, "term_months": 24.0, "annual_rate": 0.12}


class World:
    """A ledger and everything that is made from it."""

    def __init__(self, folder: Path, book: Book) -> None:
        self.settings = Settings(home=folder / "home", ledger_url=str(folder / "ledger"))
        self.tables = folder / "tables"
        self.book = book
        self.repo: FeatureRepo = feature_repo.definitions(self.settings)
        self.build()

    def build(self) -> None:
        build(self.book.write(self.tables), self.settings)

    def training(self) -> pd.DataFrame:
        return training_set(self.settings, self.repo, SERVICE, credit_risk_spine(self.tables))

    def online(self) -> OnlineFeatures:
        return OnlineFeatures(feature_store(self.settings, self.repo), SERVICE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Built and materialized. Tests only read it."""
    world = World(tmp_path_factory.mktemp("world"), bank(11))
    materialize(world.settings, world.repo)
    return world


@pytest.fixture
def own(tmp_path: Path) -> World:
    """Built, for a test that changes it."""
    return World(tmp_path, bank(12, users=4, months=4))


def test_a_training_set_is_the_spine_with_the_features_of_its_moments(world: World) -> None:
    spine = credit_risk_spine(world.tables)
    frame = world.training()
    pd.testing.assert_frame_equal(frame[list(spine.columns)], spine)
    assert list(frame.columns) == [*spine.columns, *NAMES]
    assert {str(frame[name].dtype) for name in NAMES} == {"float64"}
    folder = world.settings.workspace.features / "current"
    for view in (USER_FINANCIALS, CREDIT_HISTORY):
        stored = pd.read_parquet(folder / view.name)
        expected = spine[["user_id", "event_timestamp"]].merge(stored, on=["user_id", "event_timestamp"])
        assert bits(expected[["user_id", *view.feature_names]]) == bits(
            frame[["user_id", *view.feature_names]]
        )
    income = frame["monthly_income"] * 12
    expected_ratio = (frame["loan_amount"] / income).where(income > 0)
    np.testing.assert_array_equal(frame["amount_to_income"], expected_ratio)


def test_the_spines_order_index_and_repeated_rows_are_kept(world: World) -> None:
    spine = credit_risk_spine(world.tables)
    twice = pd.concat([spine, spine.iloc[:3]]).sample(frac=1, random_state=1)
    frame = training_set(world.settings, world.repo, SERVICE, twice)
    assert list(frame.index) == list(twice.index)
    assert list(frame["outcome_id"]) == list(twice["outcome_id"])
    once = world.training().set_index("outcome_id")
    for _, row in frame.iterrows():
        assert row["tenure_months"] == once.loc[row["outcome_id"], "tenure_months"]


def test_a_late_arriving_row_changes_no_training_row_from_before_it_was_known(own: World) -> None:
    before = own.training()
    moments = sorted(before["event_timestamp"])
    known = moments[1] + timedelta(hours=1)
    users = set(before["user_id"])
    for user in users:
        own.book.money(
            datetime(2024, 1, 2), 10**6, account_id=f"{user}-savings", known_at=known.replace(tzinfo=None)
        )
    own.build()
    after = own.training()
    early = before["event_timestamp"] < known
    assert 0 < early.sum() < len(before)
    assert bits(before[early]) == bits(after[early])
    changed = (before["income_180d"] != after["income_180d"])[~early]
    assert changed.all()


def test_a_feature_row_that_was_written_late_is_not_joined_to_an_earlier_question(own: World) -> None:
    """Whoever adds rows to the offline store by hand must say when they could have been known."""
    spine = credit_risk_spine(own.tables)
    before = own.training()
    folder = own.settings.workspace.features / "current" / "user_financials"
    forged = pq.read_table(next(folder.iterdir())).to_pandas().iloc[: len(spine)].copy()
    forged["user_id"] = spine["user_id"]
    forged["event_timestamp"] = spine["event_timestamp"]
    forged["created_timestamp"] = spine["event_timestamp"] + pd.Timedelta(seconds=1)
    forged["income_30d"] = 1e9
    schema = pq.read_schema(next(folder.iterdir()))
    pq.write_table(pa.Table.from_pandas(forged, schema=schema, preserve_index=False), folder / "late.parquet")
    assert bits(own.training()) == bits(before)


def test_a_spine_without_any_features_is_refused(world: World) -> None:
    spine = credit_risk_spine(world.tables)
    with pytest.raises(FeatureError, match="no row of the spine has any feature"):
        training_set(world.settings, world.repo, SERVICE, spine.assign(user_id="nobody"))
    with pytest.raises(FeatureError, match="lacks loan_amount"):
        training_set(world.settings, world.repo, SERVICE, spine.drop(columns="loan_amount"))
    with pytest.raises(FeatureError, match="no feature service 'other'"):
        training_set(world.settings, world.repo, "other", spine)


def test_a_service_that_asks_nothing_of_the_request_needs_user_and_moment_alone(world: World) -> None:
    spine = anomaly_spine(world.tables)
    frame = training_set(
        world.settings, world.repo, "anomaly_v1", spine[["user_id", "event_timestamp", "amount"]]
    )
    assert list(frame.columns) == ["user_id", "event_timestamp", "amount", "habits"]
    for row in frame.itertuples():
        habits = json.loads(row.habits)
        assert all(at < row.event_timestamp.timestamp() + 1 for at, *_ in habits["recent"])
    expected = pd.read_parquet(world.settings.workspace.features / "current" / "transaction_habits")
    keys = ["user_id", "event_timestamp"]
    joined = spine[keys].merge(expected, on=keys, how="left")
    assert list(joined["habits"]) == list(frame["habits"])


def test_texts_that_are_missing_are_none(world: World) -> None:
    spine = anomaly_spine(world.tables)[["user_id", "event_timestamp"]]
    spine.loc[0, "user_id"] = "nobody"
    frame = training_set(world.settings, world.repo, "anomaly_v1", spine)
    assert frame.loc[0, "habits"] is None
    assert frame.loc[1:, "habits"].notna().all()


def test_each_service_is_as_fresh_as_its_own_views(own: World) -> None:
    materialize(own.settings, own.repo)
    with sqlite3.connect(own.settings.workspace.feast / "online.db") as online:
        (table,) = online.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%transaction_habits'"
        ).fetchone()
        online.execute(f"DELETE FROM {table}")  # noqa: S608 - a table of Feast's
    store = feature_store(own.settings, own.repo)
    now = OfflineStore(own.settings.workspace.features).require().now.replace(tzinfo=UTC)
    rows = {name: OnlineFeatures(store, name).read(["u1"], now=now)[0] for name in SERVICES}
    assert {name: row.status for name, row in rows.items()} == {
        SERVICE: "fresh",
        "anomaly_v1": "missing",
        "spending_v1": "fresh",
    }
    assert set(rows["spending_v1"].timestamps) == {"spending_history"}
    assert set(rows["spending_v1"].values) == {"spending"}
    assert "spending" not in rows["spending_v1"].numbers


def test_rows_without_features_are_kept_and_told(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    spine = credit_risk_spine(world.tables)
    spine.loc[0, "user_id"] = "nobody"
    frame = training_set(world.settings, world.repo, SERVICE, spine)
    assert frame.loc[0, list(USER_FINANCIALS.feature_names)].isna().all()
    assert frame.loc[1:, "tenure_months"].notna().all()
    assert "training_rows_without_features" in "".join(capfd.readouterr())


def test_online_equals_offline_bit_for_bit(world: World) -> None:
    report = verify(world.settings, world.repo, users=1000)
    assert report.equal
    assert (report.users, report.values) == (8, 8 * (len(NAMES) + 1 + 2 + 2))
    assert "equal" in report.to_markdown()
    with pytest.raises(UsageError, match="0 users"):
        verify(world.settings, world.repo, users=0)


def test_each_difference_is_named(own: World) -> None:
    materialize(own.settings, own.repo)
    path = own.settings.workspace.feast / "online.db"
    from feast.protos.feast.types.Value_pb2 import Value

    with sqlite3.connect(path) as online:
        (table,) = online.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%user_financials'"
        ).fetchone()
        changed = Value(double_val=math.nextafter(1e6, 2e6)).SerializeToString()
        online.execute(f"UPDATE {table} SET value = ? WHERE feature_name = 'balance'", (changed,))  # noqa: S608
        (habits,) = online.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%transaction_habits'"
        ).fetchone()
        other = Value(string_val="{" * 100).SerializeToString()
        online.execute(f"UPDATE {habits} SET value = ?", (other,))  # noqa: S608
        online.execute(
            f"UPDATE {table} SET event_ts = event_ts - 60 "  # noqa: S608 - a table of Feast's
            f"WHERE entity_key = (SELECT max(entity_key) FROM {table})"
        )
    report = verify(own.settings, own.repo)
    assert not report.equal
    found = {(difference.user_id, difference.feature) for difference in report.differences}
    assert {("u0", "balance"), ("u3", "balance"), ("u0", "amount_to_balance"), ("u2", "habits")} <= found
    assert all(d.online != d.offline for d in report.differences)
    (late,) = [d for d in report.differences if d.feature == "event_timestamp"]
    assert late.online == late.offline - 60
    assert "| u0 | balance | 1000000.0" in report.to_markdown()


def test_materializing_again_writes_only_what_is_new(own: World) -> None:
    first = materialize(own.settings, own.repo)
    assert first.written == VIEW_NAMES
    assert {view.status for view in first.views} == {"stale"}  # the ledger ends in 2024
    assert materialize(own.settings, own.repo).written == ()
    own.book.money(datetime(2024, 4, 20), 5_000_00, account_id="u0-savings")
    own.build()
    assert {view.status for view in freshness(own.settings).views} == {"behind"}
    again = materialize(own.settings, own.repo)
    assert again.written == VIEW_NAMES
    assert verify(own.settings, own.repo).equal
    assert "| user_financials |" in again.to_markdown()


def test_a_corrected_row_of_the_same_moment_reaches_the_online_store(own: World) -> None:
    materialize(own.settings, own.repo)
    now = OfflineStore(own.settings.workspace.features).require().now
    own.book.money(now - timedelta(days=3), 777_00, account_id="u1-savings")
    own.build()
    assert OfflineStore(own.settings.workspace.features).require().now == now
    before = own.online().read(["u1"])[0]
    materialize(own.settings, own.repo)
    after = own.online().read(["u1"])[0]
    assert after.as_of == before.as_of
    assert after.values["income_30d"] == before.values["income_30d"] + 777.0


def test_a_view_that_was_not_finished_is_written_by_the_next_run(
    own: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = materializing._save

    def killed(settings: Settings, state: object) -> None:
        save(settings, state)  # type: ignore[arg-type] # whatever it is given
        raise KeyboardInterrupt

    monkeypatch.setattr(materializing, "_save", killed)
    with pytest.raises(KeyboardInterrupt):
        materialize(own.settings, own.repo)
    monkeypatch.undo()
    statuses = {view.view: view.status for view in freshness(own.settings).views}
    later = VIEW_NAMES[1:]
    assert statuses == {"user_financials": "stale"} | dict.fromkeys(later, "missing")
    assert own.online().read(["u0"])[0].status == "missing"
    assert materialize(own.settings, own.repo).written == later
    assert verify(own.settings, own.repo).equal


def test_an_online_store_that_lost_its_rows_is_filled_again(own: World) -> None:
    materialize(own.settings, own.repo)
    (own.settings.workspace.feast / "online.db").unlink()
    assert materialize(own.settings, own.repo).written == VIEW_NAMES
    assert verify(own.settings, own.repo).equal


def test_a_ledger_that_takes_anothers_place_leaves_nothing_of_it_online(own: World) -> None:
    materialize(own.settings, own.repo)
    own.book = bank(13, users=2, months=2)
    own.build()
    assert materialize(own.settings, own.repo).written == VIEW_NAMES
    rows = own.online().read(["u0", "u3"])
    assert [row.status for row in rows] == ["stale", "missing"]
    assert verify(own.settings, own.repo).equal
    assert materialize(own.settings, own.repo, full=True).written == VIEW_NAMES


def test_a_spoiled_state_or_registry_does_no_harm(own: World) -> None:
    materialize(own.settings, own.repo)
    (own.settings.workspace.feast / "materialized.json").write_text("nonsense")
    assert materialize(own.settings, own.repo).written == VIEW_NAMES


def test_nothing_can_be_registered_before_the_first_build(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, ledger_url=str(tmp_path / "ledger"))
    repo = feature_repo.definitions(settings)
    with pytest.raises(FeatureError, match="no features have been built"):
        apply(settings, repo)
    with pytest.raises(FeatureError, match="no feature service"):
        export_serving(settings, repo, tmp_path / "serving")


def test_views_that_are_no_longer_declared_are_dropped(own: World) -> None:
    apply(own.settings, own.repo)
    dropped = ("loan_request", *SERVICES)
    kept = tuple(thing for thing in own.repo.objects if thing.name not in dropped)
    apply(own.settings, FeatureRepo(kept, own.repo.folder))
    store = feature_store(own.settings, own.repo)
    assert store.list_on_demand_feature_views() == []
    assert store.list_feature_services() == []
    assert {view.name for view in store.list_batch_feature_views()} == set(VIEW_NAMES)


def test_a_batch_is_answered_in_its_order(world: World) -> None:
    online = world.online()
    rows = online.read(["u3", "nobody", "u1", "u3"], [LOAN, LOAN, LOAN, {"loan_amount": 5.0}])
    assert [row.status for row in rows] == ["stale", "missing", "stale", "stale"]
    assert rows[1].as_of is None
    assert rows[1].values["income_30d"] is None
    assert rows[1].values["amount_to_income"] is None
    assert set(rows[0].values) == set(NAMES)
    assert {name: v for name, v in rows[0].values.items() if name not in LOAN_REQUEST.feature_names} == {
        name: v for name, v in rows[3].values.items() if name not in LOAN_REQUEST.feature_names
    }
    now = OfflineStore(world.settings.workspace.features).require().now
    assert rows[0].as_of == now.replace(tzinfo=UTC)
    assert online.read([]) == []
    with pytest.raises(ValueError, match="2 users but 1 requests"):
        online.read(["u1", "u2"], [LOAN])


def test_features_are_stale_once_they_are_older_than_their_time_to_live(world: World) -> None:
    online = world.online()
    now = OfflineStore(world.settings.workspace.features).require().now.replace(tzinfo=UTC)
    at = {days: online.read(["u1"], now=now + timedelta(days=days))[0].status for days in (0, 45, 46)}
    assert at == {0: "fresh", 45: "fresh", 46: "stale"}


def test_a_request_that_says_nothing_of_the_loan_leaves_its_ratios_out(world: World) -> None:
    row = world.online().read(["u1"])[0]
    assert all(row.values[name] is None for name in LOAN_REQUEST.feature_names)
    assert row.values["transaction_count_180d"] is not None


def test_times_are_the_same_for_a_reader_in_another_time_zone(world: World) -> None:
    program = (
        "import sys, feature_repo\n"
        "from finml.features.online import OnlineFeatures\n"
        "from finml.features.store import feature_store\n"
        "from finml.settings import Settings\n"
        f"settings = Settings(home={str(world.settings.home)!r}, ledger_url={world.settings.ledger!r})\n"
        "store = feature_store(settings, feature_repo.definitions(settings))\n"
        f"print(OnlineFeatures(store, {SERVICE!r}).read(['u1'])[0].as_of.isoformat())"
    )
    environment = {**os.environ, "TZ": "Asia/Kolkata"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    now = OfflineStore(world.settings.workspace.features).require().now
    assert done.stdout.strip() == now.replace(tzinfo=UTC).isoformat()


def test_a_served_folder_needs_neither_the_repository_nor_the_engine(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "serving"
    written = export_serving(world.settings, world.repo, folder)
    assert [path.name for path in written] == ["feature_store.yaml", "registry.db"]
    assert str(world.settings.home) not in (folder / "feature_store.yaml").read_text()
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from finml.features.online import OnlineFeatures\n"
        "from finml.features.serving import serving_store\n"
        "from finml.settings import Settings\n"
        f"store = serving_store(Path({str(folder)!r}), Settings(home={str(world.settings.home)!r}))\n"
        f"row = OnlineFeatures(store, {SERVICE!r}).read(['u1'], [{LOAN!r}])[0]\n"
        "unwanted = ('ibis', 'duckdb', 'feature_repo', 'kfp', 'mlflow')\n"
        "loaded = [name for name in unwanted if name in sys.modules]\n"
        "print(json.dumps([row.values, loaded]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    values, loaded = json.loads(done.stdout)
    assert loaded == []
    assert values == world.online().read(["u1"], [LOAN])[0].values


def test_a_served_folder_says_what_it_lacks(world: World, tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"holds no feature_store\.yaml"):
        serving_store(tmp_path, world.settings)
    export_serving(world.settings, world.repo, tmp_path)
    with pytest.raises(FeatureError, match="no online store at"):
        serving_store(tmp_path, Settings(home=tmp_path / "elsewhere"))
    redis = world.settings.model_copy(update={"redis_url": "redis://:secret@localhost:1/0"})
    with pytest.raises(SettingsError, match="from SQLite"):
        serving_store(tmp_path, redis)
    export_serving(redis, world.repo, tmp_path)
    assert "secret" not in (tmp_path / "feature_store.yaml").read_text()
    with pytest.raises(SettingsError, match="Redis"):
        serving_store(tmp_path, world.settings)


def test_an_online_store_that_cannot_be_read_says_so(own: World) -> None:
    materialize(own.settings, own.repo)
    online = own.online()
    (own.settings.workspace.feast / "online.db").write_bytes(b"no database at all, but long enough" * 100)
    with pytest.raises(FeatureError, match="cannot be read"):
        online.read(["u1"])
    with pytest.raises(FeatureError, match="cannot be used"):
        materialize(own.settings, own.repo, full=True)


def test_feast_prints_nothing(own: World, capfd: pytest.CaptureFixture[str]) -> None:
    materialize(own.settings, own.repo)
    own.training()
    verify(own.settings, own.repo)
    printed, _ = capfd.readouterr()
    lines = [line for line in printed.splitlines() if "[info" not in line]
    assert lines == []
