"""Decision trees of any model as an ONNX graph, and the session that evaluates them.

Training builds the graph, which takes the package `onnx`; serving evaluates it, which takes ONNX Runtime
alone and, for one row, a fiftieth of what the libraries that grew the trees take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

INPUT = "features"
LEAF = "LEAF"
OPSET, ML_OPSET, IR_VERSION = 17, 3, 8

Split = Literal["BRANCH_LEQ", "BRANCH_LT"]
Aggregate = Literal["AVERAGE", "SUM"]
Ints = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EnsembleTree:
    """One tree of m nodes, the root first, whose leaves add weights to targets.

    Attributes:
        left: (m,) node to go on with where the split holds; 0 in a leaf.
        right: (m,) the other one; 0 in a leaf.
        feature: (m,) feature that a node looks at.
        threshold: (m,) float32 that it is compared with.
        missing_left: (m,) whether a missing value (NaN) goes left.
        leaf: (w,) node of each weight.
        target: (w,) target that it is added to.
        weight: (w,) float32.
    """

    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats32
    missing_left: npt.NDArray[np.bool_]
    leaf: Ints
    target: Ints
    weight: Floats32


def constant(weights: Sequence[float]) -> EnsembleTree:
    """A tree of one leaf: what every row gets, a number a target."""
    none = np.zeros(1, dtype=np.int64)
    return EnsembleTree(
        left=none,
        right=none,
        feature=none,
        threshold=none.astype(np.float32),
        missing_left=none.astype(bool),
        leaf=np.zeros(len(weights), dtype=np.int64),
        target=np.arange(len(weights)),
        weight=np.array(weights, dtype=np.float32),
    )


def to_onnx(
    trees: Sequence[EnsembleTree],
    *,
    features: int,
    split: Split,
    aggregate: Aggregate,
    output: str,
    targets: int = 1,
) -> "onnx.ModelProto":
    """The trees as an ONNX model that takes (n, features) float32 and answers (n, targets).

    Args:
        trees: in the order in which their weights are added.
        features: how many a row has.
        split: the comparison of a value with a threshold that leads to the left.
        aggregate: what is made of the weights that a row collects.
        output: name of the graph and of its output.
        targets: how many numbers a row gets.
    """
    from onnx import TensorProto, checker, helper

    sizes = [len(tree.left) for tree in trees]
    left, missing_left = (np.concatenate([getattr(t, n) for t in trees]) for n in ("left", "missing_left"))
    held = [len(tree.weight) for tree in trees]
    node = helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        [output],
        domain="ai.onnx.ml",
        aggregate_function=aggregate,
        n_targets=targets,
        nodes_treeids=np.repeat(np.arange(len(trees)), sizes).tolist(),
        nodes_nodeids=np.concatenate([np.arange(size) for size in sizes]).tolist(),
        nodes_modes=np.where(left == 0, LEAF, split).tolist(),
        nodes_truenodeids=left.tolist(),
        nodes_falsenodeids=np.concatenate([tree.right for tree in trees]).tolist(),
        nodes_featureids=np.concatenate([tree.feature for tree in trees]).tolist(),
        nodes_values=np.concatenate([tree.threshold for tree in trees]).tolist(),
        nodes_missing_value_tracks_true=missing_left.astype(np.int64).tolist(),
        target_treeids=np.repeat(np.arange(len(trees)), held).tolist(),
        target_nodeids=np.concatenate([tree.leaf for tree in trees]).tolist(),
        target_ids=np.concatenate([tree.target for tree in trees]).tolist(),
        target_weights=np.concatenate([tree.weight for tree in trees]).tolist(),
    )
    graph = helper.make_graph(
        [node],
        output,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, targets])],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="finml")
    checker.check_model(model)
    return model


class TreeSession:
    """Trees of a file on ONNX Runtime, one thread: more of them lose on single rows.

    Weights are added in the order of the trees, so that a row gets the same bits alone and among others.
    """

    def __init__(self, file: Path) -> None:
        """Load a file that holds what `to_onnx` made.

        Raises:
            ValueError: it does not.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions have no other base
            raise ValueError(f"{file.name} holds no trees: {error}") from error
        self._outputs = [self._session.get_outputs()[0].name]

    def __call__(self, rows: Floats32) -> Floats32:
        """(n, features) rows to (n, targets)."""
        found: Floats32 = self._session.run(self._outputs, {INPUT: rows})[0]
        return found
