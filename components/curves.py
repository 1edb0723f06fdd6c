"""ROC curve and confusion matrix of a model that decides between two outcomes, as the KFP UI draws them."""

import numpy as np
import pandas as pd
from kfp import dsl

from finml.models.base import Model, Predictor

POINTS = 100


def log_curves(
    curves: dsl.ClassificationMetrics, model: Model, predictor: Predictor, rows: pd.DataFrame
) -> None:
    """Log both for n held-out rows; nothing for a model that does not decide between two outcomes.

    Args:
        curves: the artifact.
        model: the model; `binary` names the columns, or is `None`.
        predictor: the loaded model.
        rows: n labelled rows.
    """
    if model.binary is None:
        return
    answers = predictor.predict(rows)
    label = rows[model.binary.label].to_numpy(dtype=bool)
    fpr, tpr, threshold = roc_curve(label, answers[model.binary.score].to_numpy())
    curves.log_roc_curve(fpr, tpr, threshold)
    flagged = answers[model.binary.decision].to_numpy(dtype=bool)
    curves.log_confusion_matrix(
        ["no", "yes"],
        [
            [int(np.sum((label == truth) & (flagged == said))) for said in (False, True)]
            for truth in (False, True)
        ],
    )


def roc_curve(label: np.ndarray, probability: np.ndarray) -> tuple[list[float], list[float], list[float]]:
    """False and true positive rates at no more than `POINTS` thresholds, the strictest first."""
    quantiles = np.quantile(probability, np.linspace(1, 0, POINTS - 1))
    thresholds = np.concatenate([[1.0], np.unique(quantiles)[::-1]])
    flagged = probability[None, :] >= thresholds[:, None]
    rates = [(flagged & of).sum(axis=1) / max(1, of.sum()) for of in (~label, label)]
    return rates[0].tolist(), rates[1].tolist(), thresholds.tolist()
