"""A Bento of every model: `credit_risk` of the small bank, the others trained on a few rows each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from bentos.packaging import PackagedBento, package
from finml.models.base import Evaluation, Interval, TrainOptions, get_model
from finml.registry.gate import Gate, judge
from finml.registry.provenance import Lineage
from finml.registry.registration import register
from finml.registry.tracking import log_evaluation, log_training, log_verdict
from finml.registry.versions import Version
from tests.models.anomaly.payments import payments
from tests.models.entities.sentences import messages as sentences
from tests.models.intent.messages import messages
from tests.models.spending.months import daily, monthly, people

Rows = tuple[pd.DataFrame, dict[str, Any]]


def intent(folder: Path) -> Rows:
    return messages(12, outside=10), {"epochs": 1, "batch": 16, "learning_rate": 3e-4, "refit": False}


def entities(folder: Path) -> Rows:
    return sentences(60), {"epochs": 1}


def anomaly(folder: Path) -> Rows:
    file = folder / "payments.parquet"
    payments(12, each=5).to_parquet(file)
    params = {"trees": 30, "max_samples": 512, "category_rows": 700, "alert_budget": 0.02}
    return get_model("anomaly").read(file), params


def spending(folder: Path) -> Rows:
    rows = [monthly("groceries", 28), monthly("rent", 28), daily(80), people(8, 28)]
    return pd.concat(rows), {"processes": 1}


OTHERS: tuple[Callable[[Path], Rows], ...] = (anomaly, entities, intent, spending)
# any model will do: what is tested is not its quality
GATE = Gate.model_validate({"approval": "automatic", "thresholds": [{"metric": "rows", "min": 1}]})


def every_model(bank: Any, folder: Path) -> PackagedBento:
    """Train, register and package them; a model whose weights are not on this machine is left out."""
    versions = [bank.version]
    for rows in OTHERS:
        model = get_model(rows.__name__)
        if not model.missing_weights():
            home = folder / model.name
            home.mkdir()
            versions.append(registered(bank, model, rows(home), home))
    return package(bank.settings, versions, bank.repo)


def registered(bank: Any, model: Any, given: Rows, home: Path) -> Version:
    rows, params = given
    settings = bank.settings
    options = TrainOptions(seed=3, params=params)
    trained = model.train(model.training_frame(rows), home / "model", options)
    lineage = Lineage.collect(
        settings,
        data_hash=bank.data_hash,
        feature_service=model.feature_service or "",
        feature_service_version="1" if model.feature_service else "",
        pipeline_run="test",
    )
    run_id = log_training(settings, model.name, trained, lineage)
    count = float(len(rows))
    found = Evaluation(model=model.name, metrics={"rows": Interval(value=count, low=count, high=count)})
    log_evaluation(settings, run_id, found, "<html></html>", "# Card")
    verdict = judge(GATE, found)
    log_verdict(settings, run_id, GATE, verdict)
    return register(settings, run_id, model.name, verdict)
