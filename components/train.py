"""Step `train`: from training rows to model files, logged with where they come from."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(  # noqa: D417  # kfp shows what Returns says of the outputs
    *,
    model: str,
    ledger_url: str,
    trials: int,
    params: dict,  # type: ignore[type-arg]  # kfp knows no more of it
    pipeline_run: str,
    training_rows: dsl.Input[dsl.Dataset],
    trained: dsl.Output[dsl.Model],
) -> str:
    """Train a model and log the run to MLflow, with seed, data hash, feature service, commit and versions.

    Args:
        model: A model of the catalogue.
        ledger_url: The ledger; empty for the one of the settings.
        trials: Trials of the search for parameters; 0 trains with those that the model declares.
        params: Parameters of the model that replace those that it declares, by name.
        pipeline_run: Id of this pipeline's run.
        training_rows: The rows to train on.

    Returns:
        trained: The model's files.
        Output: Id of the MLflow run.
    """
    from pathlib import Path

    import pandas as pd

    from components.step import step
    from finml.models.base import TrainOptions, get_model
    from finml.registry.provenance import Lineage
    from finml.registry.tracking import log_training

    with step("train", ledger_url) as settings:
        trainee = get_model(model)
        folder = Path(trained.path)
        folder.mkdir(parents=True)
        options = TrainOptions(
            seed=settings.seed,
            trials=trials,
            params=params,
            checkpoints=settings.home / "checkpoints" / model,
        )
        result = trainee.train(pd.read_parquet(training_rows.path), folder, options)
        service = trainee.feature_service or ""
        lineage = Lineage.collect(
            settings,
            data_hash=training_rows.metadata["data_hash"],
            data_file=training_rows.metadata.get("data_file", ""),
            feature_service=service,
            feature_service_version=service.rpartition("_v")[2],
            pipeline_run=pipeline_run,
        )
        trained.metadata["lineage"] = lineage.as_mapping()
        run_id = log_training(settings, model, result, lineage)
        trained.metadata["summary"] = f"MLflow run {run_id[:8]}"
        return run_id
