"""The trained encoder as ONNX: in float32, and quantized to int8. Imported by training alone."""

import tempfile
import warnings
from pathlib import Path

import torch

from finml.models.intent.encoder import ENCODER_FILE, FLOAT_FILE
from finml.models.intent.network import Network

OPSET = 18
# "embedding" is what the exporter calls a node of its own
OUTPUT = "sentence"


def export(network: Network, folder: Path) -> None:
    """Write the encoder into a model folder, float and int8."""
    with tempfile.TemporaryDirectory(dir=folder) as workshop:
        whole = Path(workshop) / "float.onnx"
        quantized = Path(workshop) / "int8.onnx"
        export_float(network, whole)
        quantize(whole, quantized)
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


def quantize(source: Path, target: Path) -> None:
    """Write an encoder with weights of 8 bits, scaled by channel; activations are scaled as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = target.with_suffix(".prepared")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_dynamic(
        prepared,
        target,
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gather", "Gemm"],
    )
    prepared.unlink()
