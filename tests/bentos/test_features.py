"""The online store behind a served model: its cache, its limits, and what happens when it fails."""

import shutil
import sqlite3
import subprocess
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

import feature_repo
from bentos.features import ServedFeatures, served_features
from finml.errors import FeatureError, SettingsError
from finml.features.build import build
from finml.features.materialize import materialize
from finml.features.online import OnlineFeatures, StoredRow
from finml.features.row_cache import RowCache
from finml.features.serving import export_serving
from finml.features.store import feature_store
from finml.settings import Settings
from tests.bentos.test_redis import start
from tests.features.books import bank as book
from tests.proxies import FaultyProxy, faulty_proxy
from tests.servers import free_port

SERVICE = "credit_risk_v1"
USERS = [f"u{number}" for number in range(6)]
LIMIT_S = 0.4
# a limit is kept to, but for what a busy machine adds
SLACK_S = 0.6


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Features of a small ledger, in SQLite."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(home=folder / "home", ledger_url=str(folder / "ledger"), store_timeout_s=LIMIT_S)
    build(book(21, months=4).write(folder / "tables"), settings)
    materialize(settings, feature_repo.definitions(settings))
    return settings


@pytest.fixture
def folder(home: Settings, tmp_path: Path) -> Path:
    export_serving(home, feature_repo.definitions(home), tmp_path / "features")
    return tmp_path / "features"


@pytest.fixture
def made(folder: Path) -> Iterator[Callable[..., ServedFeatures]]:
    """Makes readers, and ends them."""
    readers: list[ServedFeatures] = []

    def make(settings: Settings, **options: object) -> ServedFeatures:
        readers.append(ServedFeatures(SERVICE, folder, settings, **options))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Users of each call to the store."""
    calls: list[list[str]] = []
    stored = OnlineFeatures.stored

    def counting(self: OnlineFeatures, users: list[str]) -> dict[str, StoredRow]:
        calls.append(list(users))
        return stored(self, users)

    monkeypatch.setattr(OnlineFeatures, "stored", counting)
    return calls


def test_the_store_is_asked_once_for_what_is_not_cached(home, made, asked) -> None:
    clock = Clock()
    features = made(home, clock=clock)
    assert not features.cached(["u1"])
    first = features.read(["u1", "u2", "u1", "nobody"], [{"loan_amount": 10.0}] * 4)
    assert asked == [["u1", "u2", "nobody"]]
    assert features.cached(["u1", "nobody"])
    assert features.read(["u1", "u2", "u1", "nobody"], [{"loan_amount": 10.0}] * 4) == first
    features.read(["u2", "u3"])
    assert asked[1:] == [["u3"]]
    clock.now += home.feature_cache_s * 0.95
    # still used, but no longer promised
    assert not features.cached(["u1"])
    features.read(["u1"])
    assert len(asked) == 2
    clock.now += home.feature_cache_s * 0.1
    features.read(["u1"])
    assert asked[2:] == [["u1"]]


def test_what_a_request_tells_is_never_cached(home, made) -> None:
    features = made(home)
    store = OnlineFeatures(feature_store(home, feature_repo.definitions(home)), SERVICE)
    for amount in (1000.0, 2000.0, None):
        told = [{"loan_amount": amount, "term_months": 12.0}]
        (row,) = features.read(["u1"], told)
        assert row.values == store.read(["u1"], told)[0].values


def test_no_cache_where_the_settings_say_so(home, made, asked) -> None:
    features = made(home.model_copy(update={"feature_cache_s": 0.0}))
    features.read(["u1"])
    assert not features.cached(["u1"])
    features.read(["u1"])
    assert asked == [["u1"], ["u1"]]


def test_versions_of_a_model_share_one_reader(home, folder) -> None:
    assert served_features(SERVICE, folder, home) is served_features(SERVICE, folder, home)
    assert served_features(SERVICE, folder, home) is not served_features(
        SERVICE, folder, home, may_degrade=True
    )


def test_many_threads_read_what_one_reads(home, made) -> None:
    features = made(home.model_copy(update={"feature_cache_rows": 3, "store_timeout_s": 30.0}))
    expected = dict(zip(USERS, features.read(USERS), strict=True))
    with ThreadPoolExecutor(8) as threads:
        batches = [[USERS[(start + step) % len(USERS)] for step in range(4)] for start in range(60)]
        for users, rows in zip(batches, threads.map(features.read, batches), strict=True):
            assert [row.values for row in rows] == [expected[user].values for user in users]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "fresh", "kept", "covers"]),
        st.lists(st.integers(0, 9).map(str), max_size=6),
        st.floats(0, 4),
    ),
    max_size=40,
)


@given(steps=STEPS, ttl=st.sampled_from([0.0, 1.0, 5.0]), rows=st.integers(1, 6))
def test_a_cache_never_outgrows_its_bounds_nor_calls_old_rows_fresh(steps, ttl, rows) -> None:
    clock = Clock()
    cache = RowCache(ttl, rows, clock=clock)
    written: dict[str, tuple[float, StoredRow]] = {}
    for step, users, passing in steps:
        clock.now += passing
        if step == "put":
            new = {user: StoredRow(array("d"), (user,), (len(written),)) for user in users}
            cache.put(new)
            written |= {user: (clock.now, row) for user, row in new.items()}
        fresh, kept = cache.fresh(users), cache.kept(users)
        assert fresh.items() <= kept.items()
        assert all(written[user][1] is row for user, row in kept.items())
        assert fresh.keys() == {user for user in kept if clock.now - written[user][0] < ttl}
        if cache.covers(users):
            assert fresh.keys() == set(users)
        assert len(cache) <= rows


def test_the_users_asked_for_last_are_kept() -> None:
    cache = RowCache(5, 2)
    row = StoredRow(array("d"), (), (1,))
    cache.put({"a": row, "b": row})
    cache.fresh(["a"])
    cache.put({"c": row})
    assert cache.kept(["a", "b", "c"]).keys() == {"a", "c"}


# SQLite


def test_a_database_that_comes_later_is_read_then(home, made, tmp_path) -> None:
    empty = home.model_copy(update={"home": tmp_path / "elsewhere"})
    features = made(empty)
    with pytest.raises(FeatureError, match="there is no online store"):
        features.read(["u1"])
    with pytest.raises(FeatureError, match="there is no online store"):
        features.check()
    shutil.copytree(home.home, empty.home)
    assert features.read(["u1"]) == made(home).read(["u1"])


def test_a_locked_database_is_waited_for_no_longer_than_the_limit(home, made, tmp_path) -> None:
    copy = home.model_copy(update={"home": tmp_path / "copy"})
    shutil.copytree(home.home, copy.home)
    features = made(copy)
    before = features.read(["u1"])
    with sqlite3.connect(copy.workspace.feast / "online.db", isolation_level=None) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        with pytest.raises(FeatureError):
            features.read(["u2"])
        assert time.monotonic() - started < LIMIT_S + SLACK_S
        assert features.read(["u1"]) == before
        writer.execute("ROLLBACK")
    features.check()
    assert features.state == "closed"
    assert len(features.read(["u2"])) == 1


def test_another_kind_of_store_than_is_set_is_refused_before_anything_is_read(
    home: Settings, made: Callable[..., ServedFeatures]
) -> None:
    redis = home.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with pytest.raises(SettingsError, match="reads features from SQLite"):
        made(redis).prepare()


# Redis


@pytest.fixture
def redis_port(home: Settings) -> Iterator[int]:
    """A Redis of this test's own, with the features."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    server = start(program, port)
    try:
        fill(home, port)
        yield port
    finally:
        server.kill()
        server.wait()


