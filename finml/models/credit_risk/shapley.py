"""The exact contributions of a booster's features, tabulated in training so that serving only looks them up.

A tree is the sum of its leaves, and Shapley values of a sum are the sum of the Shapley values. What a leaf
of value v contributes depends on the row only by which of the m features on its path let the row pass, o_i in
{0, 1}; a feature that is not known passes in the share r_i of the training's cover (path-dependent SHAP;
Lundberg, Erion, Lee 2018, "Consistent individualized feature attribution for tree ensembles"). With the
multilinear extension of Owen (1972) the value is an integral of a polynomial of degree m - 1,

    phi_i = v (o_i - r_i) integral_0^1 prod_{j != i} (o_j y + r_j (1 - y)) dy,

for which Gauss and Legendre's rule with few points is exact. Version 2 of Fast TreeSHAP (Yang 2021, "Fast
TreeSHAP: accelerating SHAP value computation for trees") tabulates the outcomes of each leaf's path in the
same spirit. Here the leaves of a small subtree share one table over the outcomes of all its splits, and the
table is written as the leaves of a tree that asks those splits one after the other. What evaluates trees then
explains a row by the same pass that scores it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from finml.models.trees import EnsembleTree, Floats32, Ints, constant, to_onnx

if TYPE_CHECKING:
    import onnx
    import xgboost

# Splits that one table may ask: a table has two to their power outcomes. A path of a tree of depth 6 fits.
MOST_SPLITS = 6
# numbers that the tables of a model may hold; beyond it XGBoost itself explains
MOST_WEIGHTS = 1_000_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BoostedTree:
    """One tree of m nodes, the root first.

    Attributes:
        left: (m,) node to go on with where the feature is below the threshold; 0 in a leaf.
        right: (m,) the other one; 0 in a leaf.
        feature: (m,) feature that a node looks at.
        value: (m,) float32, threshold of a node or weight of a leaf.
        missing_left: (m,) whether a missing value goes left.
        cover: (m,) weight of the training rows that came through.
    """

    left: Ints
    right: Ints
    feature: Ints
    value: Floats32
    missing_left: npt.NDArray[np.bool_]
    cover: Floats

    def leaves(self, node: int = 0) -> list[int]:
        """Leaves below a node, left to right."""
        if not self.left[node]:
            return [node]
        return self.leaves(int(self.left[node])) + self.leaves(int(self.right[node]))

    def splits(self, node: int = 0) -> list[int]:
        """Splits from a node down, itself included."""
        if not self.left[node]:
            return []
        return [node, *self.splits(int(self.left[node])), *self.splits(int(self.right[node]))]


def boosted_trees(booster: "xgboost.Booster") -> tuple[list[BoostedTree], float]:
    """The trees of a booster with a logistic objective, and the log-odds that they start from."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    score = float(learner["learner_model_param"]["base_score"].strip("[]"))
    trees = []
    for tree in learner["gradient_booster"]["model"]["trees"]:
        left, right, feature, value, missing_left, cover = (
            np.array(tree[name])
            for name in (
                "left_children",
                "right_children",
                "split_indices",
                "split_conditions",
                "default_left",
                "sum_hessian",
            )
        )
        leaf = left < 0
        trees.append(
            BoostedTree(
                left=np.where(leaf, 0, left),
                right=np.where(leaf, 0, right),
                feature=np.where(leaf, 0, feature),
                value=value.astype(np.float32),
                missing_left=missing_left.astype(bool),
                cover=cover.astype(np.float64),
            )
        )
    return trees, float(np.log(score / (1 - score)))


def margin_model(trees: Sequence[BoostedTree], base: float, features: int) -> "onnx.ModelProto":
    """The booster as an ONNX model from (n, features) to (n, 1) log-odds."""
    # the base first, as XGBoost adds up
    parts = [constant([base])]
    for tree in trees:
        leaf = tree.left == 0
        nodes = np.flatnonzero(leaf)
        parts.append(
            EnsembleTree(
                left=tree.left,
                right=tree.right,
                feature=tree.feature,
                threshold=np.where(leaf, np.float32(0), tree.value),
                missing_left=tree.missing_left & ~leaf,
                leaf=nodes,
                target=np.zeros_like(nodes),
                weight=tree.value[nodes],
            )
        )
    return to_onnx(parts, features=features, split="BRANCH_LT", aggregate="SUM", output="margin")


