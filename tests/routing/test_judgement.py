"""The statistics of a canary against what is known of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from finml.routing.judgement import Z, judge, kolmogorov_smirnov, quantile, wilson
from finml.routing.rules import Canary, Limits, Step
from finml.routing.windows import MOST_ANSWERS, Watch
from tests.routing.conftest import START


def on_trial(**limits):
    off = dict.fromkeys(Limits.model_fields)
    return Canary(
        steps=(Step(percent=5, minutes=1),),
        limits=Limits(**(off | limits)),
        min_requests=20,
        started_at=START,
    )


def samples(canary, champion, challenger):
    watch = Watch(canary)
    for variant, answers in (("champion", champion), ("challenger", challenger)):
        for ok, latency, score in answers:
            watch.observe(variant, ok, latency, score)
    return watch.sample("champion"), watch.sample("challenger")


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_what_scipy_says(counts):
    successes, n = counts
    expected = stats.binomtest(successes, n).proportion_ci(2 * stats.norm.cdf(Z) - 1, method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


values = st.lists(st.floats(-100, 100), min_size=1, max_size=60).map(lambda found: np.sort(np.array(found)))


@given(values, values)
def test_the_distance_is_what_scipy_says(one, other):
    assert kolmogorov_smirnov(one, other) == pytest.approx(
        stats.ks_2samp(one, other, method="asymp").statistic
    )


@given(values, st.floats(0.05, 0.95))
def test_a_quantile_is_between_its_bounds(found, q):
    low, middle, high = quantile(found, q)
    assert low <= middle <= high


def test_the_bounds_of_a_quantile_hold_as_often_as_they_say():
    generator = np.random.default_rng(7)
    truth = float(stats.lognorm(1).ppf(0.95))
    bounds = [quantile(np.sort(generator.lognormal(size=400)), 0.95, z=1.645) for _ in range(2000)]
    assert np.mean([low > truth for low, _, _ in bounds]) <= 0.07
    assert np.mean([high < truth for _, _, high in bounds]) <= 0.07


def test_too_few_answers_are_not_judged():
    canary = on_trial(error_rate=0.0)
    bad = [(False, 1.0, None)]
    assert judge(canary, *samples(canary, [], bad * 19)) is None
    assert judge(canary, *samples(canary, [], bad * 20))


def test_without_the_champion_s_answers_errors_are_judged_by_themselves_and_ratios_not_at_all():
    canary = on_trial(error_rate=0.02, latency_ratio=1.0, score_shift=0.0)
    assert "champion_errors" not in judge(canary, *samples(canary, [], [(False, 1, None)] * 50)).figures
    assert judge(canary, *samples(canary, [(True, 0.1, 0.0)] * 19, [(True, 9.0, 1.0)] * 500)) is None


def test_a_limit_in_milliseconds():
    canary = on_trial(p95_ms=100)
    assert judge(canary, *samples(canary, [], [(True, 0.09, None)] * 300)) is None
    assert "100 ms are allowed" in judge(canary, *samples(canary, [], [(True, 0.11, None)] * 300)).reason
    assert judge(canary, *samples(canary, [], [(False, 9.0, None)] * 300)) is None


def test_errors_that_the_champion_makes_as_well_are_no_fault_of_the_challenger():
    canary = on_trial(error_rate=0.02)
    half = [(False, 1, None), (True, 1, 0.5)] * 300
    assert judge(canary, *samples(canary, half, half)) is None


def test_scores_that_are_no_numbers_are_left_out():
    canary = on_trial(score_shift=0.1)
    odd = [(True, 1.0, float("nan")), (True, 1.0, None)] * 50
    assert judge(canary, *samples(canary, odd, odd)) is None


def test_no_more_is_kept_than_said():
    watch = Watch(on_trial(error_rate=0.1))
    for number in range(MOST_ANSWERS + 50):
        watch.observe("champion", True, float(number), 0.5)
    kept = watch.sample("champion")
    assert (kept.n, kept.latencies_s[0]) == (MOST_ANSWERS, 50.0)
    assert watch.seen["champion"] == MOST_ANSWERS + 50
