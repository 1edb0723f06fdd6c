"""The model card, made from the run it describes."""

from collections.abc import Mapping

from finml.models.base import Evaluation
from finml.models.entities.candidates import PRIORITY
from finml.models.entities.report import metric_rows, templates, type_rows
from finml.models.entities.runtime import EntitiesPredictor


def card(predictor: EntitiesPredictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
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
            types=type_rows(evaluation),
            languages=evaluation.breakdown.get("language", {}),
            lineage=lineage,
            training=predictor.info["training"],
            versions=predictor.info["versions"],
            least_score=predictor.catalogue.least_score,
            priority=PRIORITY,
        )
    )
