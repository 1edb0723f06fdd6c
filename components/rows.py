"""Labelled rows with features as they were known at the time: what models are trained and measured on."""

from pathlib import Path

import pandas as pd

from finml.features.store import FeatureRepo
from finml.models.base import Model
from finml.settings import Settings


def labelled_rows(model: Model, tables: Path, settings: Settings, repo: FeatureRepo) -> pd.DataFrame:
    """Every labelled row of a ledger, checked against the model's contract.

    Args:
        model: the model.
        tables: folder of validated tables, which hold the labels.
        settings: name the offline store.
        repo: what `feature_repo` declares.
    """
    from finml.features.store import training_set

    spine = model.spine(tables)
    if model.feature_service:
        spine = training_set(settings, repo, model.feature_service, spine)
    return model.training_frame(spine)
