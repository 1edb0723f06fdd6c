"""The model card, made from the run it describes."""

from collections.abc import Mapping

from finml.models.base import Evaluation
from finml.models.intent.report import metric_rows, templates
from finml.models.intent.runtime import IntentPredictor

WEAK = 0.7


def card(predictor: IntentPredictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
    """The model card as Markdown: use, data, figures with intervals, limits, training, lineage.

    Args:
        predictor: the model.
        evaluation: what was measured on held-out rows.
        lineage: where the version comes from, by name.
    """
    training = predictor.info["training"]
    return (
        templates()
        .get_template("card.md.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            lineage=lineage,
            training=training,
            versions=predictor.info["versions"],
            head=predictor.head,
            intents=predictor.labels,
            weak=[
                name
                for name, row in sorted(evaluation.breakdown["intent"].items())
                if row["n"] and row["f1"] < WEAK
            ],
            fewest=sorted(training["examples"].items(), key=lambda pair: (pair[1], pair[0]))[:3],
        )
    )
