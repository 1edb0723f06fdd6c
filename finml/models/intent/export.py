"""The trained encoder as ONNX: in float32, and quantized to int8. Imported by training alone."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from finml.models.intent.encoder import ENCODER_FILE, FLOAT_FILE, packed, session_of
from finml.models.intent.network import Network
from finml.models.intent.packing import PackedEncoder, inputs_of, require_same
from finml.models.intent.quantization import quantize

OPSET = 20
# "embedding" is what the exporter calls a node of its own
OUTPUT = "sentence"
EXAMPLES = 4


def export(network: Network, folder: Path, samples: Sequence[Sequence[int]]) -> None:
    """Write the encoder into a model folder, float and int8.

    Args:
        network: the trained network.
        folder: the model's folder.
        samples: token ids of training texts, which activations are measured on.

    Raises:
        ModelError: what was exported does not compute what the network computes.
    """
    with tempfile.TemporaryDirectory(dir=folder) as workshop:
        whole = Path(workshop) / "float.onnx"
        quantized = Path(workshop) / "int8.onnx"
        export_float(network, whole, samples[:EXAMPLES])
        quantize(whole, quantized, samples)
        whole.replace(folder / FLOAT_FILE)
        quantized.replace(folder / ENCODER_FILE)


def export_float(network: Network, file: Path, examples: Sequence[Sequence[int]]) -> None:
    """Write the encoder as one ONNX file: what `encoder.packed` makes of n texts, to `sentence`, (n, d).

    Raises:
        ModelError: the file's embeddings of the examples are not the network's.
    """
    network.eval()
    tokens, texts = torch.export.Dim("tokens", min=2), torch.export.Dim("texts", min=1)
    longest = torch.export.Dim("longest", min=2)
    with warnings.catch_warnings():
        # of torch's own making, about torch's own code
        warnings.simplefilter("ignore")
        torch.onnx.export(
            PackedEncoder(network.encoder),
            kwargs=inputs_of([[1] * 5, [1] * 8, [1] * 7]),
            f=file,
            output_names=[OUTPUT],
            dynamic_shapes={
                "input_ids": {0: tokens},
                "positions": {0: tokens},
                "rows": {0: texts, 1: longest},
                "back": {0: tokens},
                "lengths": {0: texts},
            },
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    with torch.inference_mode():
        wanted = np.concatenate([network(torch.tensor([list(text)])).numpy() for text in examples])
    require_same(wanted, session_of(file).run([OUTPUT], packed(examples))[0])
