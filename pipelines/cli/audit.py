"""`finml audit`: prove that the log of decisions about people is as it was written, and look a request up."""

from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, messages, print_json

audit_app = typer.Typer(name="audit", help="Check the log of decisions about people.", no_args_is_help=True)


@audit_app.callback()
def audit() -> None:
    """Check the log of decisions about people."""


@audit_app.command()
def verify(
    since: Annotated[
        str,
        typer.Option("--since", metavar="HEAD", help="The head that an earlier check printed."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Check that no decision was edited, removed, moved or added, and that no file is missing.

    Ends with 1 where one was, and names the file and line.
    """
    from finml.audit import audit_folder, audit_secret
    from finml.audit import verify as check
    from finml.settings import get_settings

    settings = get_settings()
    report = check(audit_folder(settings), audit_secret(settings, make=False), expected_head=since)
    if as_json:
        print_json(asdict(report) | {"intact": not report.problems})
    else:
        for problem in report.problems:
            messages.print(f"broken: {problem.file}:{problem.line} {problem.message}", style="red")
        for warning in report.warnings:
            messages.print(f"note: {warning.file}:{warning.line} {warning.message}")
        found = "not as it was written" if report.problems else "intact"
        size = f"{report.decisions} decisions in {len(report.files)} files"
        console.print(f"audit log {found}: {size}; head {report.head}")
    if report.problems:
        raise typer.Exit(1)


@audit_app.command()
def show(
    request_id: Annotated[
        str,
        typer.Argument(
            metavar="REQUEST_ID", help="The answer's X-Request-ID; or the caller's own, its X-Correlation-ID."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Show what was decided for a request, by which version, and whether the entry is as it was written."""
    from finml.audit import audit_folder, audit_secret, find
    from finml.errors import AuditError
    from finml.settings import get_settings

    settings = get_settings()
    found = find(audit_folder(settings), audit_secret(settings, make=False), request_id)
    if not found:
        raise AuditError(
            f"the audit log has no decision of request {request_id}",
            hint="only models that decide about a person are logged there; compare the id and FINML_HOME",
        )
    if as_json:
        print_json(found)
    else:
        for entry in found:
            state = "as it was written" if entry["genuine"] else "NOT AS IT WAS WRITTEN"
            console.print(f"{entry['file']}:{entry['line']} {state}", markup=False)
            for name in [name for name in entry if name not in ("file", "line", "genuine")]:
                console.print(f"  {name}: {entry[name]}", markup=False)
    if not all(entry["genuine"] for entry in found):
        raise typer.Exit(1)
