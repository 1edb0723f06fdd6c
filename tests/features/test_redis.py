"""The online store on a real Redis."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import feature_repo
from finml.errors import FeatureError
from finml.features.build import VIEW_NAMES, build
from finml.features.declarations import CREDIT_HISTORY, USER_FINANCIALS
from finml.features.materialize import freshness, materialize
from finml.features.online import OnlineFeatures
from finml.features.serving import export_serving, serving_store
from finml.features.store import feature_store
from finml.features.verify import verify
from finml.settings import Settings
from tests.features.books import bank, offline
from tests.servers import free_port

pytestmark = pytest.mark.server
SERVICE = "credit_risk_v1"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Settings:
    """A small ledger, built and materialized to Redis."""
    folder = tmp_path_factory.mktemp("redis")
    settings = Settings(home=folder / "home", ledger_url=str(folder / "ledger"), redis_url=redis_url)
    build(bank(21, months=4).write(folder / "tables"), settings)
    materialize(settings, feature_repo.definitions(settings))
    return settings


def test_online_equals_offline_bit_for_bit(settings: Settings) -> None:
    report = verify(settings, feature_repo.definitions(settings))
    assert report.users == 8
    assert report.equal


def test_a_text_is_read_as_it_was_built(settings: Settings) -> None:
    store = feature_store(settings, feature_repo.definitions(settings))
    (row, unknown) = OnlineFeatures(store, "anomaly_v1").read(["u1", "nobody"])
    frame = offline(settings.workspace.features, "transaction_habits")
    latest = frame[frame["user_id"] == "u1"].iloc[-1]
    assert row.values == {"habits": latest["habits"]}
    assert row.as_of == latest["event_timestamp"]
    assert "Café" in row.values["habits"]
    assert (unknown.values, unknown.status) == ({"habits": None}, "missing")


def test_unknown_users_are_missing_and_a_batch_keeps_its_order(settings: Settings) -> None:
    online = OnlineFeatures(feature_store(settings, feature_repo.definitions(settings)), SERVICE)
    rows = online.read(["u2", "nobody", "u1"])
    assert [row.status for row in rows] == ["stale", "missing", "stale"]
    assert rows[1].as_of is None
    assert set(rows[1].values.values()) == {None}


def test_requests_do_not_grow_from_call_to_call(settings: Settings) -> None:
    """Feast's store appends a key to the list of features it is given; a cached list would grow for ever."""
    store = feature_store(settings, feature_repo.definitions(settings))
    online = OnlineFeatures(store, SERVICE)
    asked: list[int] = []
    redis_store = store.provider.online_store
    read = redis_store._read_hash_fields

    def counting(config: object, commands: list[tuple[bytes, list[bytes]]]) -> object:
        asked.append(sum(len(fields) for _, fields in commands))
        return read(config, commands)

    redis_store._read_hash_fields = counting
    users = [f"u{number}" for number in range(8)]
    spent = []
    for _ in range(300):
        started = time.perf_counter()
        online.read(users)
        spent.append(time.perf_counter() - started)
    # every feature of the service's views and their times, for each user, in the last call as in the first
    fields = sum(len(view.features) + 1 for view in (USER_FINANCIALS, CREDIT_HISTORY))
    assert set(asked) == {fields * len(users)}
    early, late = sorted(spent[20:100])[40], sorted(spent[220:])[40]
    assert late < 2 * early


def test_a_list_of_features_is_left_as_it_was(settings: Settings) -> None:
    store = feature_store(settings, feature_repo.definitions(settings))
    view = store.get_feature_view("user_financials")
    asked = ["balance"]
    named, fields = store.provider.online_store._generate_hset_keys_for_features(view, asked)
    assert asked == ["balance"]
    assert (len(named), len(fields)) == (2, 2)


def test_a_corrected_row_of_the_same_moment_is_written(tmp_path: Path, redis_url: str) -> None:
    settings = Settings(home=tmp_path / "home", ledger_url=str(tmp_path / "ledger"), redis_url=redis_url)
    repo = feature_repo.definitions(settings)
    book = bank(22, users=3, months=3)
    build(book.write(tmp_path / "tables"), settings, now=datetime(2024, 6, 1))
    materialize(settings, repo)
    book.money(datetime(2024, 6, 1) - timedelta(days=3), 777_00, account_id="u1-savings")
    build(book.write(tmp_path / "tables"), settings, now=datetime(2024, 6, 1))
    assert {view.status for view in freshness(settings).views} == {"behind"}
    assert materialize(settings, repo).written == VIEW_NAMES
    assert verify(settings, repo).equal


def test_ledgers_that_share_a_redis_share_nothing_in_it(tmp_path: Path, redis_url: str) -> None:
    other = Settings(home=tmp_path / "home", ledger_url=str(tmp_path / "ledger"), redis_url=redis_url)
    repo = feature_repo.definitions(other)
    build(bank(23, users=1, months=3).write(tmp_path / "tables"), other)
    materialize(other, repo)
    online = OnlineFeatures(feature_store(other, repo), SERVICE)
    assert [row.status for row in online.read(["u0", "u1"])] == ["stale", "missing"]
    materialize(other, repo, full=True)
    assert [row.status for row in online.read(["u0", "u1"])] == ["stale", "missing"]


def test_a_redis_that_lost_its_rows_is_filled_again(settings: Settings, redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    repo = feature_repo.definitions(settings)
    assert materialize(settings, repo).written == VIEW_NAMES
    assert verify(settings, repo).equal


def test_another_online_store_is_filled_from_the_start(settings: Settings) -> None:
    sqlite = settings.model_copy(update={"redis_url": ""})
    assert {view.status for view in freshness(sqlite).views} == {"missing"}


def test_a_served_folder_reads_from_the_redis_of_the_settings(settings: Settings, tmp_path: Path) -> None:
    repo = feature_repo.definitions(settings)
    export_serving(settings, repo, tmp_path)
    assert settings.redis_url not in (tmp_path / "feature_store.yaml").read_text()
    served = OnlineFeatures(serving_store(tmp_path, settings), SERVICE).read(["u1"])
    assert served == OnlineFeatures(feature_store(settings, repo), SERVICE).read(["u1"])


def test_a_redis_that_is_not_there_is_named_without_its_password(settings: Settings) -> None:
    gone = settings.model_copy(update={"redis_url": f"redis://:secret@127.0.0.1:{free_port()}/0"})
    repo = feature_repo.definitions(gone)
    with pytest.raises(FeatureError, match=r"Redis at redis://127\.0\.0\.1:\d+/0 cannot be used") as refused:
        materialize(gone, repo, full=True)
    assert "secret" not in str(refused.value)
    with pytest.raises(FeatureError, match="cannot be read"):
        OnlineFeatures(feature_store(gone, repo), SERVICE).read(["u1"])


async def _async_client(settings: Settings) -> bool:
    store = feature_store(settings, feature_repo.definitions(settings))
    client = await store.provider.online_store._get_client_async(store.config.online_store)
    return bool(await client.ping())


def test_the_asynchronous_client_reaches_the_same_server(settings: Settings) -> None:
    import asyncio

    assert asyncio.run(_async_client(settings))
