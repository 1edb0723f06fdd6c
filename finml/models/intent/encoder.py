"""The exported encoder: texts to embeddings, by ONNX Runtime and tokenizers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finml.models.intent.head import Floats

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

ENCODER_FILE = "encoder.int8.onnx"
FLOAT_FILE = "encoder.float.onnx"
TOKENIZER_FILE = "tokenizer.json"


class Encoder:
    """An exported encoder with its tokenizer."""

    def __init__(self, session: "InferenceSession", tokenizer: "Tokenizer") -> None:
        self._session, self._tokenizer = session, tokenizer
        self.width: int = session.get_outputs()[0].shape[1]

    @classmethod
    def load(cls, folder: Path, file: str = ENCODER_FILE, *, threads: int = 1) -> "Encoder":
        """Load an encoder of a model folder: the quantized one, or another `file`."""
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # errors only: warnings are about the graph, not about the caller
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(folder / file, options, providers=["CPUExecutionProvider"])
        return cls(session, Tokenizer.from_str((folder / TOKENIZER_FILE).read_text(encoding="utf-8")))

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, d) embeddings of length 1 of n texts."""
        found = np.empty((len(texts), self.width), dtype=np.float32)
        for row, text in enumerate(texts):
            # One by one, because activations are quantized on the scale of all that is computed together: an
            # answer would depend on who else asks. A batch of 8 would be faster by a third.
            ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
            found[row] = self._session.run(None, {"input_ids": ids})[0][0]
        return found
