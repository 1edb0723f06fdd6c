"""`finml intent`: what only the model `intent` offers."""

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, messages, print_json

intent_app = typer.Typer(name="intent", help="Choose messages to label next.", no_args_is_help=True)
COLUMNS = ("text", "intent", "guess", "confidence", "out_of_scope", "uncertainty")


@intent_app.callback()
def intent() -> None:
    """Choose messages to label next."""


@intent_app.command()
def suggest(
    log: Annotated[
        Path,
        typer.Option(
            "--log",
            metavar="FILE",
            help="An inference log: .parquet, .jsonl or .csv, with a column text or with requests as JSON.",
            exists=True,
            dir_okay=False,
        ),
    ],
    number: Annotated[int, typer.Option("--n", min=1, metavar="N", help="Texts to choose.")] = 50,
    version: Annotated[
        str, typer.Option("--model", metavar="MODEL@VERSION", help="The version that is to learn from them.")
    ] = "intent@champion",
    as_json: JsonOption = False,
) -> None:
    """Choose the messages of a log that are worth labelling next.

    Takes those that the model is least sure of, that differ from each other, and that it was not trained on.
    Prints CSV: fill in the column intent, and append the rows to the training file.
    """
    import tempfile

    from finml.errors import UsageError
    from finml.models.intent.contract import NAME
    from finml.models.intent.runtime import IntentPredictor
    from finml.models.intent.suggest import read_log
    from finml.models.intent.suggest import suggest as choose
    from finml.registry.delivery import fetch
    from finml.registry.versions import resolve
    from finml.settings import get_settings

    settings = get_settings()
    rows = read_log(log)
    found = resolve(settings, version)
    if found.name != NAME:
        raise UsageError(f"{found.spec} is no version of {NAME}", hint=f"as in {NAME}@champion")
    with tempfile.TemporaryDirectory() as folder:
        predictor = IntentPredictor.load(fetch(settings, found, Path(folder) / NAME))
        suggestions = choose(predictor, rows, number, seed=settings.seed)
    messages.print(
        f"{found.spec}: {len(suggestions.chosen)} of {suggestions.logged} texts; left out: "
        f"{suggestions.unreadable} that cannot be read, {suggestions.repeated} repeated, "
        f"{suggestions.known} trained on, {suggestions.not_scored} not looked at"
    )
    if as_json:
        print_json({"model": found.spec, **asdict(suggestions)})
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in suggestions.chosen:
        writer.writerow(asdict(row) | {"intent": ""})
    console.file.write(text.getvalue())
