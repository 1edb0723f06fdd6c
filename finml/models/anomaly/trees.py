"""An isolation forest as plain arrays, and as ONNX trees: grown by scikit-learn, served without it.

Each leaf holds the depth at which it isolates a row, over the depth that is usual for the rows its tree was
grown from. The mean over the trees is a row's depth, and `2 ** -depth` is scikit-learn's anomaly score (Liu,
Ting, Zhou 2008). As every tree carries its own usual depth, trees of different samples can be joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from finml.models import trees as ensembles

if TYPE_CHECKING:
    import onnx
    from sklearn.ensemble import IsolationForest
    from sklearn.tree._tree import Tree as FittedTree

OUTPUT = "depth"


@dataclass(frozen=True)
class Tree:
    """One isolation tree of m nodes, the root first.

    Attributes:
        left: (m,) node to go on with where the feature is at most the threshold; 0 in a leaf.
        right: (m,) the other one; 0 in a leaf.
        feature: (m,) feature that a node looks at.
        value: (m,) float32, threshold of a node or relative depth of a leaf.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    value: npt.NDArray[np.float32]


def usual_depth(rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mean depth at which a search in a random binary tree of so many rows ends."""
    n = np.asarray(rows, dtype=np.float64)
    depth = np.zeros_like(n)
    depth[n == 2] = 1.0
    many = n > 2
    depth[many] = 2.0 * (np.log(n[many] - 1.0) + np.euler_gamma) - 2.0 * (n[many] - 1.0) / n[many]
    return depth


def grown(forest: "IsolationForest") -> list[Tree]:
    """The trees of a fitted forest."""
    usual = float(usual_depth(np.array([forest.max_samples_]))[0])
    return [_tree(fitted.tree_, usual) for fitted in forest.estimators_]


def _tree(tree: "FittedTree", usual: float) -> Tree:
    left = np.asarray(tree.children_left, dtype=np.int64)
    right = np.asarray(tree.children_right, dtype=np.int64)
    leaf = left < 0
    depth = np.zeros(len(left))
    # a child comes after its parent
    for node in np.flatnonzero(~leaf):
        depth[[left[node], right[node]]] = depth[node] + 1
    isolated = (depth + usual_depth(tree.n_node_samples)) / usual
    return Tree(
        left=np.where(leaf, 0, left),
        right=np.where(leaf, 0, right),
        feature=np.where(leaf, 0, np.asarray(tree.feature, dtype=np.int64)),
        value=np.where(leaf, isolated, _at_most(np.asarray(tree.threshold))).astype(np.float32),
    )


def _at_most(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest float32 values that are not above the thresholds: they split float32 rows the same way."""
    rounded = threshold.astype(np.float32)
    above = rounded.astype(np.float64) > threshold
    return np.where(above, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float64)


def to_onnx(trees: Sequence[Tree], features: int) -> "onnx.ModelProto":
    """The trees as an ONNX model that takes (n, features) float32 and answers (n, 1): the mean depth."""
    return ensembles.to_onnx(
        [_ensemble(tree) for tree in trees],
        features=features,
        split="BRANCH_LEQ",
        aggregate="AVERAGE",
        output=OUTPUT,
    )


def _ensemble(tree: Tree) -> ensembles.EnsembleTree:
    leaf = tree.left == 0
    nodes = np.flatnonzero(leaf)
    return ensembles.EnsembleTree(
        left=tree.left,
        right=tree.right,
        feature=tree.feature,
        threshold=np.where(leaf, np.float32(0), tree.value),
        missing_left=np.zeros(len(leaf), dtype=bool),
        leaf=nodes,
        target=np.zeros_like(nodes),
        weight=tree.value[nodes],
    )


def from_onnx(file: Path) -> list[Tree]:
    """The trees of a file that `to_onnx` made, oldest first."""
    import onnx

    (node,) = onnx.load(file).graph.node
    given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    tree_ids = np.array(given["nodes_treeids"])
    starts = np.flatnonzero(np.diff(tree_ids, prepend=-1))
    left, right, feature = (
        np.array(given[f"nodes_{name}"], dtype=np.int64)
        for name in ("truenodeids", "falsenodeids", "featureids")
    )
    value = np.array(given["nodes_values"], dtype=np.float32)
    value[starts[given["target_treeids"]] + np.array(given["target_nodeids"])] = given["target_weights"]
    ends = [*starts[1:], len(tree_ids)]
    return [
        Tree(left[start:end], right[start:end], feature[start:end], value[start:end])
        for start, end in zip(starts, ends, strict=True)
    ]
