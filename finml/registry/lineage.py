"""One line of descent: from a version back to the run, the data, the features and the commit it came from."""

import json
from datetime import UTC, datetime

from pydantic import BaseModel

from finml.registry import promotion_log
from finml.registry.client import connect
from finml.registry.delivery import recorded_verdict
from finml.registry.gate import Verdict
from finml.registry.promotion_log import Event
from finml.registry.tracking import read_artifact
from finml.registry.versions import Version, find, parse_spec
from finml.settings import Settings


class RunInfo(BaseModel):
    """The MLflow run of a training."""

    run_id: str
    experiment: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None


class Trace(BaseModel):
    """Everything that a version descends from, and what was decided about it.

    Attributes:
        version: the version with its lineage: pipeline run, data hash, feature service, git commit.
        run: the training's run.
        libraries: versions of the libraries that trained it.
        verdict: the gate's verdict.
        promotions: entries of the promotion log that are about this version or moved it.
    """

    version: Version
    run: RunInfo
    libraries: dict[str, str]
    verdict: Verdict
    promotions: list[Event]


def trace(settings: Settings, spec: str) -> Trace:
    """The line of descent of a version.

    Raises:
        UsageError: the spec cannot be understood.
        RegistryError: there is no such version.
    """
    with connect(settings) as client:
        version = find(client, *parse_spec(spec))
        run = client.get_run(version.run_id)
        training = json.loads(read_artifact(client, version.run_id, "training.json") or "{}")
        return Trace(
            version=version,
            run=RunInfo(
                run_id=version.run_id,
                experiment=client.get_experiment(run.info.experiment_id).name,
                status=run.info.status,
                started_at=_moment(run.info.start_time),
                ended_at=_moment(run.info.end_time) if run.info.end_time else None,
            ),
            libraries=training.get("lineage", {}).get("libraries", {}),
            verdict=recorded_verdict(client, version),
            promotions=[
                event
                for event in promotion_log.read(client, version.name)
                if version.version in (event.version, event.from_version, event.to_version)
            ],
        )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
