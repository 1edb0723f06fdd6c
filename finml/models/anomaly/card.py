"""The model card, made from the run it describes."""

from collections.abc import Mapping

from finml.models.anomaly.behaviour import TOPICS
from finml.models.anomaly.report import metric_rows, templates
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import Evaluation


def card(predictor: AnomalyPredictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
    """The model card as Markdown: use, data, figures with intervals, limits, training, lineage.

    Args:
        predictor: the model.
        evaluation: what was measured on held-out rows.
        lineage: where the version comes from, by name.
    """
    return (
        templates()
        .get_template("card.md.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            lineage=lineage,
            info=predictor.info,
            training=predictor.info["training"],
            heads=predictor.info["heads"],
            topics=list(TOPICS) if predictor.kind == "behaviour" else [],
        )
    )
