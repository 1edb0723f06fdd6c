"""`finml loadtest`: a scenario of load against the service, with a verdict; `loadtest-worker` helps send."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, messages, print_json

HostOption = Annotated[
    str | None,
    typer.Option("--host", metavar="URL", help="A running service. Without it the newest Bento is served."),
]
UsersOption = Annotated[
    Path | None,
    typer.Option(
        "--user-ids", metavar="FILE", help="User ids to ask about, one a line. By default the ledger's."
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        help="File with the API key of the running service. By default FINML_API_KEY.",
    ),
]
BudgetsOption = Annotated[
    Path | None,
    typer.Option(
        "--budgets", metavar="FILE", help="Other scenarios and budgets than loadtests/budgets.yaml."
    ),
]
PortOption = Annotated[
    int, typer.Option("--port", min=1, max=65535, help="Where sending processes find the load test.")
]
ProcessesOption = Annotated[
    int, typer.Option("--processes", min=1, help="Processes that send, on this machine.")
]


def loadtest(  # noqa: PLR0917  # typer hands options over by name
    scenario: Annotated[str, typer.Argument(help="smoke, steady, spike, soak, breakpoint, or one of yours.")],
    host: HostOption = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Workers of the Bento that is served here.")
    ] = 1,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write an HTML page with plots.")
    ] = None,
    as_json: JsonOption = False,
    processes: ProcessesOption = 1,
    expect_workers: Annotated[
        int,
        typer.Option(
            "--expect-workers",
            min=0,
            metavar="N",
            help="Let N processes send that are started elsewhere by `finml loadtest-worker`.",
        ),
    ] = 0,
    port: PortOption = 5557,
    user_ids: UsersOption = None,
    api_key_file: KeyOption = None,
    budgets: BudgetsOption = None,
) -> None:
    """Send a scenario's load and say whether the service kept its budget, and what broke first.

    Exit code 1 beyond the budget.
    """
    from finml.settings import get_settings
    from loadtests.report import write
    from loadtests.run import Options, run
    from loadtests.scenarios import BUDGETS

    options = Options(
        scenario=scenario,
        budgets=budgets or BUDGETS,
        host=host,
        workers=workers,
        user_ids=user_ids,
        key_file=api_key_file,
        processes=processes,
        expect_workers=expect_workers,
        port=port,
    )
    outcome = run(get_settings(), options)
    if as_json:
        print_json(outcome.verdict.document())
    else:
        console.print(outcome.verdict.to_text(), markup=False, highlight=False)
    if report:
        write(outcome, report)
        messages.print(f"report: {report}")
    if not outcome.verdict.passed:
        raise typer.Exit(1)


def loadtest_worker(
    master: Annotated[str, typer.Argument(help="Machine that runs `finml loadtest … --expect-workers N`.")],
    port: PortOption = 5557,
    processes: ProcessesOption = 1,
    api_key_file: KeyOption = None,
) -> None:
    """Send requests for a load test that runs on another machine, until it is over."""
    from loadtests.run import work

    work(master, port, api_key_file, processes)
