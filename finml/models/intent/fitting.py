"""The training loop. Imported by training alone: torch is loaded with it."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
import torch

from finml.models.intent.checkpoints import Checkpoint
from finml.models.intent.network import Batch, Network, batches, bf16_is_fast, embeddings
from finml.models.intent.objective import Objective, f1_by_class
from finml.models.intent.recipe import Recipe
from finml.models.intent.targets import in_scope

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Examples:
    """Texts to learn from: token ids, and an (n, k) indicator of their intents, empty where out of scope."""

    tokens: Sequence[Sequence[int]]
    targets: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the data gave.

    Attributes:
        epoch: its number, from 0.
        loss: mean over its steps.
        validation_loss: of the averaged weights, and
        validation_macro_f1: NaN where there is no validation.
        kept: whether the averaged weights after it replaced those of the epochs before.
        seconds: how long it took.
    """

    epoch: int
    loss: float
    validation_loss: float
    validation_macro_f1: float
    kept: bool
    seconds: float


def best_epoch(history: Sequence[Epoch]) -> int:
    """Number of epochs after which the weights that are kept were reached."""
    return 1 + max(row.epoch for row in history if row.kept)


def fit(
    network: Network,
    examples: Examples,
    recipe: Recipe,
    seed: int,
    *,
    multiple: bool,
    validation: Examples | None = None,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Epoch]:
    """Train a network; it ends with the averaged weights of its best epoch, or of the last one.

    Args:
        network: starts from pretrained weights.
        examples: what to learn from.
        recipe: how.
        seed: of dropout and of the order of the texts.
        multiple: whether a text can have several intents.
        validation: texts to stop by; without them training runs through.
        epochs: passes after which to end, on the recipe's schedule; `None` for all of them.
        checkpoint: where the state is kept after every epoch, and found again.
    """
    run = _Run(network, examples, recipe, seed, multiple)
    state = checkpoint.read() if checkpoint else None
    if state is None:
        start_head(network, examples)
        run.averaged = [parameter.detach().clone() for parameter in run.parameters]
    else:
        run.restore(state)
        log.info("training_resumed", epochs=len(run.history))
    last = recipe.epochs if epochs is None else epochs
    while len(run.history) < last and not (validation and run.waited >= recipe.patience):
        run.epoch(validation)
        if checkpoint:
            checkpoint.write(run.state())
        log.info("epoch_finished", of=last, **asdict(run.history[-1]))
    run.finish()
    return run.history


def start_head(network: Network, examples: Examples) -> None:
    """Start the head from the mean embedding of each class, with decisions half-way to all other texts."""
    found = embeddings(network, examples.tokens, bf16=bf16_is_fast())
    targets = examples.targets.astype(np.float32)
    means = targets.T @ found / targets.sum(axis=0)[:, None]
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    cosines = found @ means.T
    inside = (cosines * targets).sum(axis=0) / targets.sum(axis=0)
    outside = (cosines * (1 - targets)).sum(axis=0) / np.maximum(1.0, (1 - targets).sum(axis=0))
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(means))
        network.head.bias.copy_(torch.from_numpy(-(inside + outside) / 2))


