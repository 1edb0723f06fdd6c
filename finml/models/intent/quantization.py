"""An exported encoder in 8 bits, such that no token's result depends on what else is computed with it.

Weights are scaled by output channel. Activations that a layer normalization has just brought to one size
share a scale, which is measured on sample texts after their spread was moved into the weights; all others are
scaled token by token, by their own largest value. One scale for whatever is computed at once, as in ONNX
Runtime's own dynamic quantization, would make an answer depend on who else asks. Imported by training alone.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from finml.models.intent.encoder import packed, session_of
from finml.models.intent.linears import (
    Floats,
    Linear,
    array_of,
    constant,
    is_constant,
    linears,
    made_by,
    merge_siblings,
    name_of,
)

# half would share the burden evenly; activations are the harder part here
MIGRATED = 0.7
TINY = 1e-5
LEVELS = 127
# the fast kernels of ONNX Runtime multiply uint8 by int8, so zero is the middle of uint8
MIDDLE = np.uint8(LEVELS + 1)
# no value of GELU is below -0.17
GELU_REACH = 0.17
SAMPLES_AT_ONCE = 16
MICROSOFT = "com.microsoft"


def quantize(source: Path, target: Path, samples: Sequence[Sequence[int]]) -> None:
    """Write a float encoder with linear layers and word embeddings of 8 bits.

    Args:
        source: the float encoder.
        target: where to write.
        samples: token ids of texts like those that will be asked about.
    """
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    model = ir.load(source)
    merge_siblings(model)
    users: dict[ir.Value, list[Linear]] = {}
    for linear in linears(model.graph):
        users.setdefault(linear.activation, []).append(linear)
    normalized = [name_of(x) for x in users if made_by(x, "LayerNormalization")]
    largest = largest_activations(model, normalized, samples)
    quantizer = _Quantizer(model.graph)
    for x, found in users.items():
        if name_of(x) in largest:
            quantizer.with_measured_scale(x, found, largest[name_of(x)])
        else:
            quantizer.with_scale_by_token(x, found)
    quantizer.embeddings()
    model.opset_imports[MICROSOFT] = 1
    # the weights that were quantized
    RemoveUnusedNodesPass()(model)
    ir.save(model, target)


def largest_activations(
    model: ir.Model, names: Sequence[str], samples: Sequence[Sequence[int]]
) -> dict[str, Floats]:
    """The largest absolute value of each channel of named activations, over sample texts."""
    if not names:
        return {}
    watched = ir.to_proto(model)
    for name in names:
        watched.graph.output.add().name = name
    session = session_of(watched.SerializeToString())
    found: dict[str, Floats] = {}
    for start in range(0, len(samples), SAMPLES_AT_ONCE):
        inputs = packed(samples[start : start + SAMPLES_AT_ONCE])
        for name, values in zip(names, session.run(list(names), inputs), strict=True):
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, peak), peak)
    return found


class _Quantizer:
    """Puts quantized layers into a graph in place of others."""

    def __init__(self, graph: ir.Graph) -> None:
        self._graph = graph
        self._one = self._constant("one", np.float32(1))
        self._middle = self._constant("middle", MIDDLE)
        tokens = ir.node("Shape", [graph.inputs[0]])
        middles = ir.node("Expand", [self._middle, tokens.outputs[0]])
        graph.insert_before(graph.node(0), [tokens, middles])
        self._middles = middles.outputs[0]
        self._levels = self._constant("levels", np.float32(LEVELS))
        self._last = self._constant("last_axis", np.array([-1]))

    def with_measured_scale(self, x: ir.Value, layers: Sequence[Linear], largest: Floats) -> None:
        """Quantize layers of one input whose channels are known to reach so far.

        A few channels of a transformer's activations are far larger than the others, and the one scale that
        all share would be theirs. Each channel is divided by a power of its largest activation over a power
        of its largest weight, and the weights are multiplied by it (SmoothQuant, Xiao et al. 2023): the
        products stay what they are.
        """
        peak = np.maximum(largest, TINY)
        reach = np.max([np.abs(layer.weight).max(axis=1) for layer in layers], axis=0)
        smoothing = peak**MIGRATED / np.maximum(reach, TINY) ** (1 - MIGRATED)
        unit = smoothing * ((peak / smoothing).max() / LEVELS)
        shrunk = ir.node("Mul", [x, self._constant(f"{name_of(x)}_per_unit", 1 / unit)])
        quantized = ir.node("QuantizeLinear", [shrunk.outputs[0], self._one, self._middle])
        self._graph.insert_before(layers[0].product, [shrunk, quantized])
        for layer in layers:
            self._replace(layer, [self._product(quantized, layer, layer.weight * unit[:, None], layer.bias)])

    def with_scale_by_token(self, x: ir.Value, layers: Sequence[Linear]) -> None:
        """Quantize layers of one input, each token by its own largest value."""
        if made_by(x, "Gelu"):
            # its values are either above this or too small to matter: no need for absolute ones
            size, least, before = x, GELU_REACH, []
        else:
            absolute = ir.node("Abs", [x])
            size, least, before = absolute.outputs[0], TINY, [absolute]
        largest = ir.node("ReduceMax", [size, self._last], {"keepdims": 1})
        floored = ir.node(
            "Max", [largest.outputs[0], self._constant(f"{name_of(x)}_least", np.float32(least))]
        )
        scale = ir.node("Div", [floored.outputs[0], self._levels])
        scales = ir.node("Reshape", [scale.outputs[0], self._last])
        quantized = ir.node("QuantizeLinear", [x, scales.outputs[0], self._middles], {"axis": -2})
        nodes = [*before, largest, floored, scale, scales, quantized]
        self._graph.insert_before(layers[0].product, nodes)
        for layer in layers:
            product = self._product(quantized, layer, layer.weight, None)
            rescaled = ir.node("Mul", [product.outputs[0], scale.outputs[0]])
            self._replace(layer, [product, rescaled, ir.node("Add", [rescaled.outputs[0], layer.bias])])

    def embeddings(self) -> None:
        """Quantize the largest table of embeddings, row by row."""
        tables = [node for node in self._graph if node.op_type == "Gather" and is_constant(node.inputs[0])]
        node = max(tables, key=lambda table: array_of(table.inputs[0]).size)
        table = array_of(node.inputs[0])
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), TINY) / LEVELS
        name, places = name_of(node.inputs[0]), node.inputs[1]
        whole = self._constant(f"{name}_int8", np.rint(table / scale).astype(np.int8))
        row = ir.node("Gather", [whole, places])
        number = ir.node("Cast", [row.outputs[0]], {"to": ir.DataType.FLOAT})
        size = ir.node("Gather", [self._constant(f"{name}_scale", scale), places])
        self._put(node, [row, number, size, ir.node("Mul", [number.outputs[0], size.outputs[0]])], [node])

    def _product(self, quantized: ir.Node, layer: Linear, weight: Floats, bias: ir.Value | None) -> ir.Node:
        """The product of quantized activations, in units of 1, with weights quantized by output channel."""
        scale = np.maximum(np.abs(weight).max(axis=0), TINY**2) / LEVELS
        name = name_of(layer.product.inputs[1])
        whole = self._constant(f"{name}_int8", np.rint(weight / scale).astype(np.int8))
        by_channel = self._constant(f"{name}_scale", scale)
        inputs = [quantized.outputs[0], whole, self._one, by_channel, self._middle, None, bias]
        return ir.node("MatMulIntegerToFloat", inputs, domain=MICROSOFT)

    def _replace(self, layer: Linear, nodes: Sequence[ir.Node]) -> None:
        self._put(layer.product, nodes, [layer.addition, layer.product])

    def _put(self, place: ir.Node, nodes: Sequence[ir.Node], old: Sequence[ir.Node]) -> None:
        """Put nodes before a place; the last one's output takes over from the first of the old nodes."""
        self._graph.insert_before(place, nodes)
        ir.convenience.replace_all_uses_with(old[0].outputs[0], nodes[-1].outputs[0])
        self._graph.remove(old, safe=True)

    def _constant(self, name: str, array: npt.ArrayLike) -> ir.Value:
        return constant(self._graph, f"quantized_{name}", array)
