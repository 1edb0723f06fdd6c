from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from finml.models.base import TrainOptions, get_model
from finml.models.intent import Intent
from finml.models.intent.runtime import IntentPredictor
from tests.models.intent.messages import messages

# few texts: more of them must validate, or confidence stays low for want of proof
PARAMS = {"epochs": 2, "batch": 16, "learning_rate": 5e-4, "validation": 0.3}
SEED = 3


@pytest.fixture(scope="session")
def model() -> Intent:
    return get_model("intent")


@pytest.fixture(scope="session")
def parts(model) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Few texts to train on, so that it takes seconds, and all that are held out."""
    kept, held_out = model.split(model.training_frame(messages()))
    return kept.groupby("intent").head(40).reset_index(drop=True), held_out


@pytest.fixture(scope="session")
def train(model) -> Callable[..., Path]:
    """Trains into a folder, or skips the test where there are no weights to start from."""

    def trained(frame: pd.DataFrame, folder: Path, **options) -> Path:
        if lacking := model.missing_weights():
            pytest.skip(lacking[0])
        params = PARAMS | options.pop("params", {})
        model.train(frame, folder, TrainOptions(seed=SEED, params=params, **options))
        return folder

    return trained


@pytest.fixture(scope="session")
def folder(train, parts, tmp_path_factory) -> Path:
    return train(parts[0], tmp_path_factory.mktemp("intent") / "model")


@pytest.fixture(scope="session")
def predictor(folder) -> IntentPredictor:
    return IntentPredictor.load(folder)


@pytest.fixture(scope="session")
def evaluation(model, predictor, parts):
    return model.evaluate(predictor, parts[1], champion=None, seed=5)
