"""The evaluation as one self-contained page: figures with intervals, plots, kinds, categories."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models import pages, plots
from finml.models.anomaly.contract import LABEL, WEIGHT
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import Evaluation

if TYPE_CHECKING:
    import jinja2

TOP_SHARE = 0.02

Array = npt.NDArray[Any]
METRIC_WORDS = {
    "average_precision": ("Average precision", "share of anomalies among the flagged, over all thresholds"),
    "average_precision_lift": ("Lift", "average precision over the share of anomalies among the rows"),
    "recall_at_budget": ("Recall at the budget", "share of the anomalies among the budget's alerts"),
    "precision_at_budget": ("Precision at the budget", "share of the budget's alerts that are anomalies"),
    "auc": ("AUC", "how often an anomaly gets a higher score than a usual row"),
}


def report(predictor: AnomalyPredictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
    """The page, as HTML that needs no other file.

    Args:
        predictor: the model.
        frame: the n checked rows that `evaluation` was measured on.
        evaluation: what was found.
    """
    score = predictor.predict(frame)["score"].to_numpy()
    label = frame[LABEL].to_numpy(dtype=bool)
    weight = frame[WEIGHT].to_numpy(dtype=float) if WEIGHT in frame else np.ones(len(frame))
    return (
        templates()
        .get_template("report.html.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            plots=[
                ("Anomalies among the alerts", caught(label, score, weight, predictor.budget)),
                ("Scores of the most unusual rows", top_scores(label, score, weight, predictor.threshold)),
            ],
            info=predictor.info,
            training=predictor.info["training"],
            heads=predictor.info["heads"],
        )
    )


def metric_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The figures in reading order, each with name, words, interval and difference to the champion."""
    return [
        {
            "key": name,
            "name": title,
            "words": words,
            "figure": evaluation.metrics.get(name),
            "delta": evaluation.versus_champion.get(name),
        }
        for name, (title, words) in METRIC_WORDS.items()
    ]


def caught(label: Array, score: Array, weight: Array, budget: float) -> str:
    """Share of the anomalies found, against that of the rows looked at, each row by its weight."""
    first = np.argsort(-score, kind="stable")
    found = np.cumsum((label * weight)[first]) / max(1.0, float((label * weight).sum()))
    looked_at = np.cumsum(weight[first]) / weight.sum()
    kept = np.unique(np.geomspace(1, len(label), plots.CURVE_POINTS).astype(int) - 1)
    with plots.axes("Anomalies among the alerts", "rows looked at", "anomalies found") as (on, drawn):
        on.semilogx(looked_at[kept], found[kept], color=plots.BLUE, linewidth=2)
        on.semilogx(looked_at[kept], looked_at[kept], color=plots.MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.axvline(budget, color=plots.INK, linewidth=1.2, linestyle=":")
        on.annotate("budget", (budget, 0.95), (4, 0), textcoords="offset points", va="top")
        on.set(ylim=(0, 1.01))
    return drawn[0]


def top_scores(label: Array, score: Array, weight: Array, threshold: float) -> str:
    """Share of anomalies and of usual rows at the top of the scores."""
    bins = np.linspace(1 - TOP_SHARE, 1, 41)
    title = "Scores of the most unusual rows"
    with plots.axes(title, "score", "share of the rows") as (on, drawn):
        for of, colour, name in ((~label, plots.BLUE, "usual"), (label, plots.ORANGE, "anomaly")):
            if of.any():
                shares = weight[of] / weight[of].sum()
                on.hist(score[of], bins.tolist(), weights=shares, color=colour, alpha=0.6, label=name)
        on.axvline(threshold, color=plots.INK, linewidth=1.2, linestyle=":")
        on.legend(loc="upper left")
        on.set(xlim=(bins[0], 1))
    return drawn[0]


def templates() -> "jinja2.Environment":
    """The templates of report and card."""
    return pages.templates(Path(__file__).parent)
