"""The command line put together, and the one place where errors become words and exit codes."""

import contextlib
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from finml import __version__
from finml.errors import FinmlError
from pipelines.cli.ab import ab_app, monitoring_app
from pipelines.cli.audit import audit_app
from pipelines.cli.data import data_app
from pipelines.cli.evaluate import evaluate
from pipelines.cli.features import features_app
from pipelines.cli.intent import intent_app
from pipelines.cli.keys import keys_app
from pipelines.cli.kubeflow import compile_, submit
from pipelines.cli.loadtest import loadtest, loadtest_worker
from pipelines.cli.models import models_app, trace
from pipelines.cli.output import answers_only, messages, print_json
from pipelines.cli.quickstart import quickstart
from pipelines.cli.route import route_app
from pipelines.cli.run import run
from pipelines.cli.serve import serve

app = typer.Typer(
    name="finml",
    help="The machine-learning platform of a personal-finance product, from the ledger to the served model.",
    epilog="Exit codes: 0 done; 1 the thing itself failed or was rejected; 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # rich would draw boxes around the help, and take twice as long to show it
    rich_markup_mode=None,
)


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        typer.echo(f"finml {__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    _: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Set up logging before any command."""
    from finml.logs import configure_logging
    from finml.settings import get_settings

    settings = get_settings()
    if "log_level" not in settings.model_fields_set:
        # a command tells how far it is by itself; whoever wants the logs as well asks for them
        settings = settings.model_copy(update={"log_level": "WARNING"})
    configure_logging(settings)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check this machine and the settings, and say what to do.

    Looks at Python, packages, model weights, folders and each configured server.
    """
    from pipelines.cli.doctor import doctor as examine

    examine(as_json)


for command, name in (
    (quickstart, "quickstart"),
    (run, "run"),
    (evaluate, "evaluate"),
    (serve, "serve"),
    (loadtest, "loadtest"),
    (loadtest_worker, "loadtest-worker"),
    (compile_, "compile"),
    (submit, "submit"),
    (doctor, "doctor"),
    (trace, "trace"),
):
    app.command(name)(command)
app.add_typer(data_app, name="data")
app.add_typer(features_app, name="features")
app.add_typer(models_app, name="models")
app.add_typer(intent_app, name="intent")
app.add_typer(ab_app, name="ab")
app.add_typer(monitoring_app, name="monitoring")
app.add_typer(audit_app, name="audit")
app.add_typer(keys_app, name="keys")
app.add_typer(route_app, name="route")


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every error a user can cause ends here as a message, a hint and an exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    # Help and version are the answer, and typer prints them before any command starts.
    asks_for_help = not {"--help", "--version"}.isdisjoint(words)
    with contextlib.nullcontext() if asks_for_help else answers_only():
        try:
            code = app(args=words, prog_name="finml", standalone_mode=False)
        except FinmlError as error:
            return report(type(error).__name__, str(error), error.hint, error.exit_code, as_json)
        except typer.TyperException as error:
            error.show()
            return document("UsageError", error.format_message(), "", error.exit_code, as_json)
        except OSError as error:
            place = f" ({error.filename})" if error.filename else ""
            words = f"{error.strerror or error}{place}"
            return report(
                type(error).__name__, words, "check the path, its permissions and the disk", 1, as_json
            )
        except typer.Abort:
            return report("Interrupted", "stopped", "", 130, as_json)
        except Exception as error:
            # a fault of ours: whoever reports it needs the whole story
            messages.print_exception(show_locals=False)
            return document(type(error).__name__, str(error), "", 1, as_json)
    return code if isinstance(code, int) else 0


def report(kind: str, message: str, hint: str, code: int, as_json: bool) -> int:
    """Print an error for people, and for programs where asked."""
    messages.print(f"error: {message}", style="red")
    if hint:
        messages.print(f"try: {hint}")
    return document(kind, message, hint, code, as_json)


def document(kind: str, message: str, hint: str, code: int, as_json: bool) -> int:
    """Print an error as JSON where asked; return the exit code."""
    if as_json:
        print_json({"error": {"type": kind, "message": message, "hint": hint}})
    return code
