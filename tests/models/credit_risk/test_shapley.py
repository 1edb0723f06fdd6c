from itertools import combinations
from math import factorial

import numpy as np
import onnx
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from finml.models.credit_risk import shapley
from finml.models.credit_risk.shapley import BoostedTree, boosted_trees, contributions_model, margin_model
from finml.models.trees import TreeSession

FEATURES = 6


def grown(depth: int, rounds: int, seed: int, rows: int = 400) -> tuple[xgboost.Booster, np.ndarray]:
    """A booster on data with ties, missing values and features that repeat on a path."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, FEATURES)).round(1).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    known = np.nan_to_num(matrix)
    label = known[:, 0] * known[:, 1] + known[:, 2] + random.normal(size=rows) > 0.5
    parameters = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.3, "nthread": 1}
    return xgboost.train(parameters, xgboost.DMatrix(matrix, label), rounds), matrix


def served(model: onnx.ModelProto, folder) -> TreeSession:
    onnx.save(model, folder / "trees.onnx")
    return TreeSession(folder / "trees.onnx")


@given(st.integers(0, 7), st.integers(1, 12), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=25)
def test_contributions_and_margins_are_xgboost_s(tmp_path_factory, depth, rounds, seed):
    folder = tmp_path_factory.mktemp("trees")
    booster, matrix = grown(max(depth, 1), rounds, seed)
    trees, base = boosted_trees(booster)
    if depth == 0:
        booster = xgboost.train(
            {"objective": "binary:logistic", "gamma": 1e9},
            xgboost.DMatrix(matrix, matrix[:, 0] > 0),
            2,
        )
        trees, base = boosted_trees(booster)
    found = served(contributions_model(trees, base, FEATURES), folder)(matrix)
    margin = booster.inplace_predict(matrix, predict_type="margin")
    np.testing.assert_allclose(
        found[:, :-1], booster.predict(xgboost.DMatrix(matrix), pred_contribs=True), atol=1e-5
    )
    np.testing.assert_allclose(found[:, -1], margin, atol=1e-6)
    alone = served(margin_model(trees, base, FEATURES), folder)
    np.testing.assert_array_equal(alone(matrix)[:, 0], found[:, -1])


def test_a_row_gets_the_same_bits_alone_and_among_others(tmp_path):
    booster, matrix = grown(4, 90, seed=5)
    trees, base = boosted_trees(booster)
    for model in (contributions_model(trees, base, FEATURES), margin_model(trees, base, FEATURES)):
        session = served(model, tmp_path)
        together = session(matrix)
        for row in range(0, len(matrix), 7):
            np.testing.assert_array_equal(session(matrix[row : row + 1])[0], together[row])


def value_of(tree: BoostedTree, row: np.ndarray, known: set[int], node: int = 0) -> float:
    """What a tree says where only some features are known, by the definition of path-dependent SHAP."""
    if not tree.left[node]:
        return float(tree.value[node])
    left, right = int(tree.left[node]), int(tree.right[node])
    feature = int(tree.feature[node])
    if feature in known:
        goes_left = tree.missing_left[node] if np.isnan(row[feature]) else row[feature] < tree.value[node]
        return value_of(tree, row, known, left if goes_left else right)
    return sum(
        float(tree.cover[child] / tree.cover[node]) * value_of(tree, row, known, child)
        for child in (left, right)
    )


def test_contributions_are_shapley_values_by_definition(tmp_path):
    booster, matrix = grown(3, 2, seed=1)
    trees, base = boosted_trees(booster)
    found = served(contributions_model(trees, base, FEATURES), tmp_path)(matrix[:10])
    for row, shares in zip(matrix[:10], found, strict=True):
        for feature in range(FEATURES):
            others = [other for other in range(FEATURES) if other != feature]
            expected = sum(
                factorial(size)
                * factorial(FEATURES - 1 - size)
                / factorial(FEATURES)
                * sum(
                    value_of(tree, row, {*chosen, feature}) - value_of(tree, row, set(chosen))
                    for tree in trees
                )
                for size in range(FEATURES)
                for chosen in combinations(others, size)
            )
            assert shares[feature] == pytest.approx(expected, abs=1e-5)


def test_tables_that_would_be_too_large_are_not_made(monkeypatch):
    trees, base = boosted_trees(grown(4, 5, seed=2)[0])
    monkeypatch.setattr(shapley, "MOST_WEIGHTS", 100)
    assert contributions_model(trees, base, FEATURES) is None
