"""What the command line does to the routing: set a rule, take it back."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from finml.errors import RoutingError, UsageError
from finml.routing import file
from finml.routing.file import Held
from finml.routing.rules import CHAMPION, Canary, Limits, Routing, Rule, Step

Target = Literal["champion", "previous"]

RECENT = timedelta(minutes=10)
"""For so long after a canary's end by itself, a rollback that does not say how far is taken to mean it."""


class RouteChange(BaseModel):
    """What a command did to a model's routing, with both rules in words."""

    model: str
    words: str
    changed: bool
    before: str
    after: str


def set_rule(path: Path, held: Held, model: str, rule: Rule, *, who: str, why: str = "") -> RouteChange:
    """Route a model by another rule from now on.

    Args:
        path: the routing file.
        held: what the Bento that is served holds.
        model: the model.
        rule: the rule.
        who: who answers for it, for the history.
        why: the reason.

    Raises:
        RoutingError: the Bento cannot do that, or the file cannot be changed.
    """
    return _change(path, held, model, lambda _: rule, action="set", who=who, why=why)


def roll_back(
    path: Path,
    held: Held,
    model: str,
    *,
    who: str,
    why: str = "",
    to: Target | None = None,
    now: datetime | None = None,
) -> RouteChange:
    """Take a model back to safety: to the champion where others have a share, else to the previous champion.

    Args:
        path: the routing file.
        held: what the Bento that is served holds.
        model: the model.
        who: who answers for it, for the history.
        why: the reason.
        to: where to; by default one back.
        now: the present, with a time zone; by default the clock's.

    Raises:
        RoutingError: as for `set_rule`; and where `to` does not say how far, but nothing would change or not
            what was meant: the previous champion answers everybody already, so nothing is further back; or a
            canary has just ended by itself, and whoever was about to end it would go one too far.
    """
    present = now or datetime.now(UTC)

    def safer(rule: Rule) -> Rule:
        if rule.to is None and to != "previous":
            return CHAMPION
        if rule.to is not None and rule.to == to:
            return rule
        note = rule.rolled_back
        if note and to is None and abs(present - note.at) <= RECENT:
            further = f"to go on to the previous champion: `finml route rollback {model} --to previous`"
            if "previous" not in held.get(model, ()):
                further = f"the champion answers everybody, and the Bento holds no previous of {model}"
            raise RoutingError(
                f"nothing was changed: the canary of {model} has just ended by itself, "
                f"at {note.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {note.reason}",
                hint=further,
            )
        if rule.to == "previous":
            raise RoutingError(
                f"everybody is answered by the previous champion of {model} already",
                hint=f"`finml route set {model} champion` ends the rollback",
            )
        return Rule(to="previous")

    return _change(path, held, model, safer, action="rollback", who=who, why=why)


def canary(
    steps: Sequence[str], limits: dict[str, float | None], min_requests: int, started_at: datetime
) -> Rule:
    """A canary of steps that are written `PERCENT:MINUTES`.

    Raises:
        UsageError: a step is not of that form, or the canary breaks the contract.
    """
    parsed = []
    for step in steps:
        percent, _, minutes = step.partition(":")
        try:
            parsed.append(Step(percent=float(percent), minutes=float(minutes)))
        except ValueError as error:
            raise UsageError(
                f"{step!r} is no step of a canary",
                hint="write PERCENT:MINUTES, as in --steps 5:10,25:10,50:30, with percents up to 100",
            ) from error
    try:
        return Rule(
            canary=Canary(
                steps=tuple(parsed), limits=Limits(**limits), min_requests=min_requests, started_at=started_at
            )
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise UsageError(
            f"this is no canary: {where}{first['msg']}", hint="see `finml route set --help`"
        ) from error


def _change(
    path: Path, held: Held, model: str, new_rule: Callable[[Rule], Rule], *, action: str, who: str, why: str
) -> RouteChange:
    before = after = CHAMPION

    def changed(routing: Routing) -> Routing | None:
        nonlocal before, after
        before = routing.rule(model)
        after = new_rule(before)
        # what is not named is answered by its champion; so does what the Bento does not hold leave the file
        to_champion = after == CHAMPION and (model in held or model in routing.models)
        wanted = routing.without(model) if to_champion else routing.with_rule(model, after)
        misfit = file.misfits(wanted, held).get(model)
        if misfit:
            raise RoutingError(misfit, hint="`finml route show` says what the newest Bento holds")
        return wanted

    done = file.change(path, changed, {"action": action, "by": who, "why": why})
    words = f"{model}: {after.words}" + (f" (before: {before.words})" if done else " already")
    return RouteChange(
        model=model, words=words, changed=done is not None, before=before.words, after=after.words
    )
