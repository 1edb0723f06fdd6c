import pandas as pd
import pytest

from finml.models.base import TrainOptions, get_model
from finml.models.spending import Spending
from finml.models.spending.runtime import SpendingPredictor
from tests.models.spending.months import daily, people, population, weekly


@pytest.fixture(scope="session")
def model() -> Spending:
    return get_model("spending")


@pytest.fixture(scope="session")
def rows(model) -> pd.DataFrame:
    everyone = pd.concat([population(), daily(), weekly(), people()], ignore_index=True)
    return model.training_frame(everyone)


@pytest.fixture(scope="session")
def parts(model, rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    return model.split(rows)


@pytest.fixture(scope="session")
def folder(model, parts, tmp_path_factory):
    target = tmp_path_factory.mktemp("spending") / "model"
    model.train(parts[0], target, TrainOptions(seed=3))
    return target


@pytest.fixture(scope="session")
def predictor(folder) -> SpendingPredictor:
    return SpendingPredictor.load(folder)


@pytest.fixture(scope="session")
def evaluation(model, predictor, parts):
    return model.evaluate(predictor, parts[1], champion=None, seed=5)
