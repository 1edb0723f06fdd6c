"""Linear layers of an exported graph. Imported by training alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Linear:
    """A matrix product with constant weights, (inputs, outputs), and the addition of its bias."""

    product: ir.Node
    addition: ir.Node
    bias: ir.Value

    @property
    def activation(self) -> ir.Value:
        """What is multiplied."""
        return known(self.product.inputs[0])

    @property
    def weight(self) -> Floats:
        """The weights, (inputs, outputs)."""
        return array_of(self.product.inputs[1])


def linears(graph: ir.Graph) -> Iterator[Linear]:
    """The linear layers of a graph."""
    for node in graph:
        if node.op_type != "MatMul" or not is_constant(node.inputs[1]):
            continue
        uses = list(node.outputs[0].uses())
        if len(uses) == 1 and uses[0].node.op_type == "Add":
            addition, place = uses[0]
            bias = addition.inputs[1 - place]
            if bias is not None and is_constant(bias):
                yield Linear(node, addition, bias)


def merge_siblings(model: ir.Model) -> None:
    """Make one layer of linear layers whose input is the same and whose outputs are put side by side."""
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    graph = model.graph
    by_output = {linear.addition.outputs[0]: linear for linear in linears(graph)}
    for node in list(graph):
        if node.op_type != "Concat":
            continue
        found = [by_output.get(_before_reshapes(known(value))) for value in node.inputs]
        siblings = [linear for linear in found if linear is not None]
        if len(siblings) < len(found) or len({linear.activation for linear in siblings}) > 1:
            continue
        weight = np.concatenate([linear.weight for linear in siblings], axis=1)
        bias = np.concatenate([array_of(linear.bias) for linear in siblings])
        place = name_of(node.outputs[0])
        product = ir.node("MatMul", [siblings[0].activation, constant(graph, f"{place}_weight", weight)])
        addition = ir.node("Add", [product.outputs[0], constant(graph, f"{place}_bias", bias)])
        shape = constant(graph, f"{place}_shape", np.array([-1, weight.shape[1]]))
        reshaped = ir.node("Reshape", [addition.outputs[0], shape])
        graph.insert_before(node, [product, addition, reshaped])
        ir.convenience.replace_all_uses_with(node.outputs[0], reshaped.outputs[0])
        graph.remove(node, safe=True)
    # what is left of the layers that were merged
    RemoveUnusedNodesPass()(model)


def constant(graph: ir.Graph, name: str, array: npt.ArrayLike) -> ir.Value:
    """A new constant of the graph; floats of any width are kept in 32 bits."""
    values = np.asarray(array)
    tensor = ir.tensor(values.astype(np.float32) if values.dtype == np.float64 else values, name=name)
    value = ir.Value(
        name=name, const_value=tensor, type=ir.TensorType(tensor.dtype), shape=ir.Shape(np.shape(values))
    )
    graph.register_initializer(value)
    return value


def known(value: ir.Value | None) -> ir.Value:
    """An input that is there."""
    if value is None:
        raise ValueError("the exported graph lacks an input where none is optional")
    return value


def name_of(value: ir.Value | None) -> str:
    """The name of a value."""
    return str(known(value).name)


def array_of(value: ir.Value | None) -> Floats:
    """What a constant holds."""
    constant = known(value).const_value
    if constant is None:
        raise ValueError(f"{name_of(value)} is no constant of the exported graph")
    return np.asarray(constant.numpy())


def is_constant(value: ir.Value | None) -> bool:
    """Whether a value is the same for every input."""
    return value is not None and value.is_initializer()


def made_by(value: ir.Value, operator: str) -> bool:
    """Whether a value is the output of such an operator."""
    maker = value.producer()
    return maker is not None and maker.op_type == operator


def _before_reshapes(value: ir.Value) -> ir.Value:
    maker = value.producer()
    while maker is not None and maker.op_type == "Reshape":
        value = known(maker.inputs[0])
        maker = value.producer()
    return value
