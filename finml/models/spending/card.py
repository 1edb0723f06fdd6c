"""The model card, made from the run it describes."""

from collections.abc import Mapping

from finml.models.base import Evaluation
from finml.models.spending.report import metric_rows, series_rows, templates
from finml.models.spending.runtime import SpendingPredictor


def card(predictor: SpendingPredictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
    """The model card as Markdown: use, data, figures with intervals, series, users, limits, lineage.

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
            series=series_rows(predictor, evaluation),
            pools=predictor.pools,
            lineage=lineage,
            info=predictor.info,
            training=predictor.info["training"],
        )
    )
