from collections.abc import Iterator

import pytest
import throttled.utils
from hypothesis import given
from hypothesis import strategies as st

from finml.access.attempts import WITHIN_S, Attempts, network_of
from finml.access.rates import LocalRates

ATTEMPTS = 20


@pytest.fixture
def clock(monkeypatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(throttled.utils, "now_mono_f", lambda: now[0])
    return now


def test_a_bucket_never_admits_more_than_its_burst_and_what_came_since(clock):
    @given(
        rate=st.floats(0.01, 500),
        burst=st.integers(1, 50),
        steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 40)), min_size=1, max_size=15),
    )
    def check(rate, burst, steps):
        rates, admitted, passed = LocalRates(), 0, 0.0
        for pause, requests in steps:
            clock[0] += pause
            passed += pause
            admitted += sum(rates.take("a caller", rate, burst).admitted for _ in range(requests))
        # rates are kept to three decimals
        assert admitted <= burst + (rate + 0.001) * passed + 1e-6

    check()


def test_who_waits_as_long_as_told_is_admitted(clock):
    @given(rate=st.floats(0.01, 500), burst=st.integers(1, 50))
    def check(rate, burst):
        rates = LocalRates()
        verdict = rates.take("a caller", rate, burst)
        while verdict.admitted:
            verdict = rates.take("a caller", rate, burst)
        assert verdict.remaining == 0
        clock[0] += verdict.retry_in_s + 1e-6
        assert rates.take("a caller", rate, burst).admitted

    check()


@pytest.mark.parametrize("burst", [1, 3, 100])
def test_the_whole_burst_may_come_at_once_and_callers_do_not_share_it(clock, burst):
    rates = LocalRates()
    for caller in ("one", "other"):
        verdicts = [rates.take(caller, 50, burst) for _ in range(burst + 1)]
        assert [verdict.admitted for verdict in verdicts] == [True] * burst + [False]


def test_too_many_failed_attempts_block_an_address_for_a_while(clock):
    attempts = Attempts(ATTEMPTS, lambda: clock[0])
    for _ in range(ATTEMPTS):
        assert attempts.wait_s("192.0.2.1") == 0
        attempts.failed("192.0.2.1")
    wait = attempts.wait_s("192.0.2.1")
    assert 0 < wait <= WITHIN_S / ATTEMPTS
    assert attempts.wait_s("192.0.2.2") == 0
    clock[0] += wait
    assert attempts.wait_s("192.0.2.1") == 0
    attempts.failed("192.0.2.1")
    assert attempts.wait_s("192.0.2.1") > 0


def test_blocked_addresses_are_bounded(clock, monkeypatch):
    monkeypatch.setattr("finml.access.attempts.MOST_BLOCKED", 2)
    attempts = Attempts(ATTEMPTS, lambda: clock[0])
    for number in range(4):
        for _ in range(ATTEMPTS):
            attempts.failed(f"192.0.2.{number}")
    assert len(attempts._blocked) == 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_ipv6_host_does_not_escape_by_another_address(address, network):
    assert network_of(address) == network
