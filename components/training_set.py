"""Step `training_set`: labels joined with features as they were known at the time."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def training_set(  # noqa: D417  # kfp shows what Returns says of the outputs
    *,
    model: str,
    ledger_url: str,
    tables: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Dataset],
    training_rows: dsl.Output[dsl.Dataset],
    held_out_rows: dsl.Output[dsl.Dataset],
) -> None:
    """Join a model's labels with its features, point in time, and hold a part out.

    Args:
        model: A model of the catalogue.
        ledger_url: The ledger; empty for the one of the settings.
        tables: The validated tables, which hold the labels.
        features: What was built; the step waits for it.

    Returns:
        training_rows: Rows to train on, as one Parquet file.
        held_out_rows: Rows that training never sees, as one Parquet file.
    """
    from pathlib import Path

    from components.rows import labelled_rows, write_parts
    from components.step import step
    from feature_repo import definitions
    from finml.models.base import get_model

    with step("training_set", ledger_url) as settings:
        learner = get_model(model)
        # a model that reads no features needs no feature store, which takes seconds to import
        repo = definitions(settings) if learner.feature_service else None
        rows = labelled_rows(learner, Path(tables.path), settings, repo)
        write_parts(learner, rows, training_rows, held_out_rows, data_hash=features.metadata["data_hash"])
