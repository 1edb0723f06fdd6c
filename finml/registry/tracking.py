"""What a training leaves in MLflow: parameters, metrics, files, and where it all came from.

One training is one run, with the artifacts `model/` (and its manifest), `training.json`, `evaluation/` and
`gate/`. A run that could not be logged to its end is marked failed.
"""

import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import structlog

from finml.errors import RegistryError
from finml.models.base import Evaluation, TrainingResult
from finml.registry.client import check_name, connect, experiment
from finml.registry.gate import Gate, Verdict
from finml.registry.manifest import write_manifest
from finml.registry.provenance import Lineage
from finml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL_FOLDER = "model"
EVALUATION = "evaluation/evaluation.json"
GATE = "gate/gate.yaml"
VERDICT = "gate/verdict.json"
MODEL_TAG = "finml.model"
MANIFEST_TAG = "finml.manifest_sha256"
BATCH = 100  # MLflow takes no more parameters at once

log = structlog.get_logger(__name__)


def log_training(settings: Settings, model_name: str, result: TrainingResult, lineage: Lineage) -> str:
    """Log a training as a new run and return its id. Writes `manifest.json` into the model folder.

    Raises:
        RegistryError: the store refused something; the run is then marked failed.
        IntegrityError: the model folder is empty or holds something other than plain files.
    """
    manifest_sha256 = write_manifest(result.folder)
    tags = {MODEL_TAG: check_name(model_name), MANIFEST_TAG: manifest_sha256, **lineage.as_tags()}
    if lineage.git_commit:
        tags["mlflow.source.git.commit"] = lineage.git_commit
    training = {
        "params": dict(result.params),
        "metrics": dict(result.metrics),
        "lineage": lineage.model_dump(mode="json"),
    }
    with connect(settings) as client:
        run = client.create_run(experiment(client, settings, model_name), tags=tags)
        run_id = str(run.info.run_id)
        with _marked_failed_on_error(client, run_id):
            client.log_artifacts(run_id, str(result.folder), MODEL_FOLDER)
            with _folder_of({"training.json": json.dumps(training, indent=2, default=str)}) as folder:
                client.log_artifacts(run_id, str(folder))
            _log_params(client, run_id, result.params)
            _log_metrics(client, run_id, result.metrics)
    log.info("training_logged", model=model_name, run_id=run_id, data_hash=lineage.data_hash)
    return run_id


def log_evaluation(
    settings: Settings, run_id: str, evaluation: Evaluation, report_html: str, card_md: str
) -> None:
    """Log the held-out evaluation, its report and the model card to the run of the training.

    Raises:
        RegistryError: there is no such run, or a version made of it exists already and must not change.
    """
    files = {
        "evaluation.json": json.dumps(evaluation.model_dump(), indent=2),
        "report.html": report_html,
        "card.md": card_md,
    }
    with connect(settings) as client:
        _refuse_registered(client, run_id)
        with _marked_failed_on_error(client, run_id), _folder_of(files) as folder:
            client.log_artifacts(run_id, str(folder), "evaluation")
            _log_metrics(client, run_id, flat_metrics(evaluation))
    log.info("evaluation_logged", run_id=run_id)


def log_verdict(settings: Settings, run_id: str, gate: Gate, verdict: Verdict) -> None:
    """Log a gate and its verdict to the run of the training, approving or not.

    Raises:
        RegistryError: there is no such run, or a version made of it exists already and must not change.
    """
    files = {
        "gate.yaml": gate.to_yaml(),
        "verdict.json": verdict.model_dump_json(indent=2),
        "verdict.md": verdict.to_markdown(),
    }
    with connect(settings) as client:
        _refuse_registered(client, run_id)
        with _marked_failed_on_error(client, run_id), _folder_of(files) as folder:
            client.log_artifacts(run_id, str(folder), "gate")
            client.set_tag(run_id, "finml.gate", "approved" if verdict.approved else "rejected")
    log.info("verdict_logged", run_id=run_id, approved=verdict.approved)


def stored_evaluation(client: "MlflowClient", run_id: str) -> Evaluation:
    """The evaluation that was logged to a run.

    Raises:
        RegistryError: none was, or it cannot be read.
    """
    text = read_artifact(client, run_id, EVALUATION)
    if text is None:
        raise RegistryError(f"run {run_id} has no {EVALUATION}", hint="run the training pipeline again")
    try:
        return Evaluation.model_validate(json.loads(text))
    except ValueError as error:
        raise RegistryError(f"{EVALUATION} of run {run_id} cannot be read: {error}") from None


def stored_gate(client: "MlflowClient", run_id: str) -> Gate:
    """The gate that a run was judged by.

    Raises:
        RegistryError: none was logged, or it cannot be used.
    """
    text = read_artifact(client, run_id, GATE)
    if text is None:
        raise RegistryError(f"run {run_id} has no {GATE}", hint="run the training pipeline again")
    return Gate.parse(text, origin=f"of run {run_id}")


def read_artifact(client: "MlflowClient", run_id: str, path: str) -> str | None:
    """Text of an artifact of a run, or `None` where the run has no such artifact."""
    parent = str(PurePosixPath(path).parent)
    if path not in {file.path for file in client.list_artifacts(run_id, parent)}:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run_id, path, folder)).read_text(encoding="utf-8")


def flat_metrics(evaluation: Evaluation) -> dict[str, float]:
    """An evaluation as MLflow's flat metrics: `auc`, `auc_low`, `auc_high`, `disparate_impact/sex/female`."""
    flat = dict(evaluation.scalars)
    for name, interval in evaluation.metrics.items():
        flat |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    for name, delta in evaluation.versus_champion.items():
        flat[f"{name}_less_champion"] = delta.value
    for row in evaluation.groups:
        if row.disparate_impact is not None:
            flat[f"disparate_impact/{row.attribute}/{row.group}"] = row.disparate_impact
    return flat


@contextmanager
def _marked_failed_on_error(client: "MlflowClient", run_id: str) -> Iterator[None]:
    """End the run as finished, or as failed when the block raises; an interrupt counts."""
    try:
        yield
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")


def _refuse_registered(client: "MlflowClient", run_id: str) -> None:
    client.get_run(run_id)
    for version in client.search_model_versions(f"run_id = '{run_id}'"):
        raise RegistryError(
            f"run {run_id} is {version.name}@{version.version} already; what it was judged by stays as it is",
            hint="train again for a new version",
        )


@contextmanager
def _folder_of(files: Mapping[str, str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        for file, text in files.items():
            (Path(name) / file).write_text(text, encoding="utf-8")
        yield Path(name)


def _log_params(client: "MlflowClient", run_id: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    plain = [
        Param(_key(name), value if isinstance(value, str) else json.dumps(value, default=str))
        for name, value in sorted(params.items())
    ]
    for start in range(0, len(plain), BATCH):
        client.log_batch(run_id, params=plain[start : start + BATCH])


def _log_metrics(client: "MlflowClient", run_id: str, metrics: Mapping[str, float]) -> None:
    """Log the finite figures: MLflow's stores differ in what they make of others, the files keep them."""
    from time import time_ns

    from mlflow.entities import Metric

    now = time_ns() // 1_000_000
    finite = [
        Metric(_key(name), float(value), now, 0)
        for name, value in sorted(metrics.items())
        if math.isfinite(value)
    ]
    for start in range(0, len(finite), BATCH):
        client.log_batch(run_id, metrics=finite[start : start + BATCH])


def _key(name: str) -> str:
    """`name` with what MLflow does not take in a key replaced, as the plus sign of `60+`."""
    return re.sub(r"[^\w\-. :/]", "_", name)
