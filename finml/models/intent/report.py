"""The evaluation as one self-contained page: figures, training curve, calibration, scope, confusions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from finml.models import pages
from finml.models.base import Evaluation
from finml.models.intent import charts
from finml.models.intent.contract import TEXT
from finml.models.intent.evaluation import judged
from finml.models.intent.figures import Judged
from finml.models.intent.runtime import IntentPredictor
from finml.models.intent.targets import in_scope, indicators

if TYPE_CHECKING:
    import jinja2

HARDEST = 15
CONFUSIONS = 15
# name: (title, words, whether more is better)
METRIC_WORDS = {
    "accuracy": ("Accuracy", "share of texts whose intents are found, all of them and no other", True),
    "macro_f1": ("Macro-F1", "mean over the intents of precision and recall in one figure", True),
    "micro_f1": ("Micro-F1", "precision and recall of all decisions in one figure", True),
    "ece": (
        "Calibration error",
        "mean gap between confidence and share right, 15 bins of equal width",
        False,
    ),
    "int8_accuracy_loss": ("Loss by int8", "accuracy before quantization less accuracy after it", False),
    "oos_auroc": ("Scope AUROC", "how often a text in scope scores higher than one that is not", True),
    "oos_recall": ("Out of scope found", "share of the texts out of scope that are taken for such", True),
}


def report(predictor: IntentPredictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
    """The page, as HTML that needs no other file.

    Args:
        predictor: the model.
        frame: the n checked rows that `evaluation` was measured on.
        evaluation: what was found.
    """
    targets = indicators(frame, predictor.labels)
    inside = in_scope(targets)
    scores = predictor.score(frame[TEXT].tolist())
    found = judged(predictor, scores, targets)
    training = predictor.info["training"]
    by_intent = sorted(evaluation.breakdown["intent"].items(), key=lambda pair: (pair[1]["f1"], pair[0]))
    return (
        templates()
        .get_template("report.html.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            plots=[
                ("Training", charts.curve(training["history"], training["epochs"])),
                ("Calibration", charts.reliability(found)),
                ("In and out of scope", charts.scope(scores.scope, inside)),
            ],
            hardest=charts.hardest([(name, row["f1"], row["n"]) for name, row in by_intent[:HARDEST]]),
            intents=by_intent,
            confusions=confusions(predictor.labels, found),
            training=training,
            versions=predictor.info["versions"],
            head=predictor.head,
        )
    )


def metric_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The figures in reading order, each with name, words, interval and difference to the champion."""
    return [
        {
            "key": name,
            "name": title,
            "words": words,
            "figure": evaluation.metrics[name],
            "delta": evaluation.versus_champion.get(name),
            "better": "higher" if more else "lower",
        }
        for name, (title, words, more) in METRIC_WORDS.items()
        if name in evaluation.metrics and not (name == "micro_f1" and _is_accuracy(evaluation))
    ]


def _is_accuracy(evaluation: Evaluation) -> bool:
    """Whether micro-F1 is accuracy by another name, as it is where texts have one intent each."""
    return evaluation.metrics["micro_f1"].value == evaluation.metrics["accuracy"].value


def confusions(labels: list[str], found: Judged) -> list[tuple[str, str, int]]:
    """The intents that are most often taken for another: right one, wrong one, number of texts."""
    missed = (found.targets & ~found.decided).astype(np.int64)
    wrong = (found.decided & ~found.targets).astype(np.int64)
    pairs = missed.T @ wrong
    order = np.argsort(-pairs, axis=None, kind="stable")[:CONFUSIONS]
    rows = [divmod(int(place), len(labels)) for place in order]
    return [
        (labels[right], labels[said], int(pairs[right, said])) for right, said in rows if pairs[right, said]
    ]


def templates() -> "jinja2.Environment":
    """The templates of report and card."""
    return pages.templates(Path(__file__).parent)
