"""The evaluation as one self-contained page: figures with intervals, by type, and what went wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from finml.models import pages, plots
from finml.models.base import Evaluation
from finml.models.entities.annotations import TEXT, Span, spans_of
from finml.models.entities.contract import LABELS
from finml.models.entities.evaluation import found_spans
from finml.models.entities.runtime import EntitiesPredictor

if TYPE_CHECKING:
    import jinja2

SHOWN_MISTAKES = 25
METRIC_WORDS = {
    "f1": ("F1", "harmonic mean of precision and recall"),
    "precision": ("Precision", "share of the entities found that are right: type and both offsets"),
    "recall": ("Recall", "share of the annotated entities that were found"),
}


def report(predictor: EntitiesPredictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
    """The page, as HTML that needs no other file.

    Args:
        predictor: the model.
        frame: the checked rows that `evaluation` was measured on.
        evaluation: what was found.
    """
    rows = frame[frame["role"] == TEXT].reset_index(drop=True)
    truth = [set(spans_of(spans)) for spans in rows["spans"]]
    found = found_spans(predictor, rows)
    return (
        templates()
        .get_template("report.html.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            types=type_rows(evaluation),
            languages=evaluation.breakdown.get("language", {}),
            plot=_plot(evaluation),
            confusions=confusions(truth, found),
            mistakes=mistakes(rows["text"].tolist(), truth, found)[:SHOWN_MISTAKES],
            training=predictor.info["training"],
            versions=predictor.info["versions"],
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


def type_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The figures of each type, in the order of the types; those that are not defined are `None`."""
    found = evaluation.breakdown.get("type", {})
    return [
        {"type": label, **{name: found[label].get(name) for name in (*METRIC_WORDS, "n")}}
        for label in LABELS
        if label in found
    ]


def confusions(truth: list[set[Span]], found: list[set[Span]]) -> list[tuple[str, str, int]]:
    """What became of annotated entities that were not found as they are, most frequent first."""
    kinds: dict[tuple[str, str], int] = {}
    for wanted, given in zip(truth, found, strict=True):
        for span in wanted - given:
            kind = (span.label, _mistaken(span, given))
            kinds[kind] = kinds.get(kind, 0) + 1
    return sorted(((*kind, number) for kind, number in kinds.items()), key=lambda row: (-row[2], row))


def mistakes(texts: list[str], truth: list[set[Span]], found: list[set[Span]]) -> list[dict[str, Any]]:
    """Texts with what was missed and what was found wrongly, in the order of the rows."""
    return [
        {
            "text": text,
            "missed": [f"{span.label} {text[span.start : span.end]}" for span in sorted(wanted - given)],
            "wrong": [f"{span.label} {text[span.start : span.end]}" for span in sorted(given - wanted)],
        }
        for text, wanted, given in zip(texts, truth, found, strict=True)
        if wanted != given
    ]


def _mistaken(span: Span, given: set[Span]) -> str:
    """What an entity was taken for."""
    touching = [other for other in given if other.start < span.end and span.start < other.end]
    if not touching:
        return "not found"
    if any(other.label == span.label for other in touching):
        return "found with other offsets"
    return f"taken for {min(touching).label}"


def _plot(evaluation: Evaluation) -> str:
    """F1 by type."""
    rows = [row for row in type_rows(evaluation) if row["f1"] is not None][::-1]
    size = (9.4, 1.0 + 0.3 * len(rows))
    with plots.axes("F1 by type", "strict F1", "", size=size) as (on, drawn):
        names = [f"{row['type']} ({row['n']:,.0f})" for row in rows]
        on.barh(names, [row["f1"] for row in rows], color=plots.BLUE, height=0.7)
        on.set_xlim(0, 1)
        on.grid(visible=False, axis="y")
        on.tick_params(axis="y", length=0, labelcolor=plots.INK)
    return drawn[0]


def templates() -> "jinja2.Environment":
    """The templates of report and card."""
    return pages.templates(Path(__file__).parent)
