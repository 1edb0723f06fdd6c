"""`finml doctor`: what is missing on this machine, and what to do about it."""

from typing import Annotated

import typer

from finml.doctor import Diagnosis
from finml.settings import get_settings
from pipelines.cli.output import console, print_json

MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failed": "[red]failed[/]"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check Python, packages, model weights, folders and each configured server."""
    from finml.doctor import diagnose

    diagnosis = diagnose(get_settings())
    if as_json:
        print_json(diagnosis)
    else:
        show(diagnosis)
    if not diagnosis.healthy:
        raise typer.Exit(1)


def show(diagnosis: Diagnosis) -> None:
    """Print a line a check, and below it what to do."""
    for check in diagnosis.checks:
        console.print(f"{MARKS[check.state]:>16}  {check.name}: {check.found}", highlight=False)
        if check.advice:
            console.print(f"         → {check.advice}", highlight=False)
    console.print(
        "Next: make run" if diagnosis.healthy else "Mend what failed, then run `finml doctor` again."
    )
