"""What leaves the registry: files with the hashes they were registered with, under a verdict that holds."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from finml.errors import IntegrityError, NotApprovedError, RegistryError
from finml.registry.client import connect
from finml.registry.gate import Verdict, judge
from finml.registry.manifest import check_manifest
from finml.registry.tracking import MODEL_FOLDER, stored_evaluation, stored_gate
from finml.registry.versions import VERDICT_TAG, Version, find
from finml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = structlog.get_logger(__name__)


def fetch(settings: Settings, version: Version, folder: Path) -> Path:
    """Download a version's model files into `folder` and return it.

    The folder appears complete and checked, or not at all. One that holds just this version already is kept.

    Raises:
        RegistryError: `folder` holds something else.
        IntegrityError: a file differs from what was registered; the message names it.
    """
    if folder.exists() and any(folder.iterdir()):
        try:
            check_manifest(folder, version.manifest_sha256)
        except IntegrityError as error:
            raise RegistryError(
                f"{folder} holds something other than {version.spec}", hint="name an empty folder"
            ) from error
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with connect(settings) as client, tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as new:
        downloaded = download_model(client, version.run_id, version.manifest_sha256, Path(new))
        downloaded.replace(folder)
    log.info("version_fetched", version=version.spec, manifest_sha256=version.manifest_sha256)
    return folder


def verdict_of(settings: Settings, version: Version) -> Verdict:
    """The verdict that a version was registered with.

    Raises:
        NotApprovedError: it has none.
    """
    with connect(settings) as client:
        return recorded_verdict(client, version)


def recheck(settings: Settings, version: Version) -> Verdict:
    """Make sure that a version may be used, trusting nobody: the verdict is computed again.

    Raises:
        NotApprovedError: the version has no verdict, a rejecting one, or lacks the approval of a person.
        IntegrityError: the evaluation or the gate gives another verdict than the recorded one.
    """
    with connect(settings) as client:
        current = find(client, version.name, version.version)
        verdict = check_verdict(client, current)
        check_approval(current)
        return verdict


def check_verdict(client: "MlflowClient", version: Version) -> Verdict:
    """The recorded verdict, if it approves and is the one that evaluation and gate give; see `recheck`."""
    recorded = recorded_verdict(client, version)
    if not recorded.approved:
        raise NotApprovedError(f"the gate did not approve {version.spec}: {recorded.summary}")
    if computed_verdict(client, version.run_id) != recorded:
        raise IntegrityError(
            f"the verdict of {version.spec} is not the one that its evaluation and gate give",
            hint="something was changed after the registration: train and register it anew",
        )
    return recorded


def check_approval(version: Version) -> None:
    """Raise `NotApprovedError` unless a version is approved, by the gate alone or by a person."""
    approval = version.approval
    if approval.decision == "rejected":
        raise NotApprovedError(
            f"{approval.who} rejected {version.spec}: {approval.why or 'no reason given'}",
            hint=f"choose another version: `finml models list {version.name}`",
        )
    if approval.decision == "pending":
        raise NotApprovedError(
            f"{version.spec} waits for the approval of a person",
            hint=f"see `finml models show {version.spec}`, then `finml models approve {version.spec}`",
        )


def recorded_verdict(client: "MlflowClient", version: Version) -> Verdict:
    """See `verdict_of`."""
    tags = client.get_model_version(version.name, str(version.version)).tags
    try:
        return Verdict.model_validate_json(tags.get(VERDICT_TAG, ""))
    except ValidationError:
        raise NotApprovedError(
            f"{version.spec} has no verdict of the gate", hint="register versions by the training pipeline"
        ) from None


def computed_verdict(client: "MlflowClient", run_id: str) -> Verdict:
    """The verdict that the evaluation and the gate stored with a run give now.

    Raises:
        RegistryError: the run has no evaluation or no gate.
    """
    return judge(stored_gate(client, run_id), stored_evaluation(client, run_id))


def download_model(client: "MlflowClient", run_id: str, manifest_sha256: str, folder: Path) -> Path:
    """Download a run's model folder into `folder` and check it against the manifest's hash.

    Raises:
        IntegrityError: a file is missing, was changed or added, or no hash was recorded.
    """
    if not manifest_sha256:
        raise IntegrityError(
            f"run {run_id} has no recorded manifest", hint="register versions by the training pipeline"
        )
    if not client.list_artifacts(run_id, MODEL_FOLDER):
        raise IntegrityError(f"run {run_id} has lost its model files", hint="train and register it anew")
    downloaded = Path(client.download_artifacts(run_id, MODEL_FOLDER, str(folder)))
    check_manifest(downloaded, manifest_sha256)
    return downloaded
