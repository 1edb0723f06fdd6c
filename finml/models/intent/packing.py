"""The encoder as it is exported: texts without padding, in one row of tokens. Imported by training alone."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from finml.errors import ModelError
from finml.models.intent.encoder import packed

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ATTENTION = "finml_packed"
# scores of places after a text's end: their exponentials are 0
NOWHERE = -1e9
TOLERANCE = 1e-4


class PackedEncoder(torch.nn.Module):
    """A pretrained encoder that computes texts one after the other, as `encoder.packed` puts them.

    Linear layers and normalizations work on tokens and need nothing else. Attention is replaced by one that
    puts the texts below each other, padded, and takes the padding out again.
    """

    def __init__(self, encoder: "PreTrainedModel") -> None:
        from transformers import AttentionInterface, AttentionMaskInterface

        super().__init__()
        self.encoder = encoder
        known = inspect.signature(encoder.forward).parameters
        self._types = "token_type_ids" in known
        self._first = _first_position(encoder)
        self._rows = self._back = self._mask = torch.empty(0)
        AttentionInterface.register(ATTENTION, self._attend)
        AttentionMaskInterface.register(ATTENTION, _no_mask)

    def forward(
        self,
        input_ids: torch.Tensor,
        positions: torch.Tensor,
        rows: torch.Tensor,
        back: torch.Tensor,
        lengths: torch.Tensor,
    ) -> torch.Tensor:
        """(n, d) embeddings of length 1: the mean over the tokens of each text; see `encoder.packed`."""
        inside = torch.arange(rows.shape[1])[None, :] < lengths[:, None]
        self._rows, self._back = rows.reshape(-1), back
        self._mask = torch.where(inside, 0.0, NOWHERE)[:, None, None, :]
        more: dict[str, Any] = {"token_type_ids": torch.zeros_like(input_ids)[None]} if self._types else {}
        own = self.encoder.config._attn_implementation
        self.encoder.set_attn_implementation(ATTENTION)
        try:
            found = self.encoder(
                input_ids=input_ids[None], position_ids=positions[None] + self._first, **more
            )
        finally:
            self.encoder.set_attn_implementation(own)
        hidden = found.last_hidden_state[0].index_select(0, self._rows)
        total = (hidden.reshape(*rows.shape, -1) * inside[:, :, None]).sum(dim=1)
        return torch.nn.functional.normalize(total, dim=1)

    def _attend(  # noqa: PLR0917  # as transformers calls it
        self,
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        scaling: float | None = None,
        **more: object,
    ) -> tuple[torch.Tensor, None]:
        """Attention of (1, heads, t, size) queries, keys and values within texts: (1, t, heads, size)."""
        heads, size = query.shape[1], query.shape[3]
        texts, longest = self._mask.shape[0], self._mask.shape[-1]
        # side by side: the three layers that make them become one when the graph is quantized
        flat = [part.transpose(1, 2).reshape(-1, heads * size) for part in (query, key, value)]
        rows = torch.cat(flat, dim=1).index_select(0, self._rows)
        q, k, v = rows.reshape(texts, longest, 3, heads, size).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(2, 3) * (size**-0.5 if scaling is None else scaling) + self._mask
        found = (torch.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(-1, heads * size)
        return found.index_select(0, self._back).reshape(1, -1, heads, size), None


def inputs_of(tokens: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """What a `PackedEncoder` takes, for some texts."""
    return {name: torch.from_numpy(values) for name, values in packed(tokens).items()}


def require_packable(encoder: "PreTrainedModel", tokens: Sequence[Sequence[int]]) -> None:
    """Refuse a pretrained encoder that computes something else when texts are packed.

    Raises:
        ModelError: its attention cannot be replaced, or looks at more than the tokens and their places.
    """
    encoder.train(mode=False)
    try:
        with torch.inference_mode():
            alone = [_embedding(encoder, text) for text in tokens]
            together = PackedEncoder(encoder)(**inputs_of(tokens)).numpy()
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise _unfit(str(error)) from error
    require_same(np.stack(alone), together)


def require_same(
    wanted: npt.NDArray[np.float32], found: npt.NDArray[np.float32], tolerance: float = TOLERANCE
) -> None:
    """Refuse embeddings that are not those of the network that was trained.

    Raises:
        ModelError: one differs by more than the tolerance.
    """
    difference = float(np.abs(wanted - found).max())
    if not difference <= tolerance:
        raise _unfit(f"embeddings differ by {difference:.1g}")


def _embedding(encoder: "PreTrainedModel", tokens: Sequence[int]) -> npt.NDArray[np.float32]:
    hidden = encoder(input_ids=torch.tensor([list(tokens)])).last_hidden_state[0]
    mean = torch.nn.functional.normalize(hidden.mean(dim=0), dim=0)
    return np.asarray(mean.numpy(), dtype=np.float32)


def _first_position(encoder: "PreTrainedModel") -> int:
    """The place of a text's first token: encoders of RoBERTa's kind count from behind that of the padding."""
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0


def _no_mask(*_: object, **__: Mapping[str, object]) -> None:
    """The mask for `PackedEncoder`'s attention, which makes its own."""


def _unfit(why: str) -> ModelError:
    return ModelError(
        f"the pretrained transformer does not compute the same when texts are packed: {why}",
        hint="set FINML_INTENT_BASE to an encoder like BERT or RoBERTa, with absolute positions",
    )
