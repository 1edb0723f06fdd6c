"""When requests are due."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals import Profile, arrivals, profile
from loadtests.scenarios import Bursts, Scenario, Spike, Steps


def scenario(**changes) -> Scenario:
    given = {
        "users": 4,
        "seconds": 60,
        "rate_per_s": 10,
        "sizes": {1: 1.0},
        "explain_share": 0,
        "budget": {"p95_ms": 100, "failure_share": 0, "requests_per_s": 1},
    }
    return Scenario.model_validate(given | changes)


spans = st.floats(0.01, 50)
profiles = st.lists(st.tuples(spans, st.floats(0, 500)), min_size=1, max_size=6).map(
    lambda pieces: Profile(
        tuple(sum(span for span, _ in pieces[:place]) for place in range(len(pieces) + 1)),
        tuple(rate for _, rate in pieces),
    )
)


def test_a_steady_rate_is_one_piece():
    assert profile(scenario()) == Profile((0.0, 60.0), (10.0,))


def test_a_spike_rises_once():
    rate = profile(scenario(spike=Spike(after_s=20, for_s=10, factor=5)))
    assert rate == Profile((0.0, 20, 30, 60.0), (10.0, 50.0, 10.0))
    assert [rate.rate_at(at) for at in (-1, 0, 19.9, 20, 29.9, 30, 60)] == [0, 10, 10, 50, 50, 10, 0]


def test_bursts_come_in_turns():
    rate = profile(scenario(seconds=25, bursts=Bursts(off_s=8, on_s=2, factor=3)))
    assert rate.edges == (0.0, 8, 10, 18, 20, 25.0)
    assert rate.rates == (10, 30, 10, 30, 10)


def test_steps_multiply_the_rate():
    rate = profile(scenario(seconds=30, steps=Steps(every_s=10, factor=2)))
    assert rate == Profile((0.0, 10, 20, 30.0), (10.0, 20.0, 40.0))


def test_callers_that_wait_are_paced_by_the_multiple_alone():
    closed = scenario(rate_per_s=None, think_s=(0.1, 0.2), spike=Spike(after_s=20, for_s=10, factor=5))
    assert profile(closed).rates == (1.0, 5.0, 1.0)


@given(profiles, st.floats(0, 400), st.floats(0.001, 5000))
def test_as_many_are_expected_until_a_moment_as_were_asked_for(rate, start, requests):
    moment = rate.moment_after(start, requests)
    if moment is None:
        assert rate.expected(start, rate.seconds) <= requests * (1 + 1e-9)
    else:
        assert start <= moment <= rate.seconds
        assert rate.expected(start, moment) == pytest.approx(requests, rel=1e-6, abs=1e-6)


@given(profiles, st.integers(1, 20), st.integers(0, 1000))
def test_arrivals_rise_and_end_with_the_run(rate, callers, seed):
    moments = list(arrivals(rate, callers, random.Random(seed)))  # noqa: S311  # no secret
    assert all(before <= after for before, after in pairwise(moments))
    assert all(0 <= moment <= rate.seconds and rate.expected(0, moment) > 0 for moment in moments)


def test_all_callers_together_send_at_the_rate():
    rate = profile(scenario(spike=Spike(after_s=20, for_s=10, factor=5)))
    moments = [
        moment
        for caller in range(50)
        for moment in arrivals(rate, 50, random.Random(caller))  # noqa: S311  # no secret
    ]
    # 500 are due outside the spike and 500 in it; three standard deviations are 67
    assert len([moment for moment in moments if 20 <= moment < 30]) == pytest.approx(500, abs=70)
    assert len(moments) == pytest.approx(1000, abs=95)
