import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from finml.models.anomaly.detector import OnnxForest, forest_scores
from finml.models.anomaly.trees import from_onnx, grown, to_onnx, usual_depth


def written(forest, features, file):
    onnx.save(to_onnx(grown(forest), features), file)
    return OnnxForest(file)


@pytest.mark.parametrize("columns", ["normal", "counts", "constant", "large"])
def test_scores_are_scikit_learn_s(tmp_path, columns):
    random = np.random.default_rng(1)
    rows = random.normal(size=(3000, 6)).astype(np.float32)
    match columns:
        case "counts":
            rows = random.poisson(1, rows.shape).astype(np.float32)
        case "constant":
            rows[:, :3] = 7
        case "large":
            rows *= 1e12
    forest = IsolationForest(n_estimators=100, max_samples=2048, random_state=0).fit(rows)
    asked = np.concatenate([rows, 3 * rows])
    found = forest_scores(written(forest, 6, tmp_path / "forest.onnx")(asked))
    np.testing.assert_allclose(found, -forest.score_samples(asked), atol=1e-6)


@given(st.integers(2, 40), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=30)
def test_small_forests_too(tmp_path_factory, rows, features, trees, seed):
    given_rows = np.random.default_rng(seed).integers(0, 4, (rows, features)).astype(np.float32)
    forest = IsolationForest(n_estimators=trees, max_samples=rows, random_state=seed).fit(given_rows)
    served = written(forest, features, tmp_path_factory.mktemp("forest") / "forest.onnx")
    np.testing.assert_allclose(
        forest_scores(served(given_rows)), -forest.score_samples(given_rows), atol=1e-6
    )


def test_trees_are_read_back_as_they_were_written(tmp_path):
    rows = np.random.default_rng(2).normal(size=(500, 3))
    trees = grown(IsolationForest(n_estimators=7, random_state=0).fit(rows))
    onnx.save(to_onnx(trees, 3), tmp_path / "forest.onnx")
    again = from_onnx(tmp_path / "forest.onnx")
    assert len(again) == 7
    for one, other in zip(trees, again, strict=True):
        for name in ("left", "right", "feature", "value"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_trees_of_different_samples_can_be_joined(tmp_path):
    random = np.random.default_rng(3)
    few, many = (
        IsolationForest(n_estimators=50, max_samples=size, random_state=0).fit(random.normal(size=(size, 2)))
        for size in (64, 4096)
    )
    asked = random.normal(size=(200, 2)).astype(np.float32)
    onnx.save(to_onnx([*grown(few), *grown(many)], 2), tmp_path / "forest.onnx")
    depth = OnnxForest(tmp_path / "forest.onnx")(asked)
    each = [np.log2(-forest.score_samples(asked)) for forest in (few, many)]
    np.testing.assert_allclose(depth, -np.mean(each, axis=0), atol=1e-5)


def test_usual_depths_are_those_of_the_paper():
    assert usual_depth([0, 1, 2]).tolist() == [0, 0, 1]
    assert usual_depth([256])[0] == pytest.approx(10.2448, abs=1e-4)


def test_a_file_that_holds_no_forest_is_named(tmp_path):
    (tmp_path / "forest.onnx").write_bytes(b"no forest")
    with pytest.raises(ValueError, match=r"forest\.onnx holds no trees"):
        OnnxForest(tmp_path / "forest.onnx")
