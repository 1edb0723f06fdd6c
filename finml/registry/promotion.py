"""Who is champion: approve, reject, promote, roll back; each is written to the log before it happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from pydantic import BaseModel

from finml.errors import RegistryError
from finml.registry import promotion_log
from finml.registry.client import connect, exclusive, model_lock
from finml.registry.delivery import check_approval, check_verdict
from finml.registry.promotion_log import Event, check_words
from finml.registry.versions import (
    ALIASES,
    APPROVAL_TAG,
    Approval,
    Version,
    aliases_of,
    find,
    parse_spec,
)
from finml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = structlog.get_logger(__name__)


class Change(BaseModel):
    """What a command did to a model, and how the aliases stand now.

    Attributes:
        words: the same in one sentence.
        changed: whether anything changed.
        events: the entries that were written to the log, or completed, in order.
    """

    model: str
    words: str
    changed: bool
    champion: int | None = None
    previous: int | None = None
    candidate: int | None = None
    events: list[Event] = []


class History(BaseModel):
    """A model's promotion log, oldest first, and what in it does not fit together."""

    model: str
    champion: int | None = None
    previous: int | None = None
    candidate: int | None = None
    events: list[Event] = []
    warnings: list[str] = []


class Desk:
    """One model's aliases and log, while this process may change them. Made by `at_desk`."""

    def __init__(self, client: "MlflowClient", settings: Settings, model: str, who: str, why: str) -> None:
        self.client, self.settings, self.model, self.who, self.why = client, settings, model, who, why
        self.aliases = aliases_of(client, model)
        self.events: list[Event] = []
        unfinished = promotion_log.cut_short(client, settings, model)
        self.completed = unfinished and self._carry_out(unfinished)

    def approve(self, version: Version) -> None:
        """Record that a person agrees to a version."""
        check_verdict(self.client, version)
        champion, previous = self.aliases.get("champion"), self.aliases.get("previous")
        self._write("approve", version.version, to=champion, previous=previous)

    def reject(self, version: Version) -> None:
        """Record that a person does not agree to a version, which then is no candidate any more."""
        champion, previous = self.aliases.get("champion"), self.aliases.get("previous")
        if version.version in (champion, previous):
            raise RegistryError(
                f"{version.spec} is {' and '.join(version.aliases)}",
                hint="promote or roll back to another version first",
            )
        self._write("reject", version.version, to=champion, previous=previous)

    def promote(self, version: Version) -> None:
        """Make an approved version champion and the champion previous."""
        check_approval(version)
        check_verdict(self.client, version)
        champion = self.aliases.get("champion")
        if champion == version.version:
            return
        previous = self.aliases.get("previous") if champion is None else champion
        self._write("promote", version.version, to=version.version, previous=previous)

    def roll_back(self) -> None:
        """Swap champion and previous."""
        champion, previous = self.aliases.get("champion"), self.aliases.get("previous")
        if champion is None or previous is None or champion == previous:
            raise RegistryError(
                f"{self.model} has no previous champion to go back to",
                hint=f"choose one of `finml models list {self.model}` with `finml models promote`",
            )
        check_approval(find(self.client, self.model, previous))
        self._write("rollback", previous, to=previous, previous=champion)

    def change(self, words: str) -> Change:
        """The outcome: what was written in this turn, and the aliases after it."""
        known = {alias: self.aliases[alias] for alias in ALIASES if alias in self.aliases}
        if self.completed:
            words += f" (completed the {self.completed.action} that {self.completed.who} had begun)"
        return Change(model=self.model, words=words, changed=bool(self.events), events=self.events, **known)

    def _write(
        self, action: promotion_log.Action, version: int, *, to: int | None, previous: int | None
    ) -> None:
        event = promotion_log.begin(
            self.client,
            self.settings,
            self.model,
            action,
            version,
            champion=self.aliases.get("champion"),
            to=to,
            previous=previous,
            who=self.who,
            why=self.why,
        )
        self._carry_out(event)

    def _carry_out(self, event: Event) -> Event:
        """Do what an event says; doing it twice is the same as once, so that a crash can be made good.

        `previous` moves first: whoever reads in between finds the old champion twice, and never none.
        """
        if event.action in ("approve", "reject"):
            approval = Approval(
                decision="approved" if event.action == "approve" else "rejected",
                who=event.who,
                at=event.at,
                why=event.why,
            )
            self.client.set_model_version_tag(
                self.model, str(event.version), APPROVAL_TAG, approval.model_dump_json()
            )
        wanted = {"previous": event.previous_version, "champion": event.to_version}
        settled = event.to_version if event.action != "reject" else event.version
        if self.aliases.get("candidate") == settled:
            wanted["candidate"] = None
        for alias, number in wanted.items():
            if number is not None and self.aliases.get(alias) != number:
                self.client.set_registered_model_alias(self.model, alias, str(number))
            elif number is None and alias in self.aliases:
                self.client.delete_registered_model_alias(self.model, alias)
        self.aliases = aliases_of(self.client, self.model)
        if any(self.aliases.get(alias) != number for alias, number in wanted.items()):
            raise RegistryError(
                f"the aliases of {self.model} were moved by somebody else at the same time",
                hint=f"see `finml models history {self.model}`, then run the command again",
            )
        done = promotion_log.finish(self.client, event)
        self.events.append(done)
        log.info(
            "aliases_moved",
            model=self.model,
            action=event.action,
            version=event.version,
            champion=event.to_version,
            previous=event.previous_version,
        )
        return done


