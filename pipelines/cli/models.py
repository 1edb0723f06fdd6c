"""`finml models`: what is registered, who is champion, and how it came about."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, print_json, print_whole

if TYPE_CHECKING:
    from finml.registry.comparison import Comparison, Detail, Figure
    from finml.registry.desk import Change
    from finml.registry.gate import Verdict
    from finml.registry.lineage import Trace
    from finml.registry.promotion import History
    from finml.registry.promotion_log import Event
    from finml.registry.versions import ModelEntry

models_app = typer.Typer(
    help="Registered models: compare, approve, promote, roll back, trace.",
    epilog="A VERSION is NAME@NUMBER, NAME@candidate, NAME@challenger, NAME@champion or NAME@previous; "
    "NAME is its champion.",
    no_args_is_help=True,
)

VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="As in credit_risk@7.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As in credit_risk.")]
WhoOption = Annotated[
    str, typer.Option("--who", help="Who answers for it. By default the user of this machine.")
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the log.")]
TIME = "%Y-%m-%d %H:%M:%S"


@models_app.command("list")
def list_(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One model only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the registered models and their versions."""
    from finml.registry.versions import list_models
    from finml.settings import get_settings

    models = list_models(get_settings(), name)
    if as_json:
        print_json({"models": models})
    elif not models:
        console.print("No model is registered yet. Train one: finml run training --model credit_risk")
    for model in [] if as_json else models:
        print_model(model)


@models_app.command()
def show(spec: VersionArgument, as_json: JsonOption = False) -> None:
    """Show a version's figures, its fairness table and the verdict of the gate."""
    from finml.registry.comparison import show as detail_of
    from finml.settings import get_settings

    detail = detail_of(get_settings(), spec)
    if as_json:
        print_json(detail)
    else:
        print_detail(detail)


@models_app.command()
def compare(left: VersionArgument, right: VersionArgument, as_json: JsonOption = False) -> None:
    """Put the figures of two versions side by side."""
    from finml.registry.comparison import compare as compare_versions
    from finml.settings import get_settings

    comparison = compare_versions(get_settings(), left, right)
    if as_json:
        print_json(comparison)
    else:
        print_comparison(comparison)


