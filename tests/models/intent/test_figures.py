import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from finml.models.intent.figures import ECE_BINS, Judged, compare, measure
from finml.models.intent.head import softmax


def judged(seed: int = 1, *, rows: int = 300, classes: int = 5, multiple: bool = False) -> Judged:
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2, size=(rows, classes))
    probabilities = softmax(logits)
    top = np.arange(classes) == probabilities.argmax(axis=1)[:, None]
    targets = top.copy()
    wrong = random.random(rows) < 0.3
    targets[wrong] = np.eye(classes, dtype=bool)[random.integers(0, classes, wrong.sum())]
    if multiple:
        targets |= random.random(targets.shape) < 0.2
        return Judged.of(targets, probabilities, top | (probabilities > 0.3))
    return Judged.of(targets, probabilities, top)


def plain(found: Judged) -> dict[str, float]:
    return {name: float(values[0]) for name, values in found.figures(np.ones((1, len(found.hit)))).items()}


@given(st.integers(0, 50), st.booleans())
def test_figures_are_those_of_scikit_learn(seed, multiple):
    found = judged(seed, rows=40, multiple=multiple)
    ours = plain(found)
    assert ours["accuracy"] == pytest.approx(accuracy_score(found.targets, found.decided))
    for average in ("macro", "micro"):
        theirs = f1_score(found.targets, found.decided, average=average, zero_division=np.nan)
        assert ours[f"{average}_f1"] == pytest.approx(theirs)


def test_an_intent_that_does_not_occur_counts_only_if_it_is_predicted():
    targets = np.array([[True, False, False], [True, False, False]])
    decided = np.array([[True, False, False], [False, True, False]])
    found = Judged.of(targets, decided * 0.9, decided)
    assert plain(found)["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_the_calibration_error_is_the_mean_gap_over_bins_of_equal_width():
    found = judged()
    place = np.minimum((found.confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    expected = sum(
        (place == each).mean() * abs(found.hit[place == each].mean() - found.confidence[place == each].mean())
        for each in np.unique(place)
    )
    assert plain(found)["ece"] == pytest.approx(expected)


def test_a_weight_of_two_is_a_row_that_is_there_twice():
    found = judged(rows=50)
    weights = np.random.default_rng(4).integers(0, 3, (1, 50)).astype(float)
    rows = np.repeat(np.arange(50), weights[0].astype(int))
    again = Judged(found.targets[rows], found.decided[rows], found.confidence[rows], found.hit[rows])
    weighted = found.figures(weights)
    assert {name: float(value[0]) for name, value in weighted.items()} == pytest.approx(plain(again))


def test_figures_by_intent_are_those_of_scikit_learn():
    found = judged()
    ours = found.by_class()
    precision, recall, f1, n = precision_recall_fscore_support(found.targets, found.decided)
    for name, theirs in {"precision": precision, "recall": recall, "f1": f1, "n": n}.items():
        assert ours[name] == pytest.approx(theirs)


def test_intervals_surround_the_figure_and_narrow_with_more_rows():
    few, many = measure(judged(rows=200), seed=1), measure(judged(rows=3200), seed=1)
    for name, figure in few.items():
        assert figure.low <= figure.value <= figure.high
        assert many[name].high - many[name].low < figure.high - figure.low
    assert few == measure(judged(rows=200), seed=1)


def test_a_model_against_itself_differs_by_nothing():
    found = judged()
    assert all(
        (delta.low, delta.value, delta.high) == (0, 0, 0) for delta in compare(found, found, seed=1).values()
    )


def test_a_better_model_is_better_beyond_doubt():
    found = judged()
    best = Judged(found.targets, found.targets, found.confidence, np.ones(len(found.hit), dtype=bool))
    assert compare(best, found, seed=1)["accuracy"].low > 0.1
    assert compare(found, best, seed=1)["macro_f1"].high < -0.1
