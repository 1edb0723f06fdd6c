"""From an approved run to a numbered version."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from finml.errors import NotApprovedError, RegistryError
from finml.registry import promotion_log
from finml.registry.client import check_name, connect
from finml.registry.delivery import computed_verdict, download_model
from finml.registry.desk import Desk, at_desk
from finml.registry.gate import Verdict
from finml.registry.tracking import MANIFEST_TAG, MODEL_FOLDER, MODEL_TAG, stored_gate
from finml.registry.versions import APPROVAL_TAG, GATE_TAG, VERDICT_TAG, Approval, Version, find
from finml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

log = structlog.get_logger(__name__)


def register(
    settings: Settings, run_id: str, model_name: str, verdict: Verdict, *, who: str = "gate", why: str = ""
) -> Version:
    """Make an approved run a version: `candidate`, or `champion` at once where the gate asks nobody.

    Registering a run again returns the version that it became.

    Raises:
        NotApprovedError: the verdict rejects, is not the one that the run's evaluation and gate give, or
            is not about the present champion, where the gate wants a comparison.
        IntegrityError: the run's model files are not those that were logged.
        RegistryError: the run is not a finished training of this model.
    """
    check_name(model_name)
    if not verdict.approved:
        raise NotApprovedError(f"{model_name} is not registered, the gate {verdict.summary}")
    with connect(settings) as client:
        run = client.get_run(run_id)
        _check_run(client, run, model_name, verdict)
        _ensure_registered_model(client, model_name)
    reason = why or verdict.summary
    with at_desk(settings, model_name, who, reason[: promotion_log.MAX_WHY]) as desk:
        version = _existing(desk, run_id)
        if version and any(event.version == version.version for event in _log_of(desk)):
            return version
        if version is None:
            _refuse_without_comparison(desk, verdict, run_id)
            version = _create(desk, run, verdict, who)
        desk.client.set_registered_model_alias(model_name, "candidate", str(version.version))
        desk.aliases["candidate"] = version.version
        if verdict.approval == "automatic":
            desk.promote(version)
        registered = find(desk.client, model_name, version.version)
    log.info("version_registered", version=registered.spec, run_id=run_id, aliases=registered.aliases)
    return registered


def _check_run(client: "MlflowClient", run: "Run", model_name: str, verdict: Verdict) -> None:
    run_id = run.info.run_id
    if run.data.tags.get(MODEL_TAG) != model_name or verdict.model != model_name:
        logged = run.data.tags.get(MODEL_TAG, "no model")
        raise RegistryError(
            f"run {run_id} trained {logged} and the verdict is about {verdict.model}, not {model_name}"
        )
    if run.info.status != "FINISHED":
        raise RegistryError(f"run {run_id} is {run.info.status.lower()}, not finished", hint="train again")
    if computed_verdict(client, run_id) != verdict:
        raise NotApprovedError(
            f"the verdict is not the one that the evaluation and the gate of run {run_id} give",
            hint="judge and log the verdict of this very run, then register it",
        )
    with tempfile.TemporaryDirectory() as folder:
        download_model(client, run_id, run.data.tags.get(MANIFEST_TAG, ""), Path(folder))


def _ensure_registered_model(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _existing(desk: Desk, run_id: str) -> Version | None:
    for item in desk.client.search_model_versions(f"run_id = '{run_id}'"):
        return find(desk.client, item.name, int(item.version))
    return None


def _log_of(desk: Desk) -> list[promotion_log.Event]:
    return promotion_log.read(desk.client, desk.model)


def _refuse_without_comparison(desk: Desk, verdict: Verdict, run_id: str) -> None:
    champion = desk.aliases.get("champion")
    compared = verdict.champion == f"{desk.model}@{champion}"
    if champion and not compared and stored_gate(desk.client, run_id).champion:
        raise NotApprovedError(
            f"the gate wants a comparison with the champion {desk.model}@{champion}, "
            f"the evaluation has one with {verdict.champion or 'none'}",
            hint="run the training pipeline again",
        )


def _create(desk: Desk, run: "Run", verdict: Verdict, who: str) -> Version:
    decided = verdict.approval == "automatic"
    approval = Approval(decision="approved", who=who) if decided else Approval(decision="pending")
    lineage = {key: value for key, value in run.data.tags.items() if key.startswith("finml.")}
    item = desk.client.create_model_version(
        desk.model,
        source=f"{run.info.artifact_uri.rstrip('/')}/{MODEL_FOLDER}",
        run_id=run.info.run_id,
        await_creation_for=0,
        tags={
            **lineage,
            GATE_TAG: "approved",
            VERDICT_TAG: verdict.model_dump_json(),
            APPROVAL_TAG: approval.model_dump_json(),
        },
    )
    return find(desk.client, desk.model, int(item.version))