@models_app.command()
def approve(
    spec: VersionArgument,
    who: WhoOption = "",
    why: WhyOption = "",
    promote: Annotated[bool, typer.Option("--promote/--no-promote", help="Make it champion as well.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Approve a candidate whose gate asks for a person, and make it champion."""
    from finml.registry.promotion import approve as approve_version
    from finml.settings import get_settings

    answer(approve_version(get_settings(), spec, who=who or user(), why=why, promote=promote), as_json)


@models_app.command()
def reject(
    spec: VersionArgument, who: WhoOption = "", why: WhyOption = "", as_json: JsonOption = False
) -> None:
    """Reject a version: it can be neither promoted nor packaged."""
    from finml.registry.promotion import reject as reject_version
    from finml.settings import get_settings

    answer(reject_version(get_settings(), spec, who=who or user(), why=why), as_json)


@models_app.command()
def promote(
    spec: VersionArgument, who: WhoOption = "", why: WhyOption = "", as_json: JsonOption = False
) -> None:
    """Make an approved version champion; the champion becomes previous."""
    from finml.registry.promotion import promote as promote_version
    from finml.settings import get_settings

    answer(promote_version(get_settings(), spec, who=who or user(), why=why), as_json)


@models_app.command()
def challenge(
    spec: VersionArgument, who: WhoOption = "", why: WhyOption = "", as_json: JsonOption = False
) -> None:
    """Release an approved version beside the champion, to be compared with it on real traffic."""
    from finml.registry.challenge import challenge as challenge_with
    from finml.settings import get_settings

    answer(challenge_with(get_settings(), spec, who=who or user(), why=why), as_json)


@models_app.command()
def withdraw(
    name: NameArgument, who: WhoOption = "", why: WhyOption = "", as_json: JsonOption = False
) -> None:
    """Release no challenger any more."""
    from finml.registry.challenge import withdraw as withdraw_challenger
    from finml.settings import get_settings

    answer(withdraw_challenger(get_settings(), name, who=who or user(), why=why), as_json)


@models_app.command()
def rollback(
    name: NameArgument, who: WhoOption = "", why: WhyOption = "", as_json: JsonOption = False
) -> None:
    """Make the previous champion champion again, and say what that did."""
    from finml.registry.promotion import rollback as roll_back
    from finml.settings import get_settings

    answer(roll_back(get_settings(), name, who=who or user(), why=why), as_json)


@models_app.command()
def history(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show who was made champion when, by whom and why."""
    from finml.registry.promotion import history as history_of
    from finml.settings import get_settings

    events = history_of(get_settings(), name)
    if as_json:
        print_json(events)
    else:
        print_history(events)


@models_app.command()
def trace(spec: VersionArgument, as_json: JsonOption = False) -> None:
    """Trace a version back to its run, data, features and commit."""
    from finml.registry.lineage import trace as trace_version
    from finml.settings import get_settings

    line = trace_version(get_settings(), spec)
    if as_json:
        print_json(line)
    else:
        print_trace(line)


def user() -> str:
    """Name of the user of this machine, for the log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry for this user id, as in many containers
        return "unknown"


def answer(change: "Change", as_json: bool) -> None:
    """Say what a command did."""
    if as_json:
        print_json(change)
    else:
        console.print(escape(f"{change.words}."), highlight=False)


def print_model(model: "ModelEntry") -> None:
    """Print a model's versions, newest first."""
    table = Table(title=model.name, title_justify="left")
    for column in ("version", "aliases", "approval", "by", "registered (UTC)", "data", "commit"):
        table.add_column(column)
    for version in model.versions:
        cells = (
            str(version.version),
            ", ".join(version.aliases),
            version.approval.decision,
            version.approval.who,
            version.created_at.strftime(TIME),
            version.data_hash[:10],
            version.git_commit[:10],
        )
        table.add_row(*map(escape, cells))
    print_whole(table)


def print_detail(detail: "Detail") -> None:
    """Print a version's figures, fairness table and verdict."""
    version = detail.version
    console.print(f"[bold]{version.spec}[/] {escape(' '.join(version.aliases))}", highlight=False)
    approval = version.approval
    who = f" by {approval.who}" if approval.who else ""
    why = f": {approval.why}" if approval.why else ""
    console.print(escape(f"{approval.decision}{who}{why}"), highlight=False)
    figures = Table(title="held-out figures", title_justify="left")
    figures.add_column("figure")
    figures.add_column("value and 95 % interval")
    for name, figure in detail.figures.items():
        figures.add_row(escape(name), written(figure))
    print_whole(figures)
    if detail.groups:
        groups = Table(title="fairness", title_justify="left")
        for column in ("attribute", "group", "n", "selected", "false negatives", "false positives", "impact"):
            groups.add_column(column)
        for row in detail.groups:
            rates = (
                row.selection_rate,
                row.false_negative_rate,
                row.false_positive_rate,
                row.disparate_impact,
            )
            groups.add_row(escape(row.attribute), escape(row.group), str(row.n), *map(rate, rates))
        print_whole(groups)
    print_verdict(detail.verdict)


def print_verdict(verdict: "Verdict") -> None:
    """Print a line a check."""
    table = Table(title=f"gate: {'approved' if verdict.approved else 'rejected'}", title_justify="left")
    table.add_column("result")
    table.add_column("finding")
    for check in verdict.checks:
        result = "skipped" if check.skipped else "[green]passed[/]" if check.passed else "[red]failed[/]"
        table.add_row(result, escape(check.words))
    print_whole(table)


def print_comparison(comparison: "Comparison") -> None:
    """Print two versions side by side, and whether their figures can be compared."""
    table = Table()
    for column in ("figure", comparison.left.spec, comparison.right.spec, "difference"):
        table.add_column(column)
    for row in comparison.rows:
        delta = "" if row.delta is None else f"{row.delta:+.4g}"
        table.add_row(escape(row.metric), written(row.left), written(row.right), delta)
    print_whole(table)
    if not comparison.same_data:
        console.print(
            "[yellow]The two were measured on different rows: the differences are no verdict.[/]",
            highlight=False,
        )


def print_history(events: "History") -> None:
    """Print the promotion log, and what in it does not fit together."""
    table = Table(title=f"{events.model}: promotion log", title_justify="left")
    for column in ("when (UTC)", "who", "what", "champion", "why"):
        table.add_column(column)
    for event in events.events:
        cells = (event.at.strftime(TIME), event.who, what(event), moved(event), event.why)
        table.add_row(*map(escape, cells))
    print_whole(table)
    for warning in events.warnings:
        console.print(f"[yellow]{escape(warning)}[/]", highlight=False)


def print_trace(line: "Trace") -> None:
    """Print a version's line of descent as a tree."""
    version, run = line.version, line.run
    dirty = " with changes that no commit holds" if version.git_dirty else ""
    source = f"file {version.data_file}" if version.data_file else f"ledger {version.ledger_id}"
    service = f"{version.feature_service} {version.feature_service_version}".strip()
    tree = Tree(escape(f"{version.spec}  {' '.join(version.aliases)}".rstrip()))
    for label, text in (
        ("MLflow run", f"{run.run_id}, {run.status.lower()}, {run.started_at.strftime(TIME)} UTC"),
        ("pipeline run", version.pipeline_run),
        ("data", f"{version.data_hash} of {source}"),
        ("feature service", service),
        ("git commit", f"{version.git_commit}{dirty}" if version.git_commit else ""),
        ("seed", "" if version.seed is None else str(version.seed)),
        ("Python", version.python),
        ("manifest", version.manifest_sha256),
        ("gate", line.verdict.summary),
        ("approval", f"{version.approval.decision} {version.approval.who}".strip()),
    ):
        tree.add(f"{label}: {escape(text) if text else 'none'}")
    promotions = tree.add("promotions" if line.promotions else "promotions: none")
    for event in line.promotions:
        why = f": {event.why}" if event.why else ""
        promotions.add(
            escape(f"{event.at.strftime(TIME)} {event.who}, {what(event)}, champion {moved(event)}{why}")
        )
    print_whole(tree)


def what(event: "Event") -> str:
    """The action of an event in words."""
    unfinished = "" if event.finished else " (cut short)"
    return f"{event.action} {event.model}@{event.version}{unfinished}"


def moved(event: "Event") -> str:
    """How an event moved the champion."""
    before, after = event.from_version or "none", event.to_version or "none"
    return f"{after}" if before == after else f"{before} → {after}"


def written(figure: "Figure | None") -> str:
    """A figure with its interval, or nothing."""
    if figure is None or figure.value is None:
        return ""
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4g}"
    return f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"


def rate(value: float | None) -> str:
    """A share with three digits, or nothing."""
    return "" if value is None else f"{value:.3f}"
