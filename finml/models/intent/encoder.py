"""The exported encoder: texts to embeddings, by ONNX Runtime and tokenizers.

Texts are computed at once without padding, one after the other in one long row of tokens; attention alone
looks at them text by text. Every number of a text's embedding is made of that text's numbers alone, so that
an answer does not depend on who else asks.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from finml.models.intent.head import Floats

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

ENCODER_FILE = "encoder.int8.onnx"
FLOAT_FILE = "encoder.float.onnx"
TOKENIZER_FILE = "tokenizer.json"


# tokens computed at once, padding included: more are slower, as what a layer makes of them leaves the cache
MOST_AT_ONCE = 512
# Attention is computed on texts padded to the longest of those computed at once: one of so many times as many
# tokens as the shortest, and some, waits for the next pass.
STRETCH, SLACK = 1.5, 4


def together(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts to compute at once, given their tokens: few enough, and of about one length."""
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        longest = lengths[row]
        many = (len(group) + 1) * longest > MOST_AT_ONCE
        if group and (many or longest > STRETCH * lengths[group[0]] + SLACK):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def packed(tokens: Sequence[Sequence[int]]) -> dict[str, npt.NDArray[np.int64]]:
    """Inputs of an exported encoder: texts without padding, one after the other.

    Args:
        tokens: token ids of n texts, t in all.

    Returns:
        `input_ids`: (t,); `positions`: (t,) places within the texts; `lengths`: (n,) tokens of each text;
        `rows`: (n, longest) places in `input_ids`, 0 after a text's end;
        `back`: (t,) places in the flattened `rows`.
    """
    lengths = np.array([len(text) for text in tokens], dtype=np.int64)
    places = np.arange(lengths.max())
    inside = places < lengths[:, None]
    starts = np.cumsum(lengths) - lengths
    return {
        "input_ids": np.concatenate([np.asarray(text, dtype=np.int64) for text in tokens]),
        "positions": np.broadcast_to(places, inside.shape)[inside],
        "rows": np.where(inside, starts[:, None] + places, 0),
        "back": np.flatnonzero(inside),
        "lengths": lengths,
    }


def session_of(model: Path | bytes, *, threads: int = 1) -> "InferenceSession":
    """A session of an encoder on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # errors only: warnings are about the graph, not about the caller
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model,
        options,
        providers=["CPUExecutionProvider"],
        # the fused operator computes number by number, and takes six times as long as the two it replaces
        disabled_optimizers=["SkipLayerNormFusion"],
    )


class Encoder:
    """An exported encoder with its tokenizer."""

    def __init__(self, session: "InferenceSession", tokenizer: "Tokenizer") -> None:
        self._session, self._tokenizer = session, tokenizer
        self._packs = len(session.get_inputs()) > 1
        self.width: int = session.get_outputs()[0].shape[1]

    @classmethod
    def load(cls, folder: Path, file: str = ENCODER_FILE, *, threads: int = 1) -> "Encoder":
        """Load an encoder of a model folder: the quantized one, or another `file`."""
        from tokenizers import Tokenizer

        session = session_of(folder / file, threads=threads)
        return cls(session, Tokenizer.from_str((folder / TOKENIZER_FILE).read_text(encoding="utf-8")))

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, d) embeddings of length 1 of n texts; what else is asked does not change one."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        found = np.empty((len(texts), self.width), dtype=np.float32)
        if self._packs:
            for rows in together([len(ids) for ids in tokens]):
                found[rows] = self._session.run(None, packed([tokens[row] for row in rows]))[0]
        else:
            # of format 1, whose 8 bits are scaled by all that is computed at once
            for row, ids in enumerate(tokens):
                found[row] = self._session.run(None, {"input_ids": np.array([ids])})[0][0]
        return found
