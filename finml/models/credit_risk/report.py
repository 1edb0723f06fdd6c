"""The evaluation as one self-contained page: figures with intervals, plots, bands, fairness."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models import pages, plots
from finml.models.base import Evaluation
from finml.models.credit_risk.contract import LABEL
from finml.models.credit_risk.features import feature_matrix
from finml.models.credit_risk.runtime import CreditRiskPredictor
from finml.models.statistics import HIGHER_IS_BETTER

if TYPE_CHECKING:
    import jinja2

EXPLAINED_ROWS = 2000
SHOWN_FEATURES = 15
FOUR_FIFTHS = 0.8
METRIC_WORDS = {
    "auc": ("AUC", "how often a default gets a higher probability than a loan that was repaid"),
    "average_precision": ("Average precision", "share of defaults among the flagged, over all thresholds"),
    "ks": ("KS", "widest gap between the shares of defaults and of repaid loans reached"),
    "brier": ("Brier score", "mean squared difference between probability and outcome"),
    "log_loss": ("Log loss", "mean surprise at the outcomes, in nats"),
    "ece": (
        "Calibration error",
        "mean gap between predicted and observed share of defaults over at most ten bins of equal size",
    ),
}


def report(predictor: CreditRiskPredictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
    """The page, as HTML that needs no other file.

    Args:
        predictor: the model.
        frame: the n checked rows that `evaluation` was measured on.
        evaluation: what was found.
    """
    answers = predictor.predict(frame)
    label = frame[LABEL].to_numpy(dtype=np.float64)
    probability = answers["probability"].to_numpy()
    curves = []
    if 0 < label.sum() < len(label):
        curves = [
            ("ROC curve", plots.roc(label, probability)),
            ("Precision and recall", plots.precision_recall(label, probability)),
            ("Gain and KS", plots.separation(label, probability)),
        ]
    return (
        templates()
        .get_template("report.html.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            plots=[
                *curves,
                ("Calibration", plots.calibration(label, probability)),
                (
                    "Scores by outcome",
                    plots.scores(label, probability, list(predictor.band_edges), predictor.threshold),
                ),
            ],
            importances=plots.importances(importances(predictor, frame)[:SHOWN_FEATURES]),
            fairness=plots.fairness(evaluation.groups, FOUR_FIFTHS) if evaluation.groups else None,
            groups={
                attribute: [row for row in evaluation.groups if row.attribute == attribute]
                for attribute in dict.fromkeys(row.attribute for row in evaluation.groups)
            },
            bands=band_rows(predictor, label, answers),
            training=predictor.info["training"],
            versions=predictor.info["versions"],
            calibration=predictor.calibration,
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
            "better": "higher" if name in HIGHER_IS_BETTER else "lower",
        }
        for name, (title, words) in METRIC_WORDS.items()
    ]


def importances(predictor: CreditRiskPredictor, frame: pd.DataFrame) -> list[tuple[str, float]]:
    """Mean absolute contribution of each feature over a sample of rows, falling, without zeros."""
    sample = frame.sample(min(len(frame), EXPLAINED_ROWS), random_state=0)
    shares = np.abs(predictor.contributions(feature_matrix(sample, predictor.features))[:, :-1]).mean(axis=0)
    named = [(feature.label, float(share)) for feature, share in zip(predictor.features, shares, strict=True)]
    return sorted((pair for pair in named if pair[1] > 0), key=lambda pair: -pair[1])


def band_rows(
    predictor: CreditRiskPredictor, label: "npt.NDArray[np.float64]", answers: pd.DataFrame
) -> list[dict[str, Any]]:
    """Each band with its limits, rows, mean probability and observed share of defaults."""
    edges = [0.0, *predictor.band_edges, 1.0]
    rows = []
    for place, band in enumerate(predictor.bands):
        chosen = (answers["band"] == band).to_numpy()
        known = bool(chosen.any())
        rows.append(
            {
                "band": band.replace("_", " "),
                "from": edges[place],
                "to": edges[place + 1],
                "n": int(chosen.sum()),
                "share": float(chosen.mean()),
                "predicted": float(answers["probability"].to_numpy()[chosen].mean()) if known else None,
                "observed": float(label[chosen].mean()) if known else None,
                "flagged": edges[place] >= predictor.threshold,
            }
        )
    return rows


def templates() -> "jinja2.Environment":
    """The templates of report and card."""
    return pages.templates(Path(__file__).parent)
