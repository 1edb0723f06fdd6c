"""The trained encoder as ONNX: in float32, and quantized to int8. Imported by training alone."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from finml.models.intent.encoder import ENCODER_FILE, FLOAT_FILE
from finml.models.intent.network import Network

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18
# half would share the burden evenly; activations are the harder part here
MIGRATED = 0.7
TINY = 1e-5
# "embedding" is what the exporter calls a node of its own
OUTPUT = "sentence"


def export(network: Network, folder: Path, samples: Sequence[Sequence[int]]) -> None:
    """Write the encoder into a model folder, float and int8; `samples`: see `quantize`."""
    with tempfile.TemporaryDirectory(dir=folder) as workshop:
        whole = Path(workshop) / "float.onnx"
        quantized = Path(workshop) / "int8.onnx"
        export_float(network, whole)
        quantize(whole, quantized, samples)
        whole.replace(folder / FLOAT_FILE)
        quantized.replace(folder / ENCODER_FILE)


def export_float(network: Network, file: Path) -> None:
    """Write the encoder as one ONNX file: `input_ids`, (n, t) without padding, to `sentence`, (n, d)."""
    network.eval()
    axes = {0: torch.export.Dim("texts", min=1), 1: torch.export.Dim("tokens", min=2)}
    with warnings.catch_warnings():
        # of torch's own making, about torch's own code
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.ones((2, 8), dtype=torch.long),),
            file,
            input_names=["input_ids"],
            output_names=[OUTPUT],
            dynamic_shapes={"input_ids": axes},
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def quantize(source: Path, target: Path, samples: Sequence[Sequence[int]]) -> None:
    """Write an encoder with weights of 8 bits, scaled by channel; activations are scaled as they come.

    Args:
        source: the float encoder.
        target: where to write.
        samples: token ids of texts like those that will be asked about.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = target.with_suffix(".prepared")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    model = onnx.load(prepared)
    smooth(model, samples)
    onnx.save(model, prepared)
    quantize_dynamic(
        prepared,
        target,
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gather"],
    )
    prepared.unlink()


def smooth(model: "ModelProto", samples: Sequence[Sequence[int]]) -> None:
    """Move the spread of activations into weights (Xiao et al. 2023), so that 8 bits hold both.

    A few channels of a transformer's activations are far larger than the others, and the one scale that all
    share would be theirs. Each channel is divided by a power of its largest activation over a power of its
    largest weight, and the weights are multiplied by it: the products stay what they are.
    """
    from onnx import helper, numpy_helper

    weights = {each.name: each for each in model.graph.initializer}
    users: dict[str, list[str]] = {}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            users.setdefault(node.input[0], []).append(node.input[1])
    largest = largest_activations(model, list(users), samples)
    added = {}
    for place, (activation, names) in enumerate(users.items()):
        matrices = [numpy_helper.to_array(weights[name]) for name in names]
        reach = np.max([np.abs(matrix).max(axis=1) for matrix in matrices], axis=0)
        peak = np.maximum(largest[activation], TINY)
        scale = peak**MIGRATED / np.maximum(reach, TINY) ** (1 - MIGRATED)
        for name, matrix in zip(names, matrices, strict=True):
            weights[name].CopyFrom(numpy_helper.from_array(matrix * scale[:, None], name))
        model.graph.initializer.append(numpy_helper.from_array(1 / scale, f"smooth_{place}"))
        added[activation] = helper.make_node("Mul", [activation, f"smooth_{place}"], [f"smoothed_{place}"])
    nodes = []
    waiting = dict(added)
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and node.input[0] in added:
            if node.input[0] in waiting:
                nodes.append(waiting.pop(node.input[0]))
            node.input[0] = added[node.input[0]].output[0]
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def largest_activations(
    model: "ModelProto", names: Sequence[str], samples: Sequence[Sequence[int]]
) -> dict[str, npt.NDArray[np.float32]]:
    """The largest absolute value of each channel of named activations, over sample texts."""
    import onnxruntime
    from onnx import ModelProto, helper

    watched = ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    found: dict[str, npt.NDArray[np.float32]] = {}
    for tokens in samples:
        ids = np.array([tokens], dtype=np.int64)
        for name, values in zip(names, session.run(list(names), {"input_ids": ids}), strict=True):
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, peak), peak)
    return found
