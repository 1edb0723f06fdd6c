"""`finml ab` and `finml monitoring`: what became of predictions."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, print_json, print_whole

if TYPE_CHECKING:
    from finml.monitoring.report import Difference, Report, VariantFigures

ab_app = typer.Typer(
    help="A/B tests: compare two versions by what became of their answers.", no_args_is_help=True
)
monitoring_app = typer.Typer(help="The inference log.", no_args_is_help=True)

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", formats=FORMATS, help="First moment of the predictions, UTC without an offset."),
]
UntilOption = Annotated[
    datetime | None, typer.Option("--until", formats=FORMATS, help="First moment that is left out.")
]


@ab_app.callback()
def ab() -> None:
    """Keep `report` a command of its own; a group of one would be that one."""


@ab_app.command("report")
def report_(  # noqa: PLR0917 - options of a command
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="A model of the catalogue.")],
    since: SinceOption = None,
    until: UntilOption = None,
    against: Annotated[
        str, typer.Option("--variant", help="What is compared with the champion: challenger or previous.")
    ] = "challenger",
    share: Annotated[
        float | None,
        typer.Option(
            "--share", help="Share of users it was to get, 0 to 1. By default that of the routing file."
        ),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", min=1e-6, help="Smallest difference of losses that matters.")
    ] = 0.01,
    as_json: JsonOption = False,
) -> None:
    """Say whether a challenger is better than the champion. Valid at any look."""
    from finml.monitoring.ab import report
    from finml.settings import get_settings

    found = report(get_settings(), model, since, until, other=against, share=share, margin=margin)
    if as_json:
        print_json(found)
    else:
        show(found)


@monitoring_app.callback()
def monitoring() -> None:
    """Keep `compact` a command of its own; a group of one would be that one."""


@monitoring_app.command()
def compact(as_json: JsonOption = False) -> None:
    """Merge the inference log's small files into one a day. Services may go on writing."""
    from finml.monitoring.compaction import compact as merge
    from finml.settings import get_settings

    done = merge(get_settings())
    if as_json:
        print_json({"before": done.before, "after": done.after})
    else:
        console.print(f"{done.before} files became {done.after}")


def show(found: "Report") -> None:
    """Print a report on one screen."""
    if not found.variants:
        console.print(f"No prediction of {found.model} is logged in this period.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(found.model)
    for variant in found.variants:
        shadow = " (shadow)" if variant.shadow else ""
        table.add_column(f"{variant.variant}{shadow}\n{variant.version}", justify="right")
    lines = [dict(figures(variant, found.loss)) for variant in found.variants]
    for name in dict.fromkeys(name for line in lines for name in line):
        table.add_row(name, *(line.get(name, "") for line in lines))
    print_whole(table)
    for title, difference in (("split", found.split), ("shadow", found.shadow)):
        if difference:
            console.print(f"\n{title}: {said(difference)}")
    if not (found.split or found.shadow):
        console.print("\nNothing to compare yet: outcomes of both variants are needed (POST /feedback).")
    if ratio := found.sample_ratio:
        verdict = "MISMATCH, trust no comparison before it is explained" if ratio.mismatch else "as declared"
        console.print(
            f"users: {ratio.observed:.1%} of {ratio.declared:.1%} declared, p {ratio.p:.3g}: {verdict}"
        )
    for note in found.notes:
        console.print(f"note: {note}")


def figures(variant: "VariantFigures", loss: str) -> list[tuple[str, str]]:
    """The lines of one variant, by name."""
    lines = [
        ("answers", f"{variant.n:,}"),
        ("users", f"{variant.users:,}"),
        ("with outcome", f"{variant.with_outcome:.1%}"),
        ("failed", f"{variant.error_rate:.2%}"),
        ("latency p50 / p95 ms", f"{variant.latency_p50_ms:.1f} / {variant.latency_p95_ms:.1f}"),
    ]
    if variant.loss is not None:
        lines.append((loss, f"{variant.loss:.4f} [{variant.loss_low:.4f}, {variant.loss_high:.4f}]"))
    if variant.auc is not None:
        lines.append(("AUC", f"{variant.auc:.3f}"))
    lines += [
        (name, f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]") for name, one in variant.shares.items()
    ]
    return lines


def said(difference: "Difference") -> str:
    """A difference in one paragraph."""
    return (
        f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}], "
        f"p {difference.p:.3g} at any look, {difference.users:,} users. {difference.sentence}"
    )
