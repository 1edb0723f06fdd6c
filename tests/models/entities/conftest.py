from pathlib import Path

import pandas as pd
import pytest

from finml.models.base import TrainOptions, get_model
from finml.models.entities import Entities
from finml.models.entities.runtime import EntitiesPredictor
from tests.models.entities.sentences import messages

QUICK = {"epochs": 7}


@pytest.fixture(scope="session")
def model() -> Entities:
    return get_model("entities")


@pytest.fixture(scope="session")
def parts(model) -> tuple[pd.DataFrame, pd.DataFrame]:
    return model.split(model.training_frame(messages(1300)))


@pytest.fixture(scope="session")
def folder(model, parts, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("entities") / "model"
    model.train(parts[0], target, TrainOptions(seed=3, params=QUICK))
    return target


@pytest.fixture(scope="session")
def predictor(folder) -> EntitiesPredictor:
    return EntitiesPredictor.load(folder)


@pytest.fixture(scope="session")
def evaluation(model, predictor, parts):
    return model.evaluate(predictor, parts[1], champion=None, seed=5)
