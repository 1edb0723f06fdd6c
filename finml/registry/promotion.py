"""Who is champion: approve, reject, promote, roll back; each is written to the log before it happens.

Who challenges the champion is decided in `challenge`, by the same log.
"""

from pydantic import BaseModel

from finml.registry import promotion_log
from finml.registry.client import connect
from finml.registry.desk import Change, Desk, at_desk
from finml.registry.promotion_log import Event
from finml.registry.versions import ALIASES, aliases_of, find, parse_spec
from finml.settings import Settings


class History(BaseModel):
    """A model's promotion log, oldest first, and what in it does not fit together."""

    model: str
    champion: int | None = None
    previous: int | None = None
    candidate: int | None = None
    challenger: int | None = None
    events: list[Event] = []
    warnings: list[str] = []


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
