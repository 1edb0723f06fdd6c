import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from finml.models.intent.calibration import (
    REJECTED,
    _auroc,
    calibrated,
    choose_scope,
    fit_cutoff,
    fit_scaling,
    fit_temperature,
)
from finml.models.intent.figures import Judged
from finml.models.intent.head import Head, softmax

CLASSES = 6


def sampled(rows: int = 4000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Logits that can be believed, and labels drawn by them."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2.0, size=(rows, CLASSES)).astype(np.float32)
    chosen = (softmax(logits).cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    return logits, np.arange(CLASSES) == chosen[:, None]


@pytest.mark.parametrize("wrong", [0.3, 1.0, 2.5])
def test_the_temperature_that_logits_lack_is_found(wrong):
    logits, targets = sampled()
    assert fit_temperature(logits * wrong, targets) == pytest.approx(wrong, rel=0.06)


def test_the_scaling_of_several_yes_or_no_is_found():
    random = np.random.default_rng(3)
    logits = random.normal(scale=2.0, size=(4000, CLASSES))
    targets = random.random(logits.shape) < 1 / (1 + np.exp(-logits))
    temperature, shift = fit_scaling(logits * 2 + 1, targets)
    assert temperature == pytest.approx(2, rel=0.1)
    assert shift == pytest.approx(-0.5, abs=0.1)


def test_few_texts_that_are_all_right_do_not_make_it_certain():
    logits = (np.eye(CLASSES) * 5)[:, :].astype(np.float32)
    temperature = fit_temperature(logits, np.eye(CLASSES, dtype=bool))
    assert 0.7 < softmax(logits / temperature).max(axis=1).min() < 0.95


def test_calibrating_lowers_the_calibration_error_on_other_texts():
    logits, targets = sampled()
    plain = Head(np.eye(CLASSES, dtype=np.float32) * 3, np.zeros(CLASSES, dtype=np.float32))
    fitted = calibrated(plain, logits[:2000], targets[:2000])

    def ece(head: Head) -> float:
        scores = head.score(logits[2000:])
        said = Judged.of(targets[2000:], scores.probabilities, head.decided(scores.probabilities))
        return float(said.figures(np.ones((1, 2000)))["ece"][0])

    assert ece(plain) > 0.1
    assert ece(fitted) < 0.04


def test_the_cutoff_is_where_f1_is_best():
    targets = np.array([[True, False], [False, True], [False, False]])
    assert 0.3 < fit_cutoff(np.array([[0.4, 0.2], [0.2, 0.35], [0.3, 0.1]]), targets) <= 0.35


def test_without_texts_out_of_scope_a_fixed_share_is_rejected():
    logits, _ = sampled()
    head = Head(np.eye(CLASSES), np.zeros(CLASSES))
    kind, threshold = choose_scope(head, logits, logits[:0])
    assert kind == "logit"
    assert (logits.max(axis=1) < threshold).mean() == pytest.approx(REJECTED, abs=0.002)


def test_texts_out_of_scope_choose_the_score_and_the_threshold():
    logits, _ = sampled()
    # undecided, and yet with large logits: only the confidence tells them apart
    outside = np.full((50, CLASSES), 20.0, dtype=np.float32)
    head = Head(np.eye(CLASSES), np.zeros(CLASSES))
    kind, threshold = choose_scope(head, logits, outside)
    assert kind == "confidence"
    assert softmax(outside).max() < threshold
    assert (softmax(logits).max(axis=1) < threshold).mean() <= REJECTED + 0.001


def test_auroc_is_the_one_of_scikit_learn():
    random = np.random.default_rng(1)
    inside, outside = random.integers(0, 8, 50), random.integers(0, 6, 30)
    label = np.repeat([1, 0], [50, 30])
    assert _auroc(inside, outside) == pytest.approx(roc_auc_score(label, np.concatenate([inside, outside])))
