"""The verdict: what it says first, and that its percentiles are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.scenarios import Budget
from loadtests.verdict import judge, percentile

BUDGET = Budget(p95_ms=100, failure_share=0.01, requests_per_s=10)


def entry(name: str = "/predict/credit_risk", times=None, failures: int = 0) -> dict:
    times = times or {"20": 90, "90": 10}
    return {
        "name": name,
        "num_requests": sum(times.values()),
        "num_failures": failures,
        "response_times": times,
    }


def test_within_budget():
    verdict = judge("steady", BUDGET, [entry()], 5, [])
    assert verdict.passed
    assert verdict.to_text().splitlines()[0] == "steady: within budget"


@pytest.mark.parametrize(
    ("stats", "seconds", "first"),
    [
        ([entry(failures=5)], 5, "failures: 5 of 100 requests (5.00%), at most 1.00%"),
        ([entry(), entry("/explain/credit_risk", {"300": 10})], 5,
         "latency of /explain/credit_risk: p95 300 ms, at most 100 ms"),
        ([entry()], 50, "throughput: 2 answers a second, at least 10"),
        ([entry(times={"9": 10}, failures=10)], 100, "failures: 10 of 10 requests (100.00%), at most 1.00%"),
        ([], 5, "failures: 0 of 0 requests (100.00%), at most 1.00%"),
    ],
)  # fmt: skip
def test_what_broke_first_is_named_first(stats, seconds, first):
    verdict = judge("steady", BUDGET, stats, seconds, ["5 x /predict/credit_risk: status 503"])
    assert not verdict.passed
    assert verdict.to_text().splitlines()[0] == f"steady: BROKEN, first by {first}"
    assert "status 503" in verdict.to_text()
    assert len(verdict.to_text().splitlines()) <= 24


@given(st.lists(st.integers(0, 500), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentile_is_the_nearest_rank(times, share):
    histogram = [(float(ms), times.count(ms)) for ms in sorted(set(times))]
    assert percentile(histogram, share) == np.quantile(times, share, method="inverted_cdf")
