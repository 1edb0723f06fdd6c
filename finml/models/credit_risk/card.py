"""The model card, made from the run it describes."""

from collections.abc import Mapping

from finml.models.base import Evaluation
from finml.models.credit_risk.report import metric_rows, templates
from finml.models.credit_risk.runtime import CreditRiskPredictor


def card(predictor: CreditRiskPredictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
    """The model card as Markdown: use, data, figures with intervals, fairness, limits, training, lineage.

    Args:
        predictor: the model.
        evaluation: what was measured on held-out rows.
        lineage: where the version comes from, by name.
    """
    signs = {1: "rises", -1: "falls"}
    return (
        templates()
        .get_template("card.md.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            lineage=lineage,
            info=predictor.info,
            training=predictor.info["training"],
            calibration=predictor.calibration,
            bands=list(
                zip(predictor.bands, [0.0, *predictor.band_edges], [*predictor.band_edges, 1.0], strict=True)
            ),
            threshold=predictor.threshold,
            constrained={
                words: [feature.name for feature in predictor.features if feature.sign == sign]
                for sign, words in signs.items()
            },
            topics=list(dict.fromkeys(feature.topic for feature in predictor.features)),
            features=len(predictor.features),
            small_groups=[
                f"{row.attribute} {row.group}" for row in evaluation.groups if row.disparate_impact is None
            ],
        )
    )
