"""`finml route`: which version of a model answers whom, changed without a new release."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from finml.errors import UsageError
from pipelines.cli.models import TIME, WhoOption, WhyOption, user
from pipelines.cli.options import JsonOption, parameters
from pipelines.cli.output import console, print_json, print_whole

if TYPE_CHECKING:
    from bentos.release import Release
    from finml.routing.changes import RouteChange
    from finml.routing.rules import Rule
    from finml.settings import Settings

route_app = typer.Typer(
    help="Which version of a model answers whom. Servers follow within two seconds.", no_args_is_help=True
)

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="As in credit_risk.")]


class Way(StrEnum):
    """The ways to route a model."""

    CHAMPION = "champion"
    PREVIOUS = "previous"
    SPLIT = "split"
    SHADOW = "shadow"
    CANARY = "canary"


class Target(StrEnum):
    """Where a model can be taken back to."""

    CHAMPION = "champion"
    PREVIOUS = "previous"


@route_app.command()
def show(as_json: JsonOption = False) -> None:
    """Show how each model of the newest Bento is routed."""
    from datetime import UTC, datetime

    from finml.routing import file
    from finml.settings import get_settings

    settings = get_settings()
    release, routing = newest_release(settings), file.read(settings.routing)
    held = {name: release.variants(name) for name in release.names}
    now, models = datetime.now(UTC), {}
    for name in sorted({*held, *routing.models}):
        rule = routing.rule(name)
        models[name] = {
            "rule": rule.words,
            "challenger_percent": rule.canary.percent_at(now) if rule.canary else None,
            "held": {alias: model.spec for alias, model in held.get(name, {}).items()},
            "rolled_back": rule.rolled_back,
        }
    found = {
        "file": str(settings.routing),
        "models": models,
        "refused": file.misfits(routing, held),
        "history": str(file.history_file(settings.routing)),
    }
    if as_json:
        print_json(found)
    else:
        print_routing(found)


@route_app.command("set")
def set_(
    *,
    model: ModelArgument,
    way: Annotated[Way, typer.Argument(help="How: to one version, or by one of the three ways to try one.")],
    challenger: Annotated[
        float, typer.Option("--challenger", min=0, max=100, metavar="PERCENT", help="With split: its share.")
    ] = 0,
    previous: Annotated[
        float, typer.Option("--previous", min=0, max=100, metavar="PERCENT", help="With split: its share.")
    ] = 0,
    steps: Annotated[
        str,
        typer.Option(
            "--steps",
            metavar="PERCENT:MINUTES,…",
            help="With canary: shares and for how long; the last stays.",
        ),
    ] = "",
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="NAME=VALUE",
            help="With canary: error_rate, latency_ratio, p95_ms, score_shift; `null`: none. Repeatable.",
        ),
    ] = None,
    min_requests: Annotated[
        int,
        typer.Option("--min-requests", min=20, metavar="N", help="With canary: answers before it is judged."),
    ] = 100,
    who: WhoOption = "",
    why: WhyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Route a model: champion, previous, split --challenger 10, shadow, canary --steps 5:10,25:10,50:30."""
    from finml.routing.changes import set_rule
    from finml.settings import get_settings

    shares = {"challenger": challenger, "previous": previous}
    rule = rule_of(way, shares, steps, parameters(limit or []), min_requests)
    settings = get_settings()
    change = set_rule(settings.routing, held_by(settings), model, rule, who=who or user(), why=why)
    answer(change, as_json)


@route_app.command()
def rollback(
    model: ModelArgument,
    to: Annotated[
        Target | None,
        typer.Option("--to", help="How far. By default from a trial to the champion, and from it one back."),
    ] = None,
    who: WhoOption = "",
    why: WhyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a model back: from any trial to the champion, from the champion to the previous one.

    Where nothing changes, it says why and its exit code is 1: `previous` answers everybody already; or a
    canary has ended by itself within the last 10 minutes, and whoever was about to end it would go one too
    far. --to goes on all the same; where it holds already, the exit code is 0.
    """
    from finml.routing.changes import roll_back
    from finml.settings import get_settings

    settings = get_settings()
    held, target = held_by(settings), to.value if to else None
    answer(roll_back(settings.routing, held, model, who=who or user(), why=why, to=target), as_json)


def rule_of(
    way: Way, shares: dict[str, float], steps: str, limits: dict[str, Any], min_requests: int
) -> "Rule":
    """The rule that the options say.

    Raises:
        UsageError: an option is missing, or belongs to another way.
    """
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from finml.routing.changes import canary
    from finml.routing.rules import Rule, Split

    if any(shares.values()) != (way is Way.SPLIT):
        raise UsageError(
            "a split needs shares, and nothing else has any",
            hint="finml route set MODEL split --challenger 10",
        )
    if bool(steps) != (way is Way.CANARY) or (limits and not steps):
        raise UsageError(
            "a canary needs steps, and nothing else has steps or limits",
            hint="finml route set MODEL canary --steps 5:10,25:10,50:30",
        )
    if way is Way.CANARY:
        return canary(steps.split(","), limits, min_requests, datetime.now(UTC).replace(microsecond=0))
    if way is Way.SPLIT:
        try:
            return Rule(split=Split(**shares))
        except ValidationError as error:
            raise UsageError(
                f"these are no shares: {error.errors()[0]['msg']}",
                hint="percents from 0 to 100, together at most 100: the champion has what is left",
            ) from error
    return Rule(shadow="challenger") if way is Way.SHADOW else Rule(to=way.value)


def newest_release(settings: "Settings") -> "Release":
    """What the Bento that was packaged last holds.

    Raises:
        ServeError: there is none.
    """
    from bentos.release import Release
    from bentos.server import newest_bento

    service, _, version = newest_bento(settings).partition(":")
    return Release.read(settings.bento_home / "bentos" / service / version / "src" / "serving")


def held_by(settings: "Settings") -> dict[str, list[str]]:
    """Variants that the newest Bento holds, by model."""
    release = newest_release(settings)
    return {name: list(release.variants(name)) for name in release.names}


def answer(change: "RouteChange", as_json: bool) -> None:
    """Say what a command did."""
    if as_json:
        print_json(change)
    else:
        console.print(escape(f"{change.words}."), highlight=False)


def print_routing(found: dict[str, Any]) -> None:
    """Print one line a model, then what stands in the way and what happened by itself."""
    table = Table()
    for column in ("model", "rule", "now", "champion", "challenger", "previous"):
        table.add_column(column)
    for name, model in found["models"].items():
        percent = model["challenger_percent"]
        now = "" if percent is None else f"{percent:g} % challenger"
        held = (model["held"].get(alias, "") for alias in ("champion", "challenger", "previous"))
        # the model is named at the left: its name four times over would not fit a terminal
        versions = (spec.rpartition("@")[2] for spec in held)
        table.add_row(*map(escape, (name, model["rule"], now, *versions)))
    print_whole(table)
    for reason in found["refused"].values():
        console.print(escape(f"refused: {reason}"), style="yellow", highlight=False)
    for name, model in found["models"].items():
        if note := model["rolled_back"]:
            words = f"{name} was rolled back at {note.at.strftime(TIME)} UTC: {note.reason}"
            console.print(escape(words), style="yellow", highlight=False)
    console.print(f"File: {found['file']}", markup=False, highlight=False)
