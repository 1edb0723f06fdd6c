"""`finml quickstart`: everything once, from a synthetic bank to an answered request."""

import json
import random
import sys
import time
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.options import JsonOption, ModelOption
from pipelines.cli.output import console, print_json

if TYPE_CHECKING:
    from finml.settings import Settings

REQUEST_TIMEOUT_S = 30
# of an answer on the screen; `--json` prints all of it
SHOWN_CHARACTERS = 900


def quickstart(
    users: Annotated[int, typer.Option("--users", min=200, help="Customers of the synthetic bank.")] = 2000,
    months: Annotated[int, typer.Option("--months", min=6, help="Months of history.")] = 24,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do everything once, from a synthetic bank to an answer of each model.

    Makes a bank, trains and registers every model or those named, packages and serves them, and gets one
    request of each answered. A ledger that is there already is kept, and only what is new in it is taken.
    Ends with 1 where a gate rejects a model.
    """
    from finml.models.base import get_model, model_names
    from finml.settings import get_settings
    from pipelines.cli.run import run_with_progress, show

    began = time.monotonic()
    settings = get_settings()
    names = [get_model(name).name for name in model or model_names()]
    make_bank(settings, users, months)
    trained = {name: run_with_progress("training", {"model": name}, settings) for name in names}
    refused = [result for result in trained.values() if result.state != "succeeded"]
    released = None if refused else run_with_progress("release", {"models": names, "image": False}, settings)
    if released is None or released.state != "succeeded":
        failed = [*refused, *filter(None, [released])]
        if as_json:
            print_json({"runs": failed})
        else:
            for result in failed:
                show(result)
        raise typer.Exit(1)
    answers = ask(settings, names)
    document = {
        "seconds": round(time.monotonic() - began, 1),
        "bento": released.outputs["bento"],
        "models": {
            name: {
                "version": result.outputs["version"],
                "metrics": result.outputs["metrics"],
                "gate": result.outputs["verdict"]["checks"],
                "report": result.outputs["report_page"],
                **answers[name],
            }
            for name, result in trained.items()
        },
    }
    if as_json:
        print_json(document)
    else:
        conclude(document)


def ask(settings: "Settings", names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Serve the newest Bento and get one request of each model answered: `request` and `answer` by model."""
    from bentos.server import running
    from finml.access.temporary import temporary_key
    from finml.models.base import get_model

    say("serving the Bento\n")
    # no secret: the same request every time
    rng = random.Random(settings.seed)  # noqa: S311  # nosec B311  # nothing secret
    users = [some_user(settings)]
    exchanged = {}
    with temporary_key(settings, "quick start") as key, running(settings) as url:
        for name in names:
            request = {"inputs": [get_model(name).example(rng, users)]}
            exchanged[name] = {"request": request, "answer": post(f"{url}/predict/{name}", request, key)}
    return exchanged


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


def post(url: str, document: dict[str, Any], key: str) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Send a JSON document and return the answer's."""
    headers = {"Content-Type": "application/json", **({"X-API-Key": key} if key else {})}
    request = urllib.request.Request(  # noqa: S310  # http, to a server of ours
        url, json.dumps(document).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as answer:  # noqa: S310  # nosec B310  # the same
        return json.load(answer)


def conclude(document: dict[str, Any]) -> None:
    """Show each model's request and answer, and what to do next."""
    for name, model in document["models"].items():
        answer = json.dumps(model["answer"], ensure_ascii=False, indent=1)
        more = "" if len(answer) <= SHOWN_CHARACTERS else " …"
        passed = ", ".join(figure(check) for check in model["gate"] if check["value"] is not None)
        for line in (
            f"\nPOST /predict/{name}",
            json.dumps(model["request"], ensure_ascii=False),
            "answered",
            answer[:SHOWN_CHARACTERS] + more,
            f"{model['version']} is champion. Its gate saw {passed}.",
            f"Report: {model['report']}",
        ):
            console.print(line, markup=False, highlight=False)
    lines = [
        "",
        f"Everything took {document['seconds']:.0f} s.",
        "",
        "Next (after `. .venv/bin/activate`):",
        "  finml keys create me --scope '*:*'  a key to call with, shown once",
        "  finml serve                         serve them on http://127.0.0.1:3000, with /docs",
        "  finml models list                   versions, champions, what waits for approval",
        "  finml models trace credit_risk      where a champion comes from",
        "  finml run training --model intent --data FILE     train on data of your own",
        "  make bench                          a load test with a verdict",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False)


def figure(check: dict[str, Any]) -> str:
    """A figure that the gate saw."""
    return f"{check['name']} {check['value']:.4g}"


def say(words: str) -> None:
    """Tell how far the work is, on standard error."""
    sys.stderr.write(words)
    sys.stderr.flush()
