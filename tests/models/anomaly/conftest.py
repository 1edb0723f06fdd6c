from pathlib import Path

import pandas as pd
import pytest

from finml.models.anomaly import Anomaly
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import Evaluation, TrainOptions, get_model
from tests.models.anomaly.payments import numbers, payments

PARAMS = {"trees": 60, "max_samples": 1024, "category_rows": 1500, "alert_budget": 0.02}


@pytest.fixture(scope="session")
def model() -> Anomaly:
    return get_model("anomaly")


@pytest.fixture(scope="session")
def frame(model, tmp_path_factory) -> pd.DataFrame:
    file = tmp_path_factory.mktemp("payments") / "payments.parquet"
    payments(50, each=30).to_parquet(file)
    return model.training_frame(model.read(file))


@pytest.fixture(scope="session")
def parts(model, frame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return model.split(frame)


@pytest.fixture(scope="session")
def folder(model, parts, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("anomaly") / "model"
    model.train(parts[0], target, TrainOptions(seed=3, params=PARAMS))
    return target


@pytest.fixture(scope="session")
def predictor(folder) -> AnomalyPredictor:
    return AnomalyPredictor.load(folder)


@pytest.fixture(scope="session")
def evaluation(model, predictor, parts) -> Evaluation:
    return model.evaluate(predictor, parts[1], champion=None, seed=5)


@pytest.fixture(scope="session")
def table_parts(model, tmp_path_factory) -> tuple[pd.DataFrame, pd.DataFrame]:
    file = tmp_path_factory.mktemp("table") / "table.csv"
    numbers(4000, anomalies=60).to_csv(file, index=False)
    return model.split(model.training_frame(model.read(file)))


@pytest.fixture(scope="session")
def table_folder(model, table_parts, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("anomaly_table") / "model"
    model.train(table_parts[0], target, TrainOptions(seed=3, params=PARAMS))
    return target


@pytest.fixture(scope="session")
def table_predictor(table_folder) -> AnomalyPredictor:
    return AnomalyPredictor.load(table_folder)
