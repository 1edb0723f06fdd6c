"""Options that several commands share, so that they are called and explained alike."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from finml.errors import UsageError

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
VariantsOption = Annotated[
    bool,
    typer.Option(
        "--variants/--no-variants",
        help="Whether `release` takes challengers and previous champions along.",
    ),
]
BaseImageOption = Annotated[
    str,
    typer.Option(
        "--base-image", metavar="NAME", help="Image that `release` builds on. By default the declared one."
    ),
]


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="A labelled file of the model's own kind, in place of a ledger.",
        exists=True,
        dir_okay=False,
    ),
]
OutOfScopeOption = Annotated[
    Path | None,
    typer.Option(
        "--out-of-scope",
        metavar="FILE",
        help="Beside --data: rows that belong to none of the labels.",
        exists=True,
        dir_okay=False,
    ),
]
ParamsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="A parameter of the model in place of the declared one; can be repeated.",
    ),
]


def companions(out_of_scope: Path | None) -> dict[str, Path]:
    """The further labelled files that were given, by the name that models know them by."""
    return {"out_of_scope": out_of_scope} if out_of_scope else {}


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as parameters. Values are YAML: `3`, `0.5` and `true` are what they look like.

    Raises:
        UsageError: one is not of that form.
    """
    import yaml

    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not (name and equals and value):
            raise UsageError(f"{text!r} is no parameter", hint="write --param NAME=VALUE, as in epochs=3")
    return found


class Pipeline(StrEnum):
    """The pipelines there are."""

    FEATURES = "features"
    TRAINING = "training"
    RELEASE = "release"


class Runner(StrEnum):
    """What gives a step its place to run."""

    SUBPROCESS = "subprocess"
    DOCKER = "docker"
