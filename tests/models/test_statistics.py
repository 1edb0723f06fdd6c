import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from finml.models.statistics import (
    ECE_BINS,
    ScoredRows,
    calibration_bins,
    compare,
    interval,
    measure,
    resample_weights,
)

FIGURES = ["auc", "average_precision", "ks", "brier", "log_loss", "ece"]


def scored(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    probability = random.beta(2, 6, rows)
    return random.random(rows) < probability, probability


rows_strategy = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.01, 0.2, 0.2000001, 0.5, 0.9, 0.99]), st.integers(0, 3)),
    min_size=4,
    max_size=60,
).filter(lambda rows: len({label for label, _, weight in rows if weight}) == 2)


@given(rows_strategy)
@settings(deadline=None)
def test_figures_are_scikit_learn_s_with_weights_and_ties(rows):
    label, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = ScoredRows.of(label, probability).figures(weight[None])
    assert found["auc"][0] == pytest.approx(roc_auc_score(label, probability, sample_weight=weight))
    assert found["average_precision"][0] == pytest.approx(
        average_precision_score(label, probability, sample_weight=weight)
    )
    assert found["brier"][0] == pytest.approx(brier_score_loss(label, probability, sample_weight=weight))
    assert found["log_loss"][0] == pytest.approx(log_loss(label, probability, sample_weight=weight))


@given(rows_strategy)
@settings(deadline=None)
def test_ks_is_scipy_s(rows):
    label, probability, _ = (np.array(column) for column in zip(*rows, strict=True))
    if label.all() or not label.any():
        return
    found = ScoredRows.of(label, probability).figures(np.ones((1, len(label))))["ks"][0]
    assert found == pytest.approx(ks_2samp(probability[label], probability[~label], method="asymp").statistic)


def test_calibration_error_is_the_mean_gap_of_ten_equal_bins():
    label, probability = scored(5000)
    order = np.argsort(probability)
    bins = np.array_split(order, ECE_BINS)
    expected = np.mean([abs(label[part].mean() - probability[part].mean()) for part in bins])
    found = ScoredRows.of(label, probability).figures(np.ones((1, 5000)))["ece"][0]
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("rows", "bins"), [(1, 1), (60, 2), (300, 6), (5000, 10)])
def test_small_samples_get_fewer_calibration_bins(rows, bins):
    label, probability = scored(rows)
    found = calibration_bins(label, probability)
    assert len(found) == bins
    assert sum(part["n"] for part in found) == rows
    predicted = [part["predicted"] for part in found]
    assert predicted == sorted(predicted)


def test_equal_probabilities_share_a_calibration_bin():
    found = calibration_bins(np.arange(1000) % 2, np.repeat([0.1, 0.5], 500))
    assert [part["n"] for part in found] == [500, 500]


def test_intervals_surround_the_figure_and_narrow_with_the_rows():
    few, many = (measure(*scored(rows), seed=1) for rows in (200, 5000))
    assert list(many) == FIGURES
    for name in FIGURES:
        assert few[name].low <= few[name].value <= few[name].high
        assert many[name].high - many[name].low < few[name].high - few[name].low
        assert few[name].low >= 0


def test_intervals_cover_the_truth():
    truth = measure(*scored(200_000, seed=99), resamples=1)["auc"].value
    hits = [
        found.low <= truth <= found.high
        for found in (measure(*scored(300, seed=seed), seed=seed, resamples=300)["auc"] for seed in range(60))
    ]
    assert 0.85 <= np.mean(hits) <= 1


def test_rows_of_one_user_are_drawn_together():
    weights = np.concatenate(list(resample_weights(6, ["a", "a", "b", "b", "c", "c"], 0, 50)))
    assert weights.shape == (50, 6)
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    assert (weights.sum(axis=1) == 6).all()
    label, probability = scored(500)
    alone = measure(label, probability, seed=2)["auc"]
    tripled = measure(
        np.repeat(label, 3), np.repeat(probability, 3), groups=np.repeat(np.arange(500), 3), seed=2
    )["auc"]
    assert tripled.high - tripled.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_the_same_seed_gives_the_same_interval():
    assert measure(*scored(400), seed=4) == measure(*scored(400), seed=4)
    assert measure(*scored(400), seed=4) != measure(*scored(400), seed=5)


def test_one_class_leaves_out_what_is_not_defined():
    found = measure(np.zeros(100), scored(100)[1])
    assert set(found) == {"brier", "log_loss", "ece"}
    assert compare(np.ones(50), scored(50)[1], scored(50, 1)[1]).keys() == {"brier", "log_loss", "ece"}


def test_one_row_can_be_measured():
    assert set(measure([1], [0.3])) == {"brier", "log_loss", "ece"}


def test_a_figure_that_most_resamples_lack_has_no_interval():
    assert interval(0.5, np.array([0.4] * 80 + [np.nan] * 20)) is None
    assert interval(np.nan, np.ones(10)) is None


def test_certain_probabilities_have_a_finite_log_loss():
    assert np.isfinite(measure([1, 0], [0.0, 1.0], resamples=20)["log_loss"].value)


def test_paired_differences_know_better_from_worse():
    label, probability = scored(2000)
    noise = np.clip(probability + np.random.default_rng(1).normal(0, 0.15, 2000), 0.001, 0.999)
    better = compare(label, probability, noise)
    assert better["auc"].low > 0
    assert better["brier"].high < 0
    worse = compare(label, noise, probability)
    assert worse["auc"].value == pytest.approx(-better["auc"].value)
    same = compare(label, probability, probability)
    assert {(found.low, found.value, found.high) for found in same.values()} == {(0, 0, 0)}


def test_a_pair_is_told_apart_more_sharply_than_two_intervals_do():
    label, probability = scored(2000)
    close = np.clip(probability + np.random.default_rng(1).normal(0, 0.02, 2000), 0.001, 0.999)
    delta, alone = compare(label, probability, close)["auc"], measure(label, probability)["auc"]
    assert delta.high - delta.low < (alone.high - alone.low) / 3


def test_a_thousand_resamples_of_five_thousand_rows_are_quick():
    label, probability = scored(5000)
    began = time.process_time()
    measure(label, probability)
    assert time.process_time() - began < 10
