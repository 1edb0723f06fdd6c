"""The append-only log of promotions, kept in MLflow so that everybody who shares a server shares it.

Each event is one run of the experiment `finml-promotions`. Its parameters cannot be changed through MLflow,
and each holds the digest of the event before it, so that a change made behind MLflow's back shows. An event
is written before the aliases move (its run is then running) and finished after, so that whoever comes next
can complete what a crash cut short.
"""

import hashlib
import json
import platform
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from finml.errors import RegistryError, UsageError
from finml.registry.client import experiment
from finml.registry.tracking import MODEL_TAG
from finml.registry.versions import all_pages
from finml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "finml-promotions"
SEQUENCE_TAG = "finml.sequence"
WRITER_TAG = "finml.writer"
MAX_WHO = 200
MAX_WHY = 2000
PATIENCE = timedelta(minutes=1)  # a change takes about a second; one that takes longer was cut short

Action = Literal["approve", "reject", "promote", "rollback", "challenge", "withdraw"]


class Event(BaseModel):
    """One entry: `version` is what the action was about, the other numbers are what the aliases become.

    Attributes:
        sequence: position in the model's log; a change that gave way to another leaves a gap.
        from_version: champion before, or `None`.
        to_version: champion after, or `None`.
        previous_version: holder of the alias `previous` after, or `None`.
        parent: digest of the event before, empty for the first.
        finished: whether the aliases have moved.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    sequence: int
    action: Action
    version: int
    from_version: int | None = None
    to_version: int | None = None
    previous_version: int | None = None
    who: str
    at: datetime
    why: str = ""
    parent: str = ""
    event_id: str = ""
    finished: bool = False
    deleted: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of what the event says, its parent's digest included."""
        said = self.model_dump(mode="json", exclude={"event_id", "finished", "deleted"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read(client: "MlflowClient", model: str) -> list[Event]:
    """All events of a model, oldest first, those included that somebody deleted in MLflow."""
    return [event for run in _runs(client, model) if (event := _event(run)) is not None]


def begin(
    client: "MlflowClient",
    settings: Settings,
    model: str,
    action: Action,
    version: int,
    *,
    champion: int | None,
    to: int | None,
    previous: int | None,
    who: str,
    why: str,
) -> Event:
    """Write the intent of a change of aliases; `finish` it when they have moved.

    Raises:
        RegistryError: another change of the same model was begun at the same time, from elsewhere.
    """
    from mlflow.entities import Param

    runs = _runs(client, model)
    events = [event for run in runs if (event := _event(run)) is not None]
    event = Event(
        model=model,
        sequence=1 + max((_sequence(run) for run in runs), default=0),
        action=action,
        version=version,
        from_version=champion,
        to_version=to,
        previous_version=previous,
        who=who,
        why=why,
        at=datetime.now(UTC),
        parent=events[-1].digest if events else "",
    )
    tags = {MODEL_TAG: model, SEQUENCE_TAG: str(event.sequence), WRITER_TAG: _writer(settings)}
    run = client.create_run(
        experiment(client, settings, EXPERIMENT), tags=tags, run_name=f"{action} {model}@{version}"
    )
    run_id = run.info.run_id
    said = event.model_dump(mode="json", exclude={"event_id", "finished", "deleted"}, exclude_none=True)
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in said.items() if value != ""])
    # The lock of this home does not reach other machines. Whoever sees a second event in its place gives way;
    # two that see each other both do, and nothing has moved yet.
    rivals = [
        other
        for other in _runs(client, model)
        if _sequence(other) == event.sequence
        and other.info.run_id != run_id
        and other.info.status != "KILLED"
    ]
    if rivals:
        client.set_terminated(run_id, "KILLED")
        raise RegistryError(f"somebody else changes {model} at this moment", hint="run the command again")
    return event.model_copy(update={"event_id": run_id})


def finish(client: "MlflowClient", event: Event) -> Event:
    """Mark an event's aliases as moved."""
    client.set_terminated(event.event_id, "FINISHED")
    return event.model_copy(update={"finished": True})


def cut_short(client: "MlflowClient", settings: Settings, model: str) -> Event | None:
    """The last event, if its aliases have not moved. The caller holds the model's lock.

    Raises:
        RegistryError: it was begun from elsewhere a moment ago, so that it may still be under way.
    """
    runs = [run for run in _runs(client, model) if _event(run) is not None]
    last = _event(runs[-1]) if runs else None
    if last is None or last.finished:
        return None
    own = runs[-1].data.tags.get(WRITER_TAG) == _writer(settings)
    if not own and datetime.now(UTC) - last.at < PATIENCE:
        raise RegistryError(
            f"{last.who} changes {model} at this moment ({last.action} {model}@{last.version})",
            hint="run the command again in a minute",
        )
    return last


def audit(events: list[Event], aliases: dict[str, int]) -> list[str]:
    """What does not fit together in a log and the aliases, in words; empty when all is well."""
    found = []
    for before, event in zip([None, *events], events, strict=False):
        if event.parent != (before.digest if before else ""):
            found.append(f"event {event.sequence} does not follow from the one before: the log was changed")
        if before and event.from_version != before.to_version:
            found.append(
                f"before event {event.sequence} the champion went from {before.to_version or 'none'} to "
                f"{event.from_version or 'none'} without an entry"
            )
        if event.deleted:
            found.append(f"event {event.sequence} was deleted in MLflow; it is shown all the same")
    if events and not events[-1].finished:
        found.append(f"event {events[-1].sequence} was cut short: run its command again to complete it")
    elif aliases.get("champion") != (events[-1].to_version if events else None):
        logged = events[-1].to_version if events else None
        found.append(
            f"the champion is {aliases.get('champion') or 'none'}, the log says {logged or 'none'}: "
            "the alias was moved without an entry"
        )
    return found


def check_words(who: str, why: str) -> tuple[str, str]:
    """Who and why, trimmed.

    Raises:
        UsageError: nobody is named, or a text is too long for the log.
    """
    who, why = who.strip(), why.strip()
    if not 0 < len(who) <= MAX_WHO:
        raise UsageError(f"who does this must be said in 1 to {MAX_WHO} characters", hint="use --who")
    if len(why) > MAX_WHY:
        raise UsageError(f"the reason has {len(why)} characters, {MAX_WHY} fit", hint="put a link into --why")
    return who, why


def _runs(client: "MlflowClient", model: str) -> "list[Run]":
    """Runs of all events of a model by sequence, those included that have only been begun to be written."""
    from mlflow.entities import ViewType

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return []

    def search(filter_string: str | None, **page: object) -> object:
        return client.search_runs([found.experiment_id], filter_string, run_view_type=ViewType.ALL, **page)

    runs = all_pages(search, f"tags.`{MODEL_TAG}` = '{model}'")
    return sorted(runs, key=lambda run: (_sequence(run), run.info.start_time, run.info.run_id))


def _sequence(run: "Run") -> int:
    text = run.data.params.get("sequence") or run.data.tags.get(SEQUENCE_TAG, "")
    return int(text) if text.isdigit() else 0


def _event(run: "Run") -> Event | None:
    """The event of a run, or `None` for one that gave way to another or was never fully written."""
    if "at" not in run.data.params or run.info.status == "KILLED":
        return None
    return Event(
        **run.data.params,
        event_id=run.info.run_id,
        finished=run.info.status == "FINISHED",
        deleted=run.info.lifecycle_stage != "active",
    )


def _writer(settings: Settings) -> str:
    """Who shares one lock: the home on this machine, told apart without naming either."""
    return hashlib.sha256(f"{platform.node()}:{settings.home}".encode()).hexdigest()[:16]
