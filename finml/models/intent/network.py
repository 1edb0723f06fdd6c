"""The network that is trained: pretrained encoder, mean pooling, linear head. Imported by training alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

SCALE = 16.0
"""Embeddings have length 1 and so have, at first, the rows of the head: logits are cosines times this."""
MOST_TOKENS = 128
# so many batches are sorted by length at once: little padding, and still other batches in every epoch
SORTED_BATCHES = 16

Floats = npt.NDArray[np.float32]


class Network(torch.nn.Module):
    """Texts to embeddings of length 1, embeddings to logits."""

    def __init__(self, encoder: "PreTrainedModel", classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(encoder.config.hidden_size, classes)

    def layers(self) -> list[torch.nn.Module]:
        """The encoder's layers, the lowest first."""
        modules = self.encoder.modules()
        return list(next(module for module in modules if isinstance(module, torch.nn.ModuleList)))

    def embed(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, d) embeddings of (n, t) token ids: mean over the tokens there are, scaled to length 1."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        kept = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * kept).sum(dim=1) / kept.sum(dim=1)
        return torch.nn.functional.normalize(pooled, dim=1)

    def logits(self, embedding: torch.Tensor) -> torch.Tensor:
        """(n, classes) logits of (n, d) embeddings."""
        scaled: torch.Tensor = SCALE * self.head(self.dropout(embedding))
        return scaled

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """(n, d) embeddings of (n, t) token ids that need no padding."""
        hidden = self.encoder(input_ids=input_ids).last_hidden_state
        return torch.nn.functional.normalize(hidden.mean(dim=1), dim=1)


def load_encoder(base: str) -> tuple[Any, "Tokenizer"]:
    """The encoder of a folder or a hub name, and its tokenizer, which truncates to `MOST_TOKENS`."""
    from transformers import AutoModel, AutoTokenizer

    encoder = AutoModel.from_pretrained(base, dtype=torch.float32)  # nosec B615  # a folder, or what the settings name
    tokenizer = AutoTokenizer.from_pretrained(base).backend_tokenizer  # nosec B615  # a folder, or what the settings name
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(MOST_TOKENS, encoder.config.max_position_embeddings))
    return encoder, tokenizer


def bf16_is_fast() -> bool:
    """Whether this processor multiplies matrices of bfloat16 in hardware."""
    capable = torch.cpu.get_capabilities()
    return bool(capable.get("amx_bf16") or capable.get("avx512_bf16"))


@dataclass(frozen=True)
class Batch:
    """Token ids padded to the longest, (n, t), and the places of their rows."""

    ids: torch.Tensor
    mask: torch.Tensor
    rows: npt.NDArray[np.intp]


def batches(
    tokens: Sequence[Sequence[int]],
    order: npt.NDArray[np.intp],
    size: int,
    random: np.random.Generator | None,
) -> Iterator[Batch]:
    """Rows in batches of about one length; shuffled by `random`, or sorted throughout without it."""
    lengths = np.array([len(row) for row in tokens])
    window = len(order) if random is None else size * SORTED_BATCHES
    cut: list[npt.NDArray[np.intp]] = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(lengths[part], kind="stable")]
        cut += [part[at : at + size] for at in range(0, len(part), size)]
    for place in random.permutation(len(cut)) if random else range(len(cut)):
        rows = cut[place]
        ids = torch.zeros((len(rows), int(lengths[rows].max())), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : lengths[row]] = torch.tensor(tokens[row])
            mask[at, : lengths[row]] = 1
        yield Batch(ids, mask, rows)


def embeddings(network: Network, tokens: Sequence[Sequence[int]], *, bf16: bool, size: int = 64) -> Floats:
    """(n, d) embeddings of n tokenized texts, without dropout."""
    network.eval()
    found = np.empty((len(tokens), network.head.in_features), dtype=np.float32)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for batch in batches(tokens, np.arange(len(tokens)), size, None):
            found[batch.rows] = network.embed(batch.ids, batch.mask).numpy()
    return found