@contextmanager
def at_desk(settings: Settings, model: str, who: str, why: str) -> Iterator[Desk]:
    """Sole right, in this home, to change a model's aliases; what a crash cut short is completed first.

    Raises:
        UsageError: `who` or `why` does not fit the log.
        RegistryError: the model is not registered, or somebody else changes it.
    """
    who, why = check_words(who, why)
    with connect(settings) as client, exclusive(model_lock(settings, model)):
        yield Desk(client, settings, model, who, why)


def approve(settings: Settings, spec: str, *, who: str, why: str = "", promote: bool = True) -> Change:
    """Approve a version in a person's name and, unless told otherwise, promote it to champion.

    Raises:
        NotApprovedError: the gate did not approve it.
        RegistryError: there is no such version.
    """
    name, selector = parse_spec(spec)
    with at_desk(settings, name, who, why) as desk:
        version = find(desk.client, name, selector)
        if version.approval.decision != "approved":
            desk.approve(version)
        if promote:
            desk.promote(find(desk.client, name, version.version))
        standing = "champion" if desk.aliases.get("champion") == version.version else "approved"
        return desk.change(f"{version.spec} is {'' if desk.events else 'already '}{standing}")


def reject(settings: Settings, spec: str, *, who: str, why: str = "") -> Change:
    """Reject a version in a person's name: it cannot be promoted or packaged until somebody approves it.

    Raises:
        RegistryError: there is no such version, or it is champion or previous.
    """
    name, selector = parse_spec(spec)
    with at_desk(settings, name, who, why) as desk:
        version = find(desk.client, name, selector)
        if version.approval.decision != "rejected":
            desk.reject(version)
        return desk.change(f"{version.spec} is {'' if desk.events else 'already '}rejected")


def promote(settings: Settings, spec: str, *, who: str, why: str = "") -> Change:
    """Make an approved version champion; the champion becomes previous.

    Raises:
        NotApprovedError: the gate or a person did not approve it.
        IntegrityError: its verdict is not the one that its evaluation and gate give.
        RegistryError: there is no such version.
    """
    name, selector = parse_spec(spec)
    with at_desk(settings, name, who, why) as desk:
        version = find(desk.client, name, selector)
        desk.promote(version)
        if not desk.events:
            return desk.change(f"{version.spec} is champion already")
        return desk.change(_standing(desk, f"{version.spec} is champion"))


def rollback(settings: Settings, name: str, *, who: str, why: str = "") -> Change:
    """Make the previous champion champion again; done twice, it undoes itself.

    A rollback that a crash cut short is completed, not done a second time.

    Raises:
        NotApprovedError: the previous champion was rejected since.
        RegistryError: there is no previous champion.
    """
    with at_desk(settings, name, who, why) as desk:
        if not (desk.completed and desk.completed.action == "rollback"):
            desk.roll_back()
        return desk.change(_standing(desk, f"{name}@{desk.aliases['champion']} is champion again"))


def history(settings: Settings, name: str) -> History:
    """A model's promotion log.

    Raises:
        RegistryError: no such model is registered.
    """
    with connect(settings) as client:
        aliases = aliases_of(client, name)
        events = promotion_log.read(client, name)
    known = {alias: aliases[alias] for alias in ALIASES if alias in aliases}
    return History(model=name, events=events, warnings=promotion_log.audit(events, aliases), **known)


def _standing(desk: Desk, words: str) -> str:
    previous = desk.aliases.get("previous")
    return (
        f"{words}; {desk.model}@{previous} is previous" if previous else f"{words}; there is no previous one"
    )
