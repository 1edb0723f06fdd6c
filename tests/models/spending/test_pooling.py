import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.spending.pooling import UserPool, estimate

POOL = UserPool(typical=100.0, between=0.25, within=0.04, shape_share=0.5, factor=1.28, users=50)
FLAT = np.ones(6)


def sample(users: int, *, months: int = 12, between: float, within: float, seed: int = 0):
    random = np.random.default_rng(seed)
    levels = np.maximum(random.normal(1, between, users), 0.05)
    return [100 * level * (1 + within / level * random.standard_normal(months)) for level in levels]


def test_a_new_user_is_the_mean_user():
    level = POOL.posterior(np.array([]), np.array([]))
    mean, half = level.forecast(np.array([1.0, 1.5]))
    assert (level.weight, level.scale, level.shift, level.months) == (0, 1, 0, 0)
    assert mean.tolist() == pytest.approx([100, 150])
    assert half[0] == pytest.approx(1.28 * 100 * np.sqrt(0.25 + 0.04))


def test_a_long_and_quiet_history_weighs_more():
    weights = [POOL.posterior(np.full(k, 300.0), np.ones(k)).weight for k in (1, 3, 6, 24)]
    assert weights == sorted(weights)
    assert weights[0] > 0.6
    assert weights[-1] > 0.98
    restless = POOL.posterior(np.array([0, 600, 0, 600, 0, 600.0]), FLAT)
    assert restless.weight < POOL.posterior(np.full(6, 300.0), FLAT).weight


def test_the_forecast_lies_between_the_user_s_and_everyone_s():
    mean = POOL.posterior(np.full(3, 300.0), np.ones(3)).forecast(np.ones(1))[0][0]
    assert 250 < mean < 300


def test_a_rent_that_never_changes_follows_no_season():
    shape = np.array([0.8, 0.9, 1.0, 1.1, 1.2, 1.4])
    mean = POOL.posterior(np.full(6, 200.0), shape).forecast(np.array([0.8, 1.4]))[0]
    following = POOL.posterior(200 * shape, shape).forecast(np.array([0.8, 1.4]))[0]
    assert mean[1] - mean[0] < 0.6 * (following[1] - following[0])


def test_unknown_months_are_left_out():
    spent = np.array([np.nan, 300, np.nan, 300, 300, np.nan])
    assert POOL.posterior(spent, FLAT).weight == POOL.posterior(np.full(3, 300.0), np.ones(3)).weight


@given(
    st.lists(st.floats(0, 1e6), max_size=24),
    st.floats(0.01, 50),
    st.floats(1e-4, 50),
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
)
def test_an_answer_is_always_a_number(spent, between, within, share):
    pool = UserPool(100.0, between, within, share, 1.0, 9)
    level = pool.posterior(np.array(spent, dtype=float), np.ones(len(spent)))
    mean, half = level.forecast(np.array([0.5, 1.0, 2.0]))
    assert np.isfinite(mean).all() and (mean >= 0).all()
    assert np.isfinite(half).all() and (half > 0).all()
    assert 0 <= level.weight <= 1


def test_spreads_are_found_again():
    spent = sample(400, between=0.4, within=0.2)
    found = estimate(spent, [np.ones(12)] * 400, history=6, ahead=3)
    assert found.typical == pytest.approx(100, rel=0.1)
    assert found.between == pytest.approx(0.16, rel=0.35)
    assert found.within == pytest.approx(0.04, rel=0.25)
    assert UserPool.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_users_intervals_hold_what_they_say():
    found = estimate(sample(300, between=0.4, within=0.2), [np.ones(12)] * 300, history=6, ahead=3)
    inside = []
    for own in sample(300, between=0.4, within=0.2, seed=5):
        mean, half = found.posterior(own[3:9], FLAT).forecast(np.ones(3))
        inside.extend(np.abs(own[9:] - mean) <= half)
    assert 0.74 < np.mean(inside) < 0.86


@pytest.mark.parametrize("spent", [[], [np.ones(12)] * 4, [np.ones(3)] * 50, [np.zeros(12)] * 50])
def test_too_little_says_nothing(spent):
    assert estimate(spent, [np.ones(len(own)) for own in spent], history=6, ahead=3) is None
