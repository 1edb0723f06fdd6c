import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.spending.intervals import half_widths
from finml.models.spending.periods import FREQUENCIES, MONTHLY


def errors(series: int, origins: int, *, sizes: list[float] | None = None, seed: int = 0) -> dict:
    random = np.random.default_rng(seed)
    sizes = sizes or [0.1] * series
    growth = np.sqrt(np.arange(1, MONTHLY.tested + 1))
    return {
        f"s{k}": sizes[k] * growth * random.standard_normal((origins, MONTHLY.tested)) for k in range(series)
    }


def test_four_fifths_of_errors_to_come_lie_inside():
    trained, coming = errors(12, 8), errors(12, 400, seed=9)
    widths = half_widths(trained, MONTHLY)
    inside = [
        np.abs(found) <= np.interp(np.arange(1, MONTHLY.tested + 1), MONTHLY.centres, widths[name])
        for name, found in coming.items()
    ]
    assert 0.75 < np.mean(inside) < 0.9


def test_a_restless_series_gets_a_wider_interval():
    widths = half_widths(errors(2, 8, sizes=[0.05, 0.5]), MONTHLY)
    assert widths["s1"][0] > 3 * widths["s0"][0]


def test_a_series_without_any_error_gets_a_guess():
    known = errors(3, 8)
    widths = half_widths({**known, "new": np.full((0, MONTHLY.tested), np.nan)}, MONTHLY)
    assert widths["new"][0] == pytest.approx(1.2816 * 0.5)
    assert widths["s0"] == half_widths(known, MONTHLY)["s0"]


def test_horizons_that_were_not_reached_are_wider():
    short = {
        name: np.where(np.arange(MONTHLY.tested) < 3, found, np.nan) for name, found in errors(4, 6).items()
    }
    widths = half_widths(short, MONTHLY)["s0"]
    assert widths[-1] > 1.5 * widths[1]


@given(
    st.sampled_from(list(FREQUENCIES.values())),
    st.integers(0, 4),
    st.integers(0, 5),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_widths_are_positive_and_never_shrink(frequency, series, origins, missing, seed):
    random = np.random.default_rng(seed)
    found = {
        f"s{k}": np.where(
            random.random((origins, frequency.tested)) < missing, np.nan, random.standard_normal()
        )
        for k in range(series)
    }
    for widths in half_widths(found, frequency).values():
        assert len(widths) == len(frequency.buckets)
        assert all(0 < near <= far < np.inf for near, far in itertools.pairwise(widths))