def contributions_model(trees: Sequence[BoostedTree], base: float, features: int) -> "onnx.ModelProto | None":
    """The booster's contributions as an ONNX model from (n, k) to (n, k + 2).

    The first k outputs are the contributions, then come their base and the margin, which has the bits that
    `margin_model` gives. `None` where the tables would be too large.
    """
    groups = [(tree, group) for tree in trees for group in _groups(tree, 0, [])]
    if sum(len(group.splits) << len(group.splits) for _, group in groups) > MOST_WEIGHTS:
        return None
    expected = base + sum(_expected(tree, 0) for tree in trees)
    parts = [constant([0.0] * features + [expected, base])]
    parts += [_table(tree, group, features) for tree, group in groups]
    return to_onnx(
        parts,
        features=features,
        split="BRANCH_LT",
        aggregate="SUM",
        output="contributions",
        targets=features + 2,
    )


@dataclass(frozen=True)
class _Group:
    """Leaves of one tree whose contributions share a table, and the splits on their paths."""

    splits: list[int]
    leaves: list[int]


def _groups(tree: BoostedTree, node: int, path: list[int]) -> Iterator[_Group]:
    """The leaves below a node, in groups of at most `MOST_SPLITS` splits or of one longer path."""
    below = tree.splits(node)
    if len(path) + len(below) <= MOST_SPLITS or not below:
        yield _Group(path + below, tree.leaves(node))
        return
    for child in (tree.left[node], tree.right[node]):
        yield from _groups(tree, int(child), [*path, node])


def _expected(tree: BoostedTree, node: int) -> float:
    """Mean of a subtree's leaves by cover."""
    if not tree.left[node]:
        return float(tree.value[node])
    left, right = int(tree.left[node]), int(tree.right[node])
    sides = tree.cover[[left, right]] / tree.cover[node]
    return float(sides @ [_expected(tree, left), _expected(tree, right)])


def _table(tree: BoostedTree, group: _Group, features: int) -> EnsembleTree:
    """A group's table, as a complete tree that asks one of its splits on each level.

    The nodes are numbered as in a heap: level by level, so the children of node i are 2 i + 1 and 2 i + 2.
    """
    splits, levels = np.array(group.splits, dtype=np.int64), len(group.splits)
    inner = (1 << levels) - 1
    outcome = np.arange(inner + 1)
    # whether the split of each level holds, (outcomes, levels); the first child is where it does
    holds = (outcome[:, None] >> np.arange(levels)[::-1] & 1) == 0
    shares = np.zeros((inner + 1, features + 2))
    for leaf in group.leaves:
        _add_leaf(shares, tree, group.splits, leaf, holds)
    asked = np.repeat(splits, 1 << np.arange(levels))
    rows, targets = np.nonzero(shares)
    leaves = np.zeros(inner + 1, dtype=np.int64)
    flags = np.zeros(inner + 1, dtype=bool)
    return EnsembleTree(
        left=np.concatenate([2 * np.arange(inner) + 1, leaves]),
        right=np.concatenate([2 * np.arange(inner) + 2, leaves]),
        feature=np.concatenate([tree.feature[asked], leaves]),
        threshold=np.concatenate([tree.value[asked], leaves]).astype(np.float32),
        missing_left=np.concatenate([tree.missing_left[asked], flags]),
        leaf=rows + inner,
        target=targets,
        weight=shares[rows, targets].astype(np.float32),
    )


def _add_leaf(
    shares: Floats, tree: BoostedTree, splits: Sequence[int], leaf: int, holds: npt.NDArray[np.bool_]
) -> None:
    """Add to a table, (outcomes, features + 2), what one leaf contributes at every outcome of the splits."""
    passed: dict[int, npt.NDArray[np.bool_]] = {}
    ratio: dict[int, float] = {}
    node = 0
    while node != leaf:
        feature, level = int(tree.feature[node]), splits.index(node)
        left = leaf in tree.leaves(int(tree.left[node]))
        child = int((tree.left if left else tree.right)[node])
        passed[feature] = passed.get(feature, True) & (holds[:, level] == left)
        ratio[feature] = ratio.get(feature, 1.0) * float(tree.cover[child] / tree.cover[node])
        node = child
    value = float(tree.value[leaf])
    if not passed:
        shares[:, -1] += value
        return
    came = np.stack(list(passed.values()), axis=1).astype(np.float64)
    usual = np.array(list(ratio.values()))
    points, weights = np.polynomial.legendre.leggauss((len(usual) + 1) // 2)
    y, weights = (points + 1) / 2, weights / 2
    # (outcomes, features on the path, points); above zero, as y lies within (0, 1) and covers are positive
    factors = came[:, :, None] * y + usual[:, None] * (1 - y)
    without = (factors.prod(axis=1, keepdims=True) / factors) @ weights
    shares[:, list(passed)] += value * (came - usual) * without
    shares[:, -1] += value * came.prod(axis=1)
