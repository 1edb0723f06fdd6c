import pandas as pd
import pytest

from finml.models.base import TrainOptions, get_model
from finml.models.credit_risk import CreditRisk
from finml.models.credit_risk.runtime import CreditRiskPredictor
from tests.models.credit_risk.loans import loans


@pytest.fixture(scope="session")
def model() -> CreditRisk:
    return get_model("credit_risk")


@pytest.fixture(scope="session")
def parts(model) -> tuple[pd.DataFrame, pd.DataFrame]:
    return model.split(model.training_frame(loans(3000, users=2000)))


@pytest.fixture(scope="session")
def folder(model, parts, tmp_path_factory):
    target = tmp_path_factory.mktemp("credit_risk") / "model"
    model.train(parts[0], target, TrainOptions(seed=3))
    return target


@pytest.fixture(scope="session")
def predictor(folder) -> CreditRiskPredictor:
    return CreditRiskPredictor.load(folder)


@pytest.fixture(scope="session")
def evaluation(model, predictor, parts):
    return model.evaluate(predictor, parts[1], champion=None, seed=5)
