import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finml.models.anomaly.detector import Grid
from finml.models.anomaly.fitting import distance_of, everyone, fit_distance, fit_scaler, resampled

scores = arrays(np.float64, st.integers(2, 60), elements=st.floats(-1e6, 1e6))


@given(scores, st.floats(-1e9, 1e9), st.floats(0, 1e9))
@settings(deadline=None)
def test_percentiles_rise_with_the_score_and_stay_below_one(raw, one, further):
    grid = Grid.of(raw, np.ones(len(raw)))
    low, high = grid.percentile(np.array([one, one + further]))
    assert 0 <= low <= high <= 1


def test_percentiles_are_shares_of_the_training_rows():
    raw = np.random.default_rng(0).normal(size=20_000)
    grid = Grid.of(raw, np.ones(len(raw)))
    for share in (0.1, 0.5, 0.9, 0.99, 0.995, 0.999):
        assert grid.percentile(np.quantile(raw, [share]))[0] == pytest.approx(share, abs=0.002)


def test_beyond_every_training_row_scores_still_differ():
    grid = Grid.of(np.linspace(0, 1, 1000), np.ones(1000))
    found = grid.percentile(np.array([1.0, 1.1, 2.0, 50.0, 1e6]))
    assert (np.diff(found) > 0).all()
    assert found[-1] < 1


def test_a_row_counts_as_often_as_it_stands_for_others():
    raw = np.array([0.0, 1.0, 2.0, 3.0])
    weights = np.array([5.0, 1.0, 1.0, 3.0])
    spread_out = np.repeat(raw, weights.astype(int))
    one, other = Grid.of(raw, weights), Grid.of(spread_out, np.ones(10))
    assert one.percentile(np.array([1.5]))[0] == pytest.approx(other.percentile(np.array([1.5]))[0], abs=0.05)


def test_a_few_far_rows_do_not_make_their_direction_usual():
    random = np.random.default_rng(0)
    rows = random.normal(size=(5000, 3))
    rows[:40, 0] += 30
    trimmed, plain = fit_distance(rows, 0.02), distance_of(rows.mean(axis=0), np.cov(rows.T))
    far = np.array([[8.0, 0, 0]])
    assert np.expm1(trimmed(far)[0]) == pytest.approx(64, rel=0.2)
    assert np.expm1(plain(far)[0]) < 10


def test_a_feature_that_never_moved_counts_in_its_own_spread():
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    rows[:, 1] = 4
    scaler = fit_scaler(rows)
    distance = fit_distance(scaler(rows), 0.01)
    assert np.expm1(distance(scaler(np.array([[0.0, 7.0]])))[0]) == pytest.approx(9, rel=0.05)


def test_a_scaler_has_no_spread_of_zero():
    scaler = fit_scaler(np.column_stack([np.zeros(50), np.r_[np.zeros(45), np.ones(5)], np.arange(50.0)]))
    assert (scaler.spread > 0).all()
    assert np.isfinite(scaler(np.full((1, 3), 1e300))).all()


def test_everyone_s_amounts_need_enough_rows_of_a_category():
    amounts = np.r_[np.full(100, 10.0), np.full(5, 1000.0)]
    usual = everyone(amounts, np.r_[np.full(100, "dining", object), np.full(5, "rent", object)])
    assert set(usual) == {"", "dining"}
    assert usual["dining"][0] == pytest.approx(np.log(10))


def test_resampling_by_weight_restores_the_whole():
    weights = np.r_[np.ones(500), np.full(500, 9.0)]
    places = resampled(weights, np.random.default_rng(0), 10_000)
    assert len(places) == 1000
    assert (places >= 500).mean() == pytest.approx(0.9, abs=0.04)
    assert resampled(np.ones(10), np.random.default_rng(0), 100).tolist() == list(range(10))
