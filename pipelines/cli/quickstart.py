"""`finml quickstart`: everything once, from a synthetic bank to an answered request."""

import json
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, print_json

if TYPE_CHECKING:
    from finml.settings import Settings

MODEL = "credit_risk"
REQUEST_TIMEOUT_S = 30
LOAN = {
    "loan_kind": "personal",
    "loan_amount": 250_000.0,
    "term_months": 24,
    "annual_rate": 0.14,
    "installment": 12_003.0,
}


def quickstart(
    users: Annotated[int, typer.Option("--users", min=200, help="Customers of the synthetic bank.")] = 2000,
    months: Annotated[int, typer.Option("--months", min=6, help="Months of history.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Do everything once, from a synthetic bank to an answer.

    Makes a bank, trains and registers credit_risk, packages and serves it, and gets one request answered.
    A ledger that is there already is kept, and only what is new in it is taken. Ends with 1 where the gate
    rejects the model.
    """
    from bentos.server import running
    from finml.settings import get_settings
    from pipelines.cli.run import run_with_progress, show

    began = time.monotonic()
    settings = get_settings()
    make_bank(settings, users, months)
    results = []
    for pipeline, arguments in (
        ("training", {"model": MODEL}),
        ("release", {"models": [MODEL], "image": False}),
    ):
        results.append(run_with_progress(pipeline, arguments, settings))
        if results[-1].state != "succeeded":
            print_json(results[-1]) if as_json else show(results[-1])
            raise typer.Exit(1)
    say("serving the Bento\n")
    with running(settings) as url:
        request = {"inputs": [{"user_id": some_user(settings), **LOAN}]}
        answer = post(f"{url}/predict/{MODEL}", request)
    document = {
        "seconds": round(time.monotonic() - began, 1),
        "version": results[0].outputs["version"],
        "metrics": results[0].outputs["metrics"],
        "report": results[0].outputs["report_page"],
        "bento": results[1].outputs["bento"],
        "request": request,
        "answer": answer,
    }
    if as_json:
        print_json(document)
    else:
        conclude(document)


def make_bank(settings: "Settings", users: int, months: int) -> None:
    """Write a synthetic bank into the ledger, unless there is a ledger already."""
    from finml.ledger.synthetic import generate
    from finml.ledger.writer import open_writer
    from finml.urls import public_url

    if has_tables(settings.ledger):
        say(f"the ledger {public_url(settings.ledger)} is there already and is kept\n")
        return
    say(f"synthetic bank of {users:,} users over {months} months\n")
    with open_writer(settings.ledger, origin="synthetic") as writer:
        # to the day before, so that the features of the answer are fresh
        end = datetime.now(UTC).date() - timedelta(days=1)
        generate(writer, users=users, months=months, seed=settings.seed, end=end)
    say(f"  {sum(writer.rows.values()):,} rows in {public_url(settings.ledger)}\n")


def has_tables(ledger: str) -> bool:
    """Whether there is a ledger at that URL."""
    from finml.errors import SourceError
    from finml.ledger.source import open_source

    try:
        with open_source(ledger) as source:
            return bool(source.tables())
    except SourceError:
        return False


def some_user(settings: "Settings") -> str:
    """A user of the ledger."""
    from finml.ledger.warehouse import open_warehouse

    with open_warehouse(settings.workspace, read_only=True) as warehouse:
        return str(warehouse.execute("SELECT min(user_id) FROM users").fetchall()[0][0])


def post(url: str, document: dict[str, Any]) -> Any:  # noqa: ANN401  # an answer is whatever JSON holds
    """Send a JSON document and return the answer's."""
    request = urllib.request.Request(  # noqa: S310  # http, to a server of ours
        url, json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as answer:  # noqa: S310  # the same
        return json.load(answer)


def conclude(document: dict[str, Any]) -> None:
    """Show the request and its answer, and what to do next."""
    metrics = document["metrics"]
    lines = [
        "",
        f"POST /predict/{MODEL}",
        json.dumps(document["request"], indent=2),
        "answered",
        json.dumps(document["answer"], indent=2),
        "",
        f"{document['version']} is champion: held-out AUC {metrics['auc']:.3f}, "
        f"calibration error {metrics['ece']:.3f}, {metrics['n']:.0f} rows.",
        f"Report: {document['report']}",
        f"Everything took {document['seconds']:.0f} s.",
        "",
        "Next (after `. .venv/bin/activate`):",
        "  finml serve                         serve it on http://127.0.0.1:3000, with /docs",
        "  finml models trace credit_risk      where the champion comes from",
        "  finml features verify               online features equal the offline ones",
        "  finml data import taiwan DIR --ledger LEDGER    real data, beside the synthetic bank",
        "  make bench                          a load test with a verdict",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False)


def say(words: str) -> None:
    """Tell how far the work is, on standard error."""
    sys.stderr.write(words)
    sys.stderr.flush()
