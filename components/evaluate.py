"""Step `evaluate`: how good a trained model is on rows that it has never seen."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(  # noqa: D417  # kfp shows what Returns says of the outputs
    *,
    model: str,
    mlflow_run: str,
    trained: dsl.Input[dsl.Model],
    held_out_rows: dsl.Input[dsl.Dataset],
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    curves: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Measure a model on held-out rows, beside the champion on the same rows, and write report and card.

    Args:
        model: A model of the catalogue.
        mlflow_run: Id of the training's MLflow run.
        trained: The model's files.
        held_out_rows: Rows that training has not seen.

    Returns:
        evaluation: Every figure with its interval, and the fairness table, as JSON.
        metrics: The figures for the KFP UI.
        curves: ROC curve and confusion matrix for the KFP UI.
        report: The evaluation as one self-contained page.
        card: The model card.
    """
    import json
    from pathlib import Path

    import pandas as pd

    from components.champion import champion_of
    from components.curves import log_curves
    from components.step import step
    from finml.models.base import get_model
    from finml.registry.tracking import log_evaluation

    with step("evaluate") as settings:
        examined = get_model(model)
        predictor = examined.load(Path(trained.path))
        rows = pd.read_parquet(held_out_rows.path)
        with champion_of(examined, settings) as (version, champion):
            found = examined.evaluate(predictor, rows, champion=champion, seed=settings.seed)
        found = found.model_copy(
            update={"champion": version, "data_hash": held_out_rows.metadata["data_hash"]}
        )
        page = examined.report(predictor, rows, found)
        words = examined.card(predictor, found, trained.metadata["lineage"])
        log_evaluation(settings, mlflow_run, found, page, words)

        Path(evaluation.path).write_text(json.dumps(found.model_dump()), encoding="utf-8")
        evaluation.metadata["summary"] = ", ".join(
            f"{name} {interval.value:.4f}" for name, interval in found.metrics.items()
        )
        Path(report.path).write_text(page, encoding="utf-8")
        Path(card.path).write_text(words, encoding="utf-8")
        for name, value in found.scalars.items():
            metrics.log_metric(name, value)
        for name, interval in found.metrics.items():
            metrics.log_metric(name, interval.value)
        log_curves(curves, examined, predictor, rows)