class _Run:
    """A training under way: all that a checkpoint holds, and how to go on from it."""

    def __init__(
        self, network: Network, examples: Examples, recipe: Recipe, seed: int, multiple: bool
    ) -> None:
        network.encoder.get_input_embeddings().weight.requires_grad_(not recipe.freeze_words)
        self.network, self.examples, self.recipe, self.seed = network, examples, recipe, seed
        self.multiple = multiple
        self.objective = Objective.of(examples.targets, recipe, multiple=multiple)
        self.parameters: list[torch.Tensor] = [
            parameter for parameter in network.parameters() if parameter.requires_grad
        ]
        self.optimizer = torch.optim.AdamW(rate_groups(network, recipe), fused=True)
        self.highest = [group["lr"] for group in self.optimizer.param_groups]
        self.steps_an_epoch = math.ceil(len(examples.tokens) / recipe.batch)
        self.bf16 = bf16_is_fast()
        self.history: list[Epoch] = []
        self.averaged: list[torch.Tensor] = []
        self.best: list[torch.Tensor] = []
        self.waited = 0

    def epoch(self, validation: Examples | None) -> None:
        """One pass over the data. All that is random depends on seed and epoch, not on what came before."""
        begun, number = time.perf_counter(), len(self.history)
        torch.manual_seed(self.seed * 1000 + number)
        random = np.random.default_rng([self.seed, number])
        self.network.train()
        order = random.permutation(len(self.examples.tokens))
        losses = [
            self._step(batch, number * self.steps_an_epoch + at)
            for at, batch in enumerate(batches(self.examples.tokens, order, self.recipe.batch, random))
        ]
        loss, macro_f1, kept = math.nan, math.nan, True
        if validation is not None:
            loss, macro_f1 = self._validate(validation)
            kept = self._is_better(macro_f1, len(validation.tokens))
            self.waited = 0 if kept else self.waited + 1
            if kept:
                self.best = [weights.clone() for weights in self.averaged]
        seconds = time.perf_counter() - begun
        self.history.append(Epoch(number, float(np.mean(losses)), loss, macro_f1, kept, seconds))

    def _is_better(self, macro_f1: float, texts: int) -> bool:
        """Whether an epoch is as good as the best one before it, within a standard error.

        Among epochs that the validation cannot tell apart the later one is better: its rate is lower, and it
        averages more.
        """
        best = max((row.validation_macro_f1 for row in self.history), default=-math.inf)
        return macro_f1 >= best - math.sqrt(max(best * (1 - best), 0) / texts)

    def _step(self, batch: Batch, step: int) -> float:
        factor = schedule(step / (self.recipe.epochs * self.steps_an_epoch), self.recipe.warm_up)
        for group, highest in zip(self.optimizer.param_groups, self.highest, strict=True):
            group["lr"] = highest * factor
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            embedding = self.network.embed(batch.ids, batch.mask)
        loss = self.objective.loss(self.network.logits(embedding), self.examples.targets[batch.rows])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        # the average follows fast at first, when it still holds the pretrained weights
        kept = min(self.recipe.averaging, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, self.parameters, 1 - kept)
        return float(loss.detach())

    def _validate(self, validation: Examples) -> tuple[float, float]:
        current = [parameter.detach().clone() for parameter in self.parameters]
        self._put(self.averaged)
        found = embeddings(self.network, validation.tokens, bf16=self.bf16)
        with torch.no_grad():
            logits = self.network.logits(torch.from_numpy(found))
        self._put(current)
        inside = in_scope(validation.targets)
        kept = logits[torch.from_numpy(inside)]
        loss = float(self.objective.loss(kept, validation.targets[inside]))
        scores = f1_by_class(kept.numpy(), validation.targets[inside], multiple=self.multiple)
        return loss, float(np.nanmean(scores))

    def finish(self) -> None:
        """Put the weights that are to be kept into the network."""
        self._put(self.best or self.averaged)
        self.network.eval()

    def _put(self, weights: Sequence[torch.Tensor]) -> None:
        with torch.no_grad():
            torch._foreach_copy_(self.parameters, list(weights))

    def state(self) -> dict[str, Any]:
        """All that `restore` needs: tensors and plain data."""
        return {
            "parameters": [parameter.detach() for parameter in self.parameters],
            "averaged": self.averaged,
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "history": [asdict(row) for row in self.history],
            "waited": self.waited,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._put(state["parameters"])
        self.averaged, self.best = state["averaged"], state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [Epoch(**row) for row in state["history"]]
        self.waited = state["waited"]


def schedule(progress: float, warm_up: float) -> float:
    """The learning rate over its highest: rises in a line, falls along half a cosine. `progress`: 0 to 1."""
    if progress < warm_up:
        return progress / warm_up
    return 0.5 * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up)))


def rate_groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameter groups: the lower a layer, the smaller its rate; vectors (biases, norms) do not decay."""
    layers = [list(layer.parameters()) for layer in network.layers()]
    inside = {id(parameter) for layer in layers for parameter in layer}
    below = [parameter for parameter in network.encoder.parameters() if id(parameter) not in inside]
    rates = [(list(network.head.parameters()), recipe.head_rate)]
    rates += [
        (parameters, recipe.learning_rate * recipe.layer_decay**depth)
        for depth, parameters in enumerate([*reversed(layers), below])
    ]
    groups = []
    for parameters, rate in rates:
        free = [parameter for parameter in parameters if parameter.requires_grad]
        for matrices, decay in ((True, recipe.weight_decay), (False, 0.0)):
            chosen = [parameter for parameter in free if (parameter.ndim > 1) is matrices]
            if chosen:
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return groups
