"""Options that several commands share, so that they are called and explained alike."""

from enum import StrEnum
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="The ledger: postgresql://, sqlite:///, duckdb:///, or a folder of Parquet or CSV files. "
        "By default FINML_LEDGER_URL.",
    ),
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A model of the catalogue; can be repeated."),
]
ImageOption = Annotated[
    str | None,
    typer.Option("--image", metavar="NAME", help="Image in which the steps run. By default FINML_IMAGE."),
]
TrialsOption = Annotated[
    int,
    typer.Option(
        "--trials", min=0, metavar="N", help="Trials of the parameter search; 0 takes the declared ones."
    ),
]

WithImageOption = Annotated[
    bool, typer.Option("--with-image/--no-image", help="Whether `release` builds an OCI image too.")
]
BaseImageOption = Annotated[
    str,
    typer.Option(
        "--base-image", metavar="NAME", help="Image that `release` builds on. By default the declared one."
    ),
]


class Pipeline(StrEnum):
    """The pipelines there are."""

    FEATURES = "features"
    TRAINING = "training"
    RELEASE = "release"


class Runner(StrEnum):
    """What gives a step its place to run."""

    SUBPROCESS = "subprocess"
    DOCKER = "docker"
