"""`finml compile` and `finml submit`: pipelines for Kubeflow."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import (
    BaseImageOption,
    ImageOption,
    JsonOption,
    LedgerOption,
    ModelOption,
    ParamsOption,
    Pipeline,
    TrialsOption,
    VariantsOption,
    WithImageOption,
    parameters,
)
from pipelines.cli.output import console, print_json

ClaimOption = Annotated[
    str,
    typer.Option(
        "--home-claim", metavar="NAME", help="Persistent volume claim that holds FINML_HOME for every step."
    ),
]
SecretOption = Annotated[
    str,
    typer.Option(
        "--secret",
        metavar="NAME",
        help="Kubernetes secret with the URLs that carry passwords: ledger_url, offline_url, redis_url, "
        "mlflow_tracking_uri.",
    ),
]


def compile_(
    *,
    pipeline: Annotated[Pipeline | None, typer.Argument(help="Which pipeline. By default all.")] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the YAML.")
    ] = Path(),
    image: ImageOption = None,
    home_claim: ClaimOption = "",
    secret: SecretOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write pipelines as YAML that Kubeflow takes."""
    from pipelines.cli.run import settings_with
    from pipelines.spec import PIPELINES
    from pipelines.submit import compile_for_cluster

    settings = settings_with(image)
    output.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in [pipeline.value] if pipeline else PIPELINES:
        files[name] = output / f"{name}.yaml"
        compiled = compile_for_cluster(name, settings, home_claim=home_claim, secret=secret)
        files[name].write_text(compiled.to_yaml(), encoding="utf-8")
    if as_json:
        print_json({"image": settings.image, "files": {name: str(file) for name, file in files.items()}})
        return
    for file in files.values():
        console.print(str(file), markup=False, highlight=False)


def submit(
    *,
    pipeline: Annotated[Pipeline, typer.Argument(help="Which pipeline.")],
    model: ModelOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every model of the catalogue.")] = False,
    ledger: LedgerOption = None,
    trials: TrialsOption = 0,
    params: ParamsOption = None,
    with_image: WithImageOption = True,
    variants: VariantsOption = True,
    base_image: BaseImageOption = "",
    image: ImageOption = None,
    home_claim: ClaimOption = "",
    secret: SecretOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send a pipeline to the Kubeflow of FINML_KFP_HOST."""
    from pipelines.cli.run import arguments_of, choose_models, one_or_all, settings_with
    from pipelines.submit import compile_for_cluster
    from pipelines.submit import submit as submit_run

    settings = settings_with(image)
    models = choose_models(pipeline, model or [], every)
    compiled = compile_for_cluster(pipeline.value, settings, home_claim=home_claim, secret=secret)
    runs = [
        submit_run(compiled, arguments | ({"ledger_url": ledger} if ledger else {}), settings)
        for _, arguments in arguments_of(
            pipeline,
            models,
            trials=trials,
            params=parameters(params or []),
            with_image=with_image,
            variants=variants,
            base_image=base_image,
            ledger=ledger,
        )
    ]
    if as_json:
        print_json(one_or_all(runs, every))
        return
    for run in runs:
        console.print(f"run {run.run_id}: {run.url}", markup=False, highlight=False)
