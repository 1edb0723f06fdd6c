"""What the network is trained to make small, and what tells its epochs apart."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from finml.models.intent.recipe import Recipe

Floats = npt.NDArray[np.floating]
Indicators = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Objective:
    """Weighted cross entropy, of one choice among the classes or of a yes or no to each.

    Attributes:
        class_weights: k weights; a text counts the mean of its classes'.
        smoothing: share of a label that is spread over all classes, where there is one choice.
        outlier_weight: what a text of no class counts.
        multiple: whether a text can be of several classes.
    """

    class_weights: torch.Tensor
    smoothing: float
    outlier_weight: float
    multiple: bool

    @classmethod
    def of(cls, targets: Indicators, recipe: Recipe, *, multiple: bool) -> "Objective":
        """The objective of a training whose texts have these (n, k) classes."""
        counts = targets.sum(axis=0)
        weights = (counts.mean() / counts) ** recipe.class_weight
        # the mean over texts is 1, so that the learning rate means the same for any distribution
        weights = weights / ((weights * counts).sum() / counts.sum())
        return cls(
            torch.tensor(weights, dtype=torch.float32), recipe.smoothing, recipe.outlier_weight, multiple
        )

    def loss(self, logits: torch.Tensor, targets: Indicators) -> torch.Tensor:
        """Mean loss of n texts with (n, k) logits."""
        wanted = torch.from_numpy(targets).float()
        classes = wanted.sum(dim=1)
        counted = (wanted @ self.class_weights) / classes.clamp(min=1)
        counted = torch.where(classes > 0, counted, self.outlier_weight)
        if self.multiple:
            each = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(
                dim=1
            )
        else:
            share = wanted / classes.clamp(min=1).unsqueeze(1)
            spread = torch.where(classes > 0, self.smoothing, 1.0).unsqueeze(1)
            smooth = share * (1 - spread) + spread / wanted.shape[1]
            each = -(smooth * logits.log_softmax(dim=1)).sum(dim=1)
        return (each * counted).sum() / counted.sum()


def f1_by_class(logits: Floats, targets: Indicators, *, multiple: bool) -> Floats:
    """F1 of each of k classes from (n, k) logits, NaN where a class neither occurs nor is predicted."""
    predicted = logits > 0 if multiple else np.arange(logits.shape[1]) == logits.argmax(axis=1)[:, None]
    with np.errstate(invalid="ignore"):
        found: Floats = 2 * (predicted & targets).sum(axis=0) / (predicted.sum(axis=0) + targets.sum(axis=0))
    return found
