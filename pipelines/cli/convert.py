"""`finml data convert`: public annotated sentences as the JSONL that the model entities reads."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, print_json


class AnnotatedSet(StrEnum):
    """Public data sets with annotated sentences."""

    NLUPP = "nlupp"
    SGD = "sgd"
    RASA = "rasa"


def convert(
    *,
    dataset: Annotated[AnnotatedSet, typer.Argument(help="Which data set.")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with its files.", exists=True, file_okay=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="Where to write. Replaces an earlier file.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Turn public annotated sentences into JSONL for the model entities.

    docs/models/entities.md says what becomes of each set's types.
    """
    from finml.models.entities.importers import write

    lines = write(dataset.value, folder, output)
    if as_json:
        print_json({"output": str(output), "lines": lines})
    else:
        console.print(f"{lines:,} lines written to {output}", markup=False, highlight=False)