def fill(home: Settings, port: int) -> None:
    settings = home.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
    materialize(settings, feature_repo.definitions(settings), full=True)


@pytest.fixture
def proxy(redis_port: int) -> Iterator[FaultyProxy]:
    with faulty_proxy(redis_port) as proxy:
        yield proxy


@pytest.fixture
def through(home: Settings, proxy: FaultyProxy) -> Settings:
    """Settings of a service that reads Redis through the proxy."""
    return home.model_copy(update={"redis_url": f"redis://127.0.0.1:{proxy.port}/0"})


@pytest.fixture
def folder_redis(through: Settings, tmp_path: Path) -> Path:
    export_serving(through, feature_repo.definitions(through), tmp_path / "over-redis")
    return tmp_path / "over-redis"


@pytest.fixture
def over_redis(folder_redis: Path, through: Settings) -> Iterator[Callable[..., ServedFeatures]]:
    readers: list[ServedFeatures] = []

    def make(**changes: object) -> ServedFeatures:
        options = {"may_degrade": changes.pop("may_degrade", False), "clock": changes.pop("clock", Clock())}
        readers.append(ServedFeatures(SERVICE, folder_redis, through.model_copy(update=changes), **options))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def refused(features: ServedFeatures, users: list[str]) -> tuple[float, str]:
    started = time.monotonic()
    with pytest.raises(FeatureError) as error:
        features.read(users)
    return time.monotonic() - started, str(error.value)


