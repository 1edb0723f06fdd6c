"""The sequential test: who looks all the time is not led astray, and real differences are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.monitoring.sequential import (
    ALPHA,
    LEAST_UNITS,
    Estimate,
    estimate,
    evidence,
    growth_until_told,
    half_width,
    p_value,
)

EXPERIMENTS, USERS = 1000, 3000


def at_every_look(values):
    """Estimates after each user, of experiments (rows) of users (columns)."""
    n = np.arange(1, values.shape[1] + 1, dtype=float)
    return estimate(n, values.cumsum(axis=1), (values**2).cumsum(axis=1))


def draws(kind, generator, shift=0.0):
    size = (EXPERIMENTS, USERS)
    if kind == "brier":
        probability = generator.beta(2 + 20 * shift, 8, size)
        return (probability - (generator.random(size) < 0.2)) ** 2
    return (generator.random(size) < float(kind) + shift).astype(float)


def ever_told(one, other):
    difference = at_every_look(other).minus(at_every_look(one))
    told = np.asarray(evidence(difference)) >= 1 / ALPHA
    return told[:, LEAST_UNITS:].any(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["0.01", "0.05", "0.2", "0.5", "brier"])
def test_peeking_after_every_user_finds_no_more_differences_than_allowed(kind):
    generator = np.random.default_rng(7)
    false = ever_told(draws(kind, generator), draws(kind, generator)).mean()
    # three standard deviations of 1,000 experiments
    assert false <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS), kind


def test_a_test_for_one_look_would_be_led_astray():
    # the simulation can tell: with the boundary of a single look far more are wrong
    generator = np.random.default_rng(7)
    one, other = (at_every_look(draws("0.2", generator)) for _ in range(2))
    difference = other.minus(one)
    told = np.abs(difference.value) > 1.96 * np.sqrt(difference.variance)
    assert told[:, LEAST_UNITS:].any(axis=1).mean() > 0.2


def test_a_real_difference_is_found():
    generator = np.random.default_rng(7)
    assert ever_told(draws("0.2", generator), draws("0.2", generator, shift=0.08)).mean() > 0.95


@given(st.floats(-1, 1), st.floats(1e-8, 0.5))
def test_interval_and_evidence_say_the_same(value, variance):
    difference = Estimate(value, variance)
    outside = abs(value) > half_width(variance)
    told = evidence(difference) > 1 / ALPHA
    assert outside == told or abs(abs(value) - half_width(variance)) < 1e-9
    assert 0 < p_value(difference) <= 1


@given(st.floats(-0.2, 0.2), st.floats(1e-6, 0.1), st.floats(0.001, 0.1))
def test_so_many_more_units_are_enough(value, variance, margin):
    growth = growth_until_told(Estimate(value, variance), margin)
    if np.isfinite(growth):
        width = half_width(variance / growth)
        assert width < abs(value) or abs(value) + width < margin
        if growth > 1:
            before = half_width(variance / growth * 1.01)
            assert before >= abs(value) and abs(value) + before >= margin


def test_rare_events_are_not_taken_for_certainty():
    # no event among 60 says little; the sample's own variance would be 0
    assert p_value(estimate(60.0, 2.0, 2.0).minus(estimate(60.0, 0.0, 0.0))) > ALPHA
