import sqlite3
import stat
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from finml.access.quota import DAY_S, Quota
from finml.access.tallies import RedisTally, SqliteTally, TallyError

NOON = 20_000 * DAY_S + DAY_S / 2


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tally(tmp_path):
    return SqliteTally(tmp_path / "access" / "quota.sqlite")


def test_a_quota_is_spent_and_new_at_midnight(tally, clock):
    quota = Quota(tally, clock)
    assert quota.spend("a", 7, 10) == 0
    wait = quota.spend("a", 4, 10)
    assert DAY_S / 2 <= wait <= DAY_S / 2 + 1
    assert quota.spend("a", 3, 10) == 0
    assert quota.spend("b", 10, 10) == 0
    clock.now += wait
    assert quota.spend("a", 10, 10) == 0


def test_no_process_alone_gives_more_than_the_quota(tmp_path, clock):
    tally = SqliteTally(tmp_path / "quota.sqlite")

    @given(st.integers(1, 30), st.lists(st.integers(-8, 8) | st.none(), max_size=20))
    def check(limit, steps):
        quota, given_ = Quota(tally, clock), 0
        clock.now += DAY_S  # a new day each time
        for items in steps:
            if items is None:
                quota.exchange()
            elif items < 0:
                quota.give_back("a", -items)
                given_ = max(0, given_ + items)
            elif quota.spend("a", items, limit) == 0:
                given_ += items
            assert 0 <= given_ <= limit
        quota.close()
        assert tally.exchange(int(clock.now // DAY_S), {}).get("a", 0) == given_

    check()


def test_what_is_given_back_counts_no_more_in_any_process(tally, clock):
    one, other = Quota(tally, clock), Quota(tally, clock)
    one.spend("a", 10, 10)
    one.exchange()
    other.exchange()
    one.give_back("a", 4)
    assert other.spend("a", 1, 10) > 0
    one.exchange()
    other.exchange()
    assert other.spend("a", 4, 10) == 0
    other.exchange()
    assert tally.exchange(20_000, {}) == {"a": 10}


def test_what_is_given_back_after_midnight_is_no_credit_for_the_new_day(tally, clock):
    quota = Quota(tally, clock)
    quota.spend("a", 8, 10)
    clock.now += DAY_S
    quota.give_back("a", 8)
    assert quota.spend("a", 4, 10) == 0
    quota.give_back("a", 8)
    assert quota.spend("a", 11, 10) > 0
    assert quota.spend("a", 10, 10) == 0


def test_a_restart_forgets_nothing(tally, clock, tmp_path):
    quota = Quota(tally, clock)
    quota.start()
    quota.spend("a", 8, 10)
    quota.close()
    again = Quota(tally, clock)
    again.start()
    assert again.spend("a", 3, 10) > 0
    assert again.spend("a", 2, 10) == 0
    again.close()
    assert stat.S_IMODE((tmp_path / "access" / "quota.sqlite").stat().st_mode) == 0o600


def test_processes_see_each_other_with_the_next_exchange(tally, clock):
    one, other = Quota(tally, clock), Quota(tally, clock)
    one.spend("a", 8, 10)
    one.exchange()
    other.exchange()
    assert other.spend("a", 3, 10) > 0


def test_what_is_spent_around_midnight_counts_for_its_day(tally, clock):
    quota = Quota(tally, clock)
    quota.spend("a", 8, 10)
    clock.now += DAY_S
    quota.spend("a", 5, 10)
    quota.exchange()
    assert tally.exchange(20_000, {}) == {"a": 8}
    assert tally.exchange(20_001, {}) == {"a": 5}
    assert quota.spend("a", 6, 10) > 0


def test_a_store_that_fails_loses_no_count_and_is_logged_once(tmp_path, clock):
    tally = SqliteTally(tmp_path / "quota.sqlite")
    (tmp_path / "quota.sqlite").mkdir()
    quota = Quota(tally, clock)
    quota.spend("a", 8, 10)
    with capture_logs() as logs:
        quota.exchange()
        quota.exchange()
    assert [entry["event"] for entry in logs] == ["quota_not_shared"]
    assert quota.spend("a", 3, 10) > 0
    (tmp_path / "quota.sqlite").rmdir()
    quota.exchange()
    assert tally.exchange(20_000, {}) == {"a": 8}


def test_a_damaged_file_is_an_error_of_the_tally(tmp_path):
    path = tmp_path / "quota.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(TallyError):
        SqliteTally(path).exchange(20_000, {"a": 1})


def test_old_days_are_dropped(tmp_path):
    tally = SqliteTally(tmp_path / "quota.sqlite")
    tally.exchange(1, {"a": 1})
    tally.exchange(20_000, {"a": 1})
    with sqlite3.connect(tmp_path / "quota.sqlite") as connection:
        assert connection.execute("SELECT day FROM spent").fetchall() == [(20_000,)]
    connection.close()


def test_counts_of_many_threads_add_up(tally, clock):
    quota = Quota(tally, clock)
    spent = Counter()

    def spend(name):
        for _ in range(300):
            spent[name] += quota.spend("a", 1, 10_000) == 0
            if spent[name] % 100 == 0:
                exchange.acquire()
                quota.exchange()
                exchange.release()

    exchange = threading.Lock()
    threads = [threading.Thread(target=spend, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quota.exchange()
    assert tally.exchange(20_000, {}) == {"a": 1200} == {"a": spent.total()}


@pytest.mark.server
def test_replicas_count_together_in_redis(redis_url, clock):
    quotas = [Quota(RedisTally(redis_url), clock) for _ in range(2)]
    clock.now += 7 * DAY_S
    for quota in quotas:
        assert quota.spend("a", 4, 10) == 0
        quota.exchange()
    quotas[0].exchange()
    assert all(quota.spend("a", 3, 10) > 0 for quota in quotas)
    for quota in quotas:
        quota.close()
