"""One model's aliases and their log, while one process may change them."""

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
from finml.registry.versions import ALIASES, APPROVAL_TAG, Approval, Version, aliases_of, find
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
    challenger: int | None = None
    events: list[Event] = []


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

    def challenge(self, version: Version) -> None:
        """Make an approved version the one that is released beside the champion."""
        check_approval(version)
        check_verdict(self.client, version)
        champion = self.aliases.get("champion")
        if champion in (None, version.version):
            raise RegistryError(
                f"{version.spec} is champion" if champion else f"{self.model} has no champion to challenge",
                hint=f"choose one of `finml models list {self.model}`"
                if champion
                else "promote a version first",
            )
        self._write("challenge", version.version, to=champion, previous=self.aliases.get("previous"))

    def withdraw(self) -> None:
        """Let the challenger be none any more."""
        champion, previous = self.aliases.get("champion"), self.aliases.get("previous")
        self._write("withdraw", self.aliases["challenger"], to=champion, previous=previous)

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
        for alias in ("candidate", "challenger"):
            if self.aliases.get(alias) == settled:
                wanted[alias] = None
        if event.action in ("challenge", "withdraw"):
            wanted["challenger"] = event.version if event.action == "challenge" else None
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
