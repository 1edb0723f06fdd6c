"""Training: as long as validation texts say, calibrated on them, then once more on every text."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from finml.models.base import TrainingResult, TrainOptions
from finml.models.intent.contract import LABEL, NAME, TEXT
from finml.models.intent.encoder import TOKENIZER_FILE
from finml.models.intent.frames import selection
from finml.models.intent.head import HEAD_FILE, Head
from finml.models.intent.recipe import Recipe
from finml.models.intent.runtime import FORMAT, INFO_FILE, TEXTS_FILE
from finml.models.intent.targets import Indicators, in_scope, indicators, is_multiple, known_labels
from finml.models.intent.texts import hashes
from finml.models.intent.weights import base_model, name_of
from finml.settings import get_settings

if TYPE_CHECKING:
    from finml.models.intent.checkpoints import Checkpoint
    from finml.models.intent.fitting import Epoch, Examples
    from finml.models.intent.network import Network

# texts out of scope are few, and both training and the threshold need some
VALIDATION_OF_OUTLIERS = 0.3

SAMPLES = 500
"""Texts that say how large activations get, for the quantization."""
Rows = npt.NDArray[np.bool_]
log = structlog.get_logger(__name__)


def train(frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
    """Train on a checked frame and write the model's files into the empty `folder`.

    The first network learns without the validation texts. They say after how many epochs it is best, and
    what temperature, cutoff and scope threshold its answers need. A second network learns as long from all
    texts and is the one that is kept. An interrupted training goes on from its last epoch where
    `options.checkpoints` is given and data, parameters and pretrained weights are the same.

    Raises:
        DataError: there are too few intents, or too few texts of one.
        ModelError: there are no pretrained weights to start from, or none of a kind that can be served.
        UsageError: a parameter in `options.params` is not one that can be set.
    """
    from finml.models.intent.export import EXAMPLES, export
    from finml.models.intent.fitting import best_epoch
    from finml.models.intent.network import load_encoder
    from finml.models.intent.packing import require_packable

    begun = time.perf_counter()
    taken = selection(frame)
    recipe = Recipe.of(options.params, texts=len(taken.frame))
    base = base_model(get_settings())
    labels, multiple = known_labels(taken.frame), is_multiple(taken.frame)
    texts, targets = taken.frame[TEXT].tolist(), indicators(taken.frame, labels)
    if options.trials > 0:
        log.warning("trials_not_used", hint="intent has no search; set parameters instead")
    log.info("training_started", texts=len(texts), intents=len(labels), multiple=multiple)

    encoder, tokenizer = load_encoder(base)
    tokens = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    require_packable(encoder, tokens[:EXAMPLES])
    work = _Work(base, tokens, targets, recipe, options.seed, multiple)
    if options.checkpoints:
        key = fingerprint(taken.frame, recipe, options.seed, base)
        work.checkpoints = options.checkpoints / key
    validated = validation_rows(texts, targets, recipe.validation)
    network, head, history = work.first(~validated, validated)
    epochs = best_epoch(history)
    if recipe.refit:
        network, head = work.second(epochs, head)

    folder.mkdir(parents=True, exist_ok=True)
    export(network, folder, tokens[:SAMPLES])
    inside = in_scope(targets)
    seconds = round(time.perf_counter() - begun, 1)
    training = {
        "texts": len(texts),
        "out_of_scope": int((~inside).sum()),
        "validation_texts": int(validated.sum()),
        "repeated": taken.repeated,
        "contradictory": taken.contradictory,
        "multiple": multiple,
        "base": name_of(base),
        "epochs": epochs,
        "refit": recipe.refit,
        "seconds": seconds,
        "seed": options.seed,
        "parameters": recipe.to_dict(),
        "history": [asdict(row) for row in history],
        "examples": {label: int(number) for label, number in zip(labels, targets.sum(axis=0), strict=True)},
    }
    tokenizer.save(str(folder / TOKENIZER_FILE))
    _write(folder, head, texts, {"format": FORMAT, "model": NAME, "labels": labels, "training": training})
    if work.checkpoints:
        shutil.rmtree(work.checkpoints, ignore_errors=True)
    log.info("training_finished", epochs=epochs, seconds=seconds)
    best = history[epochs - 1]
    return TrainingResult(
        folder=folder,
        params={**recipe.to_dict(), "seed": options.seed, "best_epochs": epochs, "scope": head.scope},
        metrics={
            "validation_macro_f1": best.validation_macro_f1,
            "validation_loss": best.validation_loss,
            "temperature": head.temperature,
            "texts": float(len(texts)),
            "seconds": seconds,
        },
    )


@dataclass
class _Work:
    """One training: its data, and the two networks that come of it."""

    base: str
    tokens: list[list[int]]
    targets: Indicators
    recipe: Recipe
    seed: int
    multiple: bool
    checkpoints: Path | None = None

    def first(self, fitted: Rows, validated: Rows) -> tuple["Network", Head, list["Epoch"]]:
        """A network that has not seen the validation texts, its calibrated head, and how it came about."""
        from finml.models.intent.calibration import calibrated
        from finml.models.intent.fitting import fit
        from finml.models.intent.network import embeddings

        network, held = self._network(), self._examples(validated)
        history = fit(
            network,
            self._examples(fitted),
            self.recipe,
            self.seed,
            multiple=self.multiple,
            validation=held,
            checkpoint=self._checkpoint("first"),
        )
        found = embeddings(network, held.tokens, bf16=False)
        return network, calibrated(self._head(network), found, held.targets), history

    def second(self, epochs: int, calibration: Head) -> tuple["Network", Head]:
        """A network that has seen every text, with the calibration of the first."""
        from dataclasses import replace

        from finml.models.intent.fitting import fit

        network = self._network()
        everything = self._examples(np.ones(len(self.tokens), dtype=bool))
        fit(
            network,
            everything,
            self.recipe,
            self.seed,
            multiple=self.multiple,
            epochs=epochs,
            checkpoint=self._checkpoint("second"),
        )
        own = self._head(network)
        return network, replace(calibration, weight=own.weight, bias=own.bias)

    def _network(self) -> "Network":
        import torch

        from finml.models.intent.network import Network, load_encoder

        torch.manual_seed(self.seed)
        return Network(load_encoder(self.base)[0], self.targets.shape[1])

    def _examples(self, rows: Rows) -> "Examples":
        from finml.models.intent.fitting import Examples

        return Examples([self.tokens[row] for row in np.flatnonzero(rows)], self.targets[rows])

    def _checkpoint(self, stage: str) -> "Checkpoint | None":
        from finml.models.intent.checkpoints import Checkpoint

        return Checkpoint(self.checkpoints / f"{stage}.pt") if self.checkpoints else None

    def _head(self, network: "Network") -> Head:
        from finml.models.intent.network import SCALE

        weight = SCALE * network.head.weight.detach().numpy()
        return Head(weight.copy(), SCALE * network.head.bias.detach().numpy(), multiple=self.multiple)


def validation_rows(texts: list[str], targets: Indicators, share: float) -> Rows:
    """Which texts validate: about `share` of those in scope, and more of the others, chosen by their hash.

    An intent keeps more than half of its texts to learn from.
    """
    places = hashes(f"validation {text}" for text in texts)
    inside = in_scope(targets)
    held = np.zeros(len(texts), dtype=bool)
    for part, wanted in ((inside, share), (~inside, max(share, VALIDATION_OF_OUTLIERS))):
        rows = np.flatnonzero(part)
        held[rows[np.argsort(places[rows])][: int(np.ceil(wanted * len(rows)))]] = True
    bare = 2 * (targets & held[:, None]).sum(axis=0) >= targets.sum(axis=0)
    held[targets[:, bare].any(axis=1)] = False
    return held


def fingerprint(frame: pd.DataFrame, recipe: Recipe, seed: int, base: str) -> str:
    """What makes two trainings the same: texts and labels in order, parameters, seed, weights, torch."""
    weights = Path(base) / "model.safetensors"
    sizes = weights.stat().st_size if weights.is_file() else 0
    document = [
        frame[[TEXT, LABEL]].to_numpy().tolist(),
        recipe.to_dict(),
        seed,
        base,
        sizes,
        version("torch"),
    ]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()[:24]


def _write(folder: Path, head: Head, texts: list[str], info: Mapping[str, Any]) -> None:
    """Write what is not the encoder; `model.json` comes last, so that a folder that has it is whole."""
    head.save(folder / HEAD_FILE)
    np.savez(folder / TEXTS_FILE, hashes=hashes(texts))
    names = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime", "numpy", "pandas", "scipy")
    beside = folder / f"{INFO_FILE}.part"
    document = {**info, "versions": {name: version(name) for name in names}}
    beside.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(folder / INFO_FILE)