@pytest.mark.server
@pytest.mark.parametrize("fault", ["stall", "dribble"])
def test_a_slow_redis_holds_nobody_longer_than_the_limit(over_redis, proxy, monkeypatch, fault) -> None:
    clock = Clock()
    monkeypatch.setattr("circuitbreaker.monotonic", clock)
    features = over_redis()
    features.read(["u1"])
    proxy.set(fault)
    with capture_logs() as lines:
        elapsed, message = refused(features, ["u2"])
        assert message == "the online store did not answer within 0.4 s"
        assert LIMIT_S * 0.9 < elapsed < LIMIT_S + SLACK_S
        assert features.state == "open"
        # the next do not wait at all, nor does the store hear of them
        before = proxy.asked
        elapsed, message = refused(features, ["u3"])
        assert "left alone" in message
        assert elapsed < LIMIT_S / 2
        assert proxy.asked == before
        clock.now += 1.01
        assert features.state == "half_open"
        elapsed, _ = refused(features, ["u4"])
        assert LIMIT_S * 0.9 < elapsed < LIMIT_S + SLACK_S
        assert features.state == "open"
        proxy.set("none")
        clock.now += 1.01
        assert len(features.read(["u5"])) == 1
        assert features.state == "closed"
    assert [line["event"] for line in lines] == ["online_store_fails", "online_store_is_back"]


@pytest.mark.server
def test_cached_features_are_read_while_the_store_hangs(over_redis, proxy) -> None:
    features = over_redis()
    before = features.read(["u1", "u2"])
    proxy.set("stall")
    assert features.cached(["u1", "u2"])
    assert features.read(["u1", "u2"]) == before


@pytest.mark.server
def test_broken_connections_are_made_anew_unseen(over_redis, proxy) -> None:
    features = over_redis()
    features.read(["u1"])
    for user in ("u2", "u3", "u4"):
        proxy.set("reset")
        proxy.set("none")
        assert len(features.read([user])) == 1
    assert features.state == "closed"


@pytest.mark.server
def test_read_before_and_flagged_where_the_model_and_the_settings_allow(over_redis, proxy) -> None:
    clock = Clock()
    features = over_redis(degraded="stale", may_degrade=True, clock=clock)
    before = features.read(["u1", "nobody"], [{"loan_amount": 5.0}] * 2)
    assert [row.degraded for row in before] == [False, False]
    proxy.set("reset")
    clock.now += 3600
    assert not features.cached(["u1"])
    after = features.read(["u1", "nobody"], [{"loan_amount": 5.0}] * 2)
    assert [row.values for row in after] == [row.values for row in before]
    assert [row.timestamps for row in after] == [row.timestamps for row in before]
    assert [(row.status, row.degraded) for row in after] == [("stale", True), ("missing", True)]
    # of one who was never read there is nothing
    refused(features, ["u1", "u2"])
    proxy.set("none")
    features.check()
    (row,) = features.read(["u1"])
    assert not row.degraded


@pytest.mark.server
@pytest.mark.parametrize("options", [{"degraded": "stale"}, {"may_degrade": True}])
def test_refused_where_the_model_or_the_settings_do_not_allow(over_redis, proxy, options) -> None:
    clock = Clock()
    features = over_redis(**options, clock=clock)
    features.read(["u1"])
    proxy.set("reset")
    clock.now += 3600
    refused(features, ["u1"])


@pytest.mark.server
def test_redis_killed_and_back(home, over_redis, proxy, redis_port) -> None:
    program = shutil.which("redis-server")
    features = over_redis(feature_cache_s=0.0)
    expected = features.read(USERS)
    subprocess.run(
        ["redis-cli", "-p", str(redis_port), "shutdown", "nosave"], check=False, capture_output=True
    )
    for _ in range(3):
        elapsed, message = refused(features, ["u1"])
        assert elapsed < LIMIT_S + SLACK_S
        assert str(proxy.port) not in message
    assert features.state == "open"
    with pytest.raises(FeatureError):
        features.check()
    server = start(program, redis_port)
    try:
        fill(home, redis_port)
        # a check that succeeds closes the circuit, at once and without a restart
        features.check()
        assert features.read(USERS) == expected
    finally:
        server.kill()
        server.wait()


def test_a_server_that_is_not_there_is_told_without_its_address(home, tmp_path) -> None:
    port = free_port()
    settings = home.model_copy(update={"redis_url": f"redis://:s3cret@127.0.0.1:{port}/0"})
    export_serving(settings, feature_repo.definitions(settings), tmp_path / "gone")
    features = ServedFeatures(SERVICE, tmp_path / "gone", settings)
    with pytest.raises(FeatureError) as error:
        features.check()
    assert "s3cret" not in f"{error.value} {error.value.hint}"
    assert str(port) not in f"{error.value} {error.value.hint}"
    features.close()
