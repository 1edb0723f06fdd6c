"""Trainings for the registry's tests: real runs in a real store, of a model that is one small file."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from uuid import uuid4

from finml.models.base import Evaluation, GroupRow, Interval, TrainingResult
from finml.registry.client import connect
from finml.registry.gate import Gate, Verdict, judge
from finml.registry.provenance import Lineage
from finml.registry.registration import register
from finml.registry.tracking import log_evaluation, log_training, log_verdict
from finml.registry.versions import Version
from finml.settings import Settings

MODEL = "credit_risk"


@cache
def _template() -> tempfile.TemporaryDirectory:
    """A home with an empty store; making one takes seconds, copying one does not."""
    home = tempfile.TemporaryDirectory(prefix="finml-mlflow-")
    with connect(Settings(home=Path(home.name))):
        return home


def empty_database(folder: Path) -> Path:
    """A new, empty MLflow database in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(Path(_template().name) / "mlflow" / "mlflow.db", folder / "mlflow.db"))


def new_home(folder: Path, **settings) -> Settings:
    """Settings of a home whose registry is empty."""
    if "mlflow_tracking_uri" not in settings:
        empty_database(folder / "mlflow")
    return Settings(home=folder, **settings)


def evaluation(auc: float = 0.75, width: float = 0.02, **changes) -> Evaluation:
    base = Evaluation(
        model=MODEL,
        metrics={
            "auc": Interval(value=auc, low=auc - width, high=auc + width),
            "ece": Interval(value=0.01, low=0.005, high=0.02),
        },
        scalars={"n": 400.0, "latency_p95_ms": 3.0},
        groups=[group("sex", "female", 210, 0.95), group("sex", "male", 190, 1.0)],
        data_hash="held-out",
    )
    return base.model_copy(update=changes)


def group(attribute: str, name: str, n: int, impact: float | None) -> GroupRow:
    return GroupRow(
        attribute=attribute,
        group=name,
        n=n,
        selection_rate=0.8,
        false_negative_rate=0.3,
        false_positive_rate=None,
        disparate_impact=impact,
    )


def gate(approval: str = "automatic", **changes) -> Gate:
    declared = {
        "approval": approval,
        "thresholds": [{"metric": "auc", "min": 0.65, "bound": "low"}, {"metric": "ece", "max": 0.05}],
        "fairness": {"attributes": ["sex"], "min_disparate_impact": 0.8, "min_group": 100},
        "latency": {"p95_ms": 50},
    }
    return Gate.model_validate(declared | changes)


def train(settings: Settings, *, content: str | None = None, model: str = MODEL, params=None) -> str:
    """Log a training, as yet without evaluation."""
    folder = settings.home / "trained" / uuid4().hex
    (folder / "more").mkdir(parents=True)
    (folder / "model.json").write_text(content or uuid4().hex)
    (folder / "more" / "bands.json").write_text("{}")
    result = TrainingResult(folder=folder, params=params or {"depth": 4}, metrics={"train_auc": 0.9})
    lineage = Lineage.collect(
        settings,
        data_hash="d" * 64,
        feature_service="credit_risk_v1",
        feature_service_version="1",
        pipeline_run="run-1",
    )
    return log_training(settings, model, result, lineage)


def judged(settings: Settings, *, by: Gate | None = None, found: Evaluation | None = None, **how):
    """Log a training with its evaluation and verdict: the run's id and the verdict."""
    run_id = train(settings, **how)
    by, found = by or gate(), found or evaluation()
    log_evaluation(settings, run_id, found, "<html></html>", "# Card")
    verdict: Verdict = judge(by, found)
    log_verdict(settings, run_id, by, verdict)
    return run_id, verdict


def registered(settings: Settings, *, approval: str = "automatic", **how) -> Version:
    """A newly registered version."""
    run_id, verdict = judged(settings, **({"by": gate(approval)} | how))
    return register(settings, run_id, MODEL, verdict)


def artifact(settings: Settings, run_id: str, path: str) -> Path:
    """Where the local store keeps an artifact: for tests that tamper with it."""
    return settings.home / "mlflow" / "artifacts" / MODEL / run_id / "artifacts" / path
