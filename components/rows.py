"""Labelled rows with features as they were known at the time: what models are trained and measured on."""

from pathlib import Path

import pandas as pd
from kfp import dsl

from finml.errors import UsageError
from finml.features.store import FeatureRepo
from finml.models.base import Model
from finml.settings import Settings


def labelled_rows(model: Model, tables: Path, settings: Settings, repo: FeatureRepo | None) -> pd.DataFrame:
    """Every labelled row of a ledger, checked against the model's contract.

    Args:
        model: the model.
        tables: folder of validated tables, which hold the labels.
        settings: name the offline store.
        repo: what `feature_repo` declares; a model that reads no features needs none.
    """
    from finml.features.store import training_set

    spine = model.spine(tables)
    if model.feature_service:
        if repo is None:
            raise UsageError(f"{model.name} reads features, and no feature repository was given")
        spine = training_set(settings, repo, model.feature_service, spine)
    return model.training_frame(spine)


def write_parts(
    model: Model, rows: pd.DataFrame, training_rows: dsl.Dataset, held_out_rows: dsl.Dataset, **metadata: str
) -> None:
    """Hold a part of the checked rows out, and write both parts as Parquet.

    Args:
        model: the model, which decides what is held out.
        rows: all labelled rows.
        training_rows: artifact of the rows to train on.
        held_out_rows: artifact of the rows that training never sees.
        metadata: where the rows come from, said of both artifacts.
    """
    kept, held_out = model.split(rows)
    for part, artifact, words in (
        (kept, training_rows, "to train on"),
        (held_out, held_out_rows, "held out"),
    ):
        part.to_parquet(artifact.path, index=False)
        artifact.metadata.update(rows=len(part), **metadata)
        artifact.metadata["summary"] = f"{len(part):,} rows {words}"
