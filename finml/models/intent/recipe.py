"""How the network is trained: the declared parameters, and those that a caller replaces."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from finml.errors import UsageError

MOST = {"averaging": 1, "smoothing": 1, "warm_up": 1, "layer_decay": 1.01, "learning_rate": 1, "head_rate": 1}
"""Below what a parameter must lie to mean something; the others need only be finite."""
SMALL = 5000
"""Texts from which on the declared epochs are enough."""
EPOCHS_OF_SMALL = 8


@dataclass(frozen=True)
class Recipe:
    """Parameters of a training; the defaults are the declared ones.

    Attributes:
        epochs: most passes over the data; the learning rate has fallen to 0 at their end. Fewer than
            `SMALL` texts get `EPOCHS_OF_SMALL`.
        batch: texts a step.
        learning_rate: highest rate of the encoder's last layer.
        head_rate: highest rate of the head, which starts from the classes' mean embeddings.
        layer_decay: rate of each layer over that of the one above it.
        weight_decay: of matrices.
        warm_up: share of the steps in which the rate rises.
        smoothing: share of a label that is spread over all classes, where texts have one each.
        class_weight: power of (mean texts a class / texts of this class) that a text counts; 0: all alike.
        outlier_weight: what a text out of scope counts. It teaches the network to be undecided.
        averaging: share of the running average of the weights that a step keeps.
        clip: longest gradient.
        patience: epochs that validate worse than the best one after which training stops.
        validation: share of the texts to stop, calibrate and set thresholds by.
        refit: whether the network is trained again on all texts, as long as was best.
        freeze_words: whether word embeddings stay as they were pretrained, which takes half of the
            parameters out of training.
    """

    epochs: int = 5
    batch: int = 64
    learning_rate: float = 2e-4
    head_rate: float = 2e-3
    layer_decay: float = 0.9
    weight_decay: float = 0.01
    warm_up: float = 0.1
    smoothing: float = 0.1
    class_weight: float = 0.5
    outlier_weight: float = 0.5
    averaging: float = 0.98
    clip: float = 1.0
    patience: int = 3
    validation: float = 0.1
    refit: bool = True
    freeze_words: bool = True

    @classmethod
    def of(cls, params: Mapping[str, Any], *, texts: int = SMALL) -> "Recipe":
        """The declared parameters with some replaced.

        Args:
            params: parameters by name.
            texts: how many there are to learn from. Fewer than `SMALL` make short epochs: more are declared.

        Raises:
            UsageError: there is no such parameter, or it cannot have that value; names it.
        """
        kinds: dict[str, Callable[[Any], Any]] = {
            field.name: type(getattr(cls, field.name)) for field in fields(cls)
        }
        unknown = sorted(set(params) - set(kinds))
        if unknown:
            raise UsageError(
                f"intent has no parameter {', '.join(unknown)}", hint=f"parameters: {', '.join(kinds)}"
            )
        given = {}
        for name, value in params.items():
            kind = kinds[name]
            try:
                given[name] = kind(value)
            except (TypeError, ValueError):
                given[name] = None
            found = given[name]
            if found is None or found != value or not 0 <= found < MOST.get(name, math.inf):
                raise UsageError(
                    f"{name} cannot be {value!r}",
                    hint=f"{name} is a {kind.__name__} from 0 to below {MOST.get(name, 'infinity')}",
                )
        recipe = cls(**({"epochs": EPOCHS_OF_SMALL} if texts < SMALL else {}) | given)
        for name in ("epochs", "batch", "patience"):
            if getattr(recipe, name) < 1:
                raise UsageError(f"{name} cannot be {getattr(recipe, name)}", hint=f"{name} is at least 1")
        if not 0 < recipe.validation <= 0.5:
            raise UsageError(
                f"validation cannot be {recipe.validation}", hint="it is a share above 0, up to a half"
            )
        return recipe

    def to_dict(self) -> dict[str, Any]:
        """Every parameter by name."""
        return asdict(self)
