"""What turns embeddings into answers: logits, calibrated probabilities, how far in scope a text is.

Numpy alone and not quantized: these few numbers cost nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Indicators = npt.NDArray[np.bool_]
ScopeKind = Literal["logit", "energy", "confidence"]
HEAD_FILE = "head.npz"


@dataclass(frozen=True)
class Scores:
    """What is known about n texts and k intents before it is put into words.

    Attributes:
        logits: (n, k), calibrated.
        probabilities: (n, k).
        scope: n scores, below 0 where out of scope.
    """

    logits: Floats
    probabilities: Floats
    scope: Floats

    def head(self, number: int) -> "Scores":
        """Those of the first texts."""
        return Scores(self.logits[:number], self.probabilities[:number], self.scope[:number])


@dataclass(frozen=True)
class Head:
    """The head of a trained model.

    Attributes:
        weight: (k, d) a row a class.
        bias: k.
        temperature: what logits are divided by, so that probabilities can be believed.
        shift: what is then added to them, for the same end; 0 where texts have one intent each.
        multiple: whether texts can have several intents.
        cutoff: probability from which a text has an intent, where texts can have several.
        scope: the score that says how far in scope a text is.
        scope_threshold: a text that scores less is out of scope.
    """

    weight: Floats
    bias: Floats
    temperature: float = 1.0
    shift: float = 0.0
    multiple: bool = False
    cutoff: float = 0.5
    scope: ScopeKind = "logit"
    scope_threshold: float = -np.inf

    def logits(self, embedding: Floats) -> Floats:
        """(n, k) calibrated logits of (n, d) embeddings."""
        # row by row: one product of matrices would round each row by what else is in it
        products = [self.weight @ row for row in embedding]
        return (np.reshape(products, (-1, len(self.bias))) + self.bias) / self.temperature + self.shift

    def probabilities(self, logits: Floats) -> Floats:
        """(n, k) probabilities: of one choice among the classes, or of a yes to each."""
        return sigmoid(logits) if self.multiple else softmax(logits)

    def decided(self, probabilities: Floats) -> Indicators:
        """(n, k): which intents each text has, in scope or not. The likeliest is always among them."""
        top = np.arange(probabilities.shape[1]) == probabilities.argmax(axis=1)[:, None]
        return np.asarray(top | (probabilities >= self.cutoff)) if self.multiple else top

    def score(self, embedding: Floats) -> "Scores":
        """Everything about n texts of (n, d) embeddings."""
        logits = self.logits(embedding)
        return Scores(logits, self.probabilities(logits), self.scope_score(logits))

    def scope_score(self, logits: Floats) -> Floats:
        """N scores of (n, k) logits, below 0 where a text is out of scope."""
        return SCOPE_SCORES[self.scope](self, logits) - self.scope_threshold

    def save(self, file: Path) -> None:
        """Write the head; `file` is there whole or not at all."""
        beside = file.with_suffix(".part")
        with beside.open("wb") as stream:
            np.savez(stream, **vars(self))
        beside.replace(file)

    @classmethod
    def load(cls, file: Path) -> "Head":
        """Read what `save` wrote.

        Raises:
            OSError: it cannot be read.
            ValueError: it is of another kind.
            KeyError: a part is missing.
        """
        with np.load(file, allow_pickle=False) as parts:
            found = {field.name: parts[field.name] for field in fields(cls)}
        return cls(**{name: part if part.ndim else part.item() for name, part in found.items()})


def energy(head: Head, logits: Floats) -> Floats:
    """Free energy of a text, negated (Liu et al. 2020): how much all classes together expect it."""
    if head.multiple:
        return np.asarray(np.logaddexp(0, logits).sum(axis=1))
    return np.asarray(np.logaddexp.reduce(logits, axis=1))


SCOPE_SCORES: Mapping[ScopeKind, Callable[[Head, Floats], Floats]] = {
    "logit": lambda _, logits: np.asarray(logits.max(axis=1)),
    "energy": energy,
    "confidence": lambda head, logits: np.asarray(head.probabilities(logits).max(axis=1)),
}


def softmax(logits: Floats) -> Floats:
    """Probabilities of one choice among the columns."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def sigmoid(logits: Floats) -> Floats:
    """Probability of a yes to each."""
    return np.asarray(0.5 * (1 + np.tanh(logits / 2)))
