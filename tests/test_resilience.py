"""Retries, the circuit breaker and time limits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from finml.resilience import (
    Breaker,
    CircuitOpenError,
    TimeLimit,
    TimeLimitError,
    connect_retries,
    quick_retries,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("circuitbreaker.monotonic", clock)
    return clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("test", failures=3, retry_s=1.0)


def fail() -> None:
    raise ConnectionError


def hang() -> None:
    raise TimeLimitError


def open_it(breaker: Breaker) -> None:
    for _ in range(3):
        with pytest.raises(ConnectionError):
            breaker.call(fail)


def test_it_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        with pytest.raises(ConnectionError):
            breaker.call(fail)
    assert breaker.call(lambda: "ok") == "ok"
    open_it(breaker)
    assert breaker.state == "open"
    asked = []
    with pytest.raises(CircuitOpenError):
        breaker.call(lambda: asked.append(1))
    assert asked == []


def test_one_time_limit_opens_it(breaker: Breaker) -> None:
    with pytest.raises(TimeLimitError):
        breaker.call(hang)
    assert breaker.state == "open"


def test_it_closes_when_a_try_succeeds_and_stays_open_when_it_fails(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 1.01
    assert breaker.state == "half_open"
    with pytest.raises(ConnectionError):
        breaker.call(fail)
    assert breaker.state == "open"
    clock.now += 1.01
    assert breaker.call(lambda: 7) == 7
    assert breaker.state == "closed"


def test_half_open_one_thread_tries(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 1.01
    trying, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        trying.set()
        assert go_on.wait(10)
        return "back"

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(breaker.call, slow)
        assert trying.wait(10)
        with pytest.raises(CircuitOpenError):
            breaker.call(lambda: "second")
        go_on.set()
        assert first.result(10) == "back"
    assert breaker.call(lambda: "third") == "third"


def test_who_has_seen_the_server_answer_closes_it(breaker: Breaker) -> None:
    open_it(breaker)
    breaker.reset()
    assert breaker.call(lambda: 1) == 1


def test_work_is_not_waited_for_beyond_the_limit() -> None:
    never = threading.Event()
    limit = TimeLimit(0.05, threads=1)
    try:
        with pytest.raises(TimeLimitError):
            limit.call(lambda: never.wait(30))
        # the only thread still hangs
        with pytest.raises(TimeLimitError):
            limit.call(lambda: 1)
        never.set()
        patient = TimeLimit(10, threads=1)
        assert patient.call(lambda: 1) == 1
        patient.close()
    finally:
        never.set()
        limit.close()


def test_the_works_own_timeout_is_its_own() -> None:
    def own() -> None:
        raise TimeoutError("mine")

    limit = TimeLimit(10, threads=1)
    with pytest.raises(TimeoutError, match="mine"):
        limit.call(own)
    limit.close()


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (1, 2)])
def test_a_failure_that_passes_is_asked_again_once(failures: int, calls: int) -> None:
    asked: list[int] = []

    def work() -> str:
        asked.append(1)
        if len(asked) <= failures:
            raise ConnectionResetError
        return "read"

    assert quick_retries(lambda error: isinstance(error, ConnectionError))(work) == "read"
    assert len(asked) == calls


def test_other_failures_and_the_last_one_are_raised() -> None:
    asked: list[int] = []

    def work(error: type[Exception]) -> None:
        asked.append(1)
        raise error

    again = quick_retries(lambda error: isinstance(error, ConnectionError))
    with pytest.raises(TimeoutError):
        again(work, TimeoutError)
    assert len(asked) == 1
    with pytest.raises(ConnectionResetError):
        again(work, ConnectionResetError)
    assert len(asked) == 3


def test_connecting_is_tried_with_pauses_that_double_and_differ() -> None:
    slept: list[float] = []
    retries = connect_retries(ConnectionError).copy(sleep=slept.append)
    with pytest.raises(ConnectionError):
        retries(fail)
    assert len(slept) == 2
    assert all(0 <= pause <= 1 for pause in slept)
