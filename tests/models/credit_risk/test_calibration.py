import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.credit_risk.calibration import LEAST_SLOPE, PLATT_BELOW, Calibration, fit_calibration
from finml.models.statistics import measure

IDENTITY = Calibration(kind="platt", a=1.0, b=1.0, c=0.0, rows=0)


def margins(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds, and outcomes that happen with these odds."""
    random = np.random.default_rng(seed)
    margin = random.normal(-1.5, 1.5, rows)
    return margin, random.random(rows) < 1 / (1 + np.exp(-margin))


def test_the_identity_changes_nothing():
    margin, _ = margins(100)
    np.testing.assert_allclose(IDENTITY.probability(margin), 1 / (1 + np.exp(-margin)))


def test_margins_beyond_measure_stay_probabilities():
    found = IDENTITY.probability(np.array([-1e4, -800, 0, 800, 1e4]))
    assert found.tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize(("rows", "kind"), [(500, "platt"), (20_000, "beta")])
def test_the_kind_follows_the_number_of_defaults(rows, kind):
    margin, label = margins(rows)
    found = fit_calibration(margin, label, np.arange(len(label)))
    assert (min(label.sum(), (~label).sum()) >= PLATT_BELOW) == (kind == "beta")
    assert (found.kind, found.rows) == (kind, rows)
    if kind == "platt":
        assert found.a == found.b


@pytest.mark.parametrize("rows", [3000, 20_000])
@pytest.mark.parametrize(("slope", "shift"), [(3.0, 0.0), (0.4, 0.0), (1.0, 2.0), (2.0, -1.0)])
def test_distorted_margins_are_put_right(rows, slope, shift):
    margin, label = margins(rows)
    distorted = slope * margin + shift
    found = fit_calibration(distorted, label, np.arange(len(label)))
    before = measure(label, IDENTITY.probability(distorted), resamples=1)["log_loss"].value
    after = measure(label, found.probability(distorted), resamples=1)
    assert after["log_loss"].value < before
    assert after["ece"].value < 0.035
    assert found.probability(distorted).mean() == pytest.approx(label.mean(), abs=0.005)


def test_a_useless_model_is_flattened_and_not_turned_round():
    margin, label = margins(2000)
    found = fit_calibration(-margin, label, np.arange(len(label)))
    assert found.a >= LEAST_SLOPE
    assert np.ptp(found.probability(-margin)) < 0.05


@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(-5, 5), st.lists(st.floats(-20, 20), min_size=2))
def test_the_order_is_kept(a, b, c, margin):
    found = Calibration("beta", a, b, c, 0).probability(np.sort(margin))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
