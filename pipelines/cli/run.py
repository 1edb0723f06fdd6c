"""`finml run`: a pipeline on this machine, with a line a step."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finml.errors import UsageError
from finml.urls import identity
from pipelines.cli.options import (
    BaseImageOption,
    DataOption,
    ImageOption,
    JsonOption,
    LedgerOption,
    ModelOption,
    OutOfScopeOption,
    ParamsOption,
    Pipeline,
    Runner,
    TrialsOption,
    VariantsOption,
    WithImageOption,
    companions,
    parameters,
)
from pipelines.cli.output import console, print_json

if TYPE_CHECKING:
    from finml.settings import Settings
    from pipelines.progress import Step
    from pipelines.results import RunResult
    from pipelines.runner import RunnerName


def run(
    *,
    pipeline: Annotated[Pipeline, typer.Argument(help="Which pipeline.")],
    model: ModelOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every model of the catalogue, one after the other.")
    ] = False,
    ledger: LedgerOption = None,
    data: DataOption = None,
    out_of_scope: OutOfScopeOption = None,
    trials: TrialsOption = 0,
    params: ParamsOption = None,
    with_image: WithImageOption = True,
    variants: VariantsOption = True,
    base_image: BaseImageOption = "",
    runner: Annotated[
        Runner, typer.Option("--runner", help="A process or a container for each step.")
    ] = Runner.SUBPROCESS,
    image: ImageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a pipeline here, the same that Kubeflow would run.

    `training` learns from the ledger, or with --data from a labelled file. Ends with 1 where a step failed or
    the gate rejected the model.
    """
    settings = settings_with(image).with_ledger(ledger)
    chosen = choose_models(pipeline, model or [], every)
    if data or out_of_scope:
        check_file_options(pipeline, chosen, data, ledger)
    runs: Iterable[tuple[str, dict[str, Any]]]
    if data:
        arguments = file_arguments(chosen[0], data, companions(out_of_scope), settings)
        chosen_params = {"trials": trials, "params": parameters(params or [])}
        runs = [("training_from_file", arguments | chosen_params)]
    else:
        runs = arguments_of(
            pipeline,
            chosen,
            trials=trials,
            params=parameters(params or []),
            with_image=with_image,
            variants=variants,
            base_image=base_image,
            ledger=ledger,
        )
    results = [run_with_progress(name, arguments, settings, runner.value) for name, arguments in runs]
    if as_json:
        print_json(one_or_all(results, every))
    else:
        for result in results:
            show(result)
    if any(result.state != "succeeded" for result in results):
        raise typer.Exit(1)


def settings_with(image: str | None) -> "Settings":
    """The settings, with another image for the steps where one is named."""
    from finml.settings import get_settings

    settings = get_settings()
    return settings.model_copy(update={"image": image}) if image else settings


def choose_models(pipeline: Pipeline, named: Sequence[str], every: bool) -> Sequence[str]:
    """The models meant, all of them known to the catalogue.

    Raises:
        UsageError: a model is unknown, or training was asked for without naming one.
    """
    from finml.models.base import get_model, model_names

    if every and named:
        raise UsageError("--all and --model say two things", hint="give one of them")
    if pipeline is Pipeline.FEATURES and (every or named):
        raise UsageError("the features pipeline is for all models alike", hint="leave --model and --all out")
    if pipeline is Pipeline.TRAINING and not (every or named):
        raise UsageError(
            "training needs a model", hint=f"give --all, or --model with one of: {', '.join(model_names())}"
        )
    chosen = model_names() if every else named
    for name in set(chosen).difference(model_names()):
        get_model(name)
    return chosen


def check_file_options(
    pipeline: Pipeline, models: Sequence[str], data: Path | None, ledger: str | None
) -> None:
    """Refuse a labelled file where it cannot be meant.

    Raises:
        UsageError: it is not for the training of one model, or there is a ledger too, or only its companion.
    """
    if data is None:
        raise UsageError("--out-of-scope goes with --data", hint="name the labelled file by --data FILE")
    if pipeline is not Pipeline.TRAINING or len(models) != 1:
        raise UsageError(
            "--data is for the training of one model",
            hint="finml run training --model MODEL --data FILE",
        )
    if ledger is not None:
        raise UsageError("--data and --ledger say two things", hint="give one of them")


def file_arguments(name: str, data: Path, beside: Mapping[str, Path], settings: "Settings") -> dict[str, Any]:
    """Check a labelled file, keep its rows for the steps, and say where they are."""
    from finml.models.base import get_model
    from finml.models.labelled_files import store_rows

    kept = store_rows(get_model(name), data, beside, settings)
    return {"model": name, "file": kept.path, "sha256": kept.sha256, "origin": kept.origin}


def arguments_of(
    pipeline: Pipeline,
    models: Sequence[str],
    *,
    trials: int,
    params: Mapping[str, Any],
    with_image: bool,
    variants: bool,
    base_image: str,
    ledger: str | None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pipeline and arguments of each run to be made: one a model for training, one for anything else."""
    if pipeline is Pipeline.TRAINING:
        for name in models:
            yield pipeline.value, {"model": name, "trials": trials, "params": dict(params)}
    elif pipeline is Pipeline.RELEASE:
        # which ledger it is, without its password: arguments are written down
        served = identity(ledger) if ledger else ""
        yield (
            pipeline.value,
            {
                "models": list(models),
                "variants": variants,
                "image": with_image,
                "base_image": base_image,
                "ledger_url": served,
            },
        )
    else:
        yield pipeline.value, {}


def one_or_all(runs: Sequence[object], every: bool) -> object:
    """What `--json` prints: the run itself where one was asked for, else a document with all of them."""
    return {"runs": runs} if every or len(runs) > 1 else runs[0]


def run_with_progress(
    pipeline: str, arguments: dict[str, Any], settings: "Settings", runner: "RunnerName" = "subprocess"
) -> "RunResult":
    """Run a pipeline with one line a step on standard error."""
    from pipelines.runner import run_local

    def say(words: str) -> None:
        sys.stderr.write(words)
        sys.stderr.flush()

    def on_end(step: "Step") -> None:
        words = step.summary if step.state == "succeeded" else "FAILED"
        say(f"{step.seconds:7.1f} s  {words}\n")

    subject = " ".join([pipeline, *filter(None, [arguments.get("model")])])
    say(f"{subject}\n")
    return run_local(
        pipeline,
        arguments,
        runner,
        settings,
        on_start=lambda step: say(f"  {step.title:<30}"),
        on_end=on_end,
    )


def show(result: "RunResult") -> None:
    """Say how a run ended, what it made, and what to do next."""
    subject = " ".join([result.pipeline, *filter(None, [result.model])])
    console.print(f"\n{subject} {result.state} in {result.seconds:.0f} s", markup=False)
    for line in [*finding(result), *advice(result)]:
        console.print(line, markup=False)


def finding(result: "RunResult") -> Iterator[str]:
    """What a run made, or why it did not."""
    made = result.outputs
    if failed := result.failed_step:
        yield f"  {failed.title}: {failed.error.message if failed.error else 'failed'}"
    if "verdict" in made:
        for check in made["verdict"]["checks"]:
            outcome = "skipped" if check["skipped"] else "passed" if check["passed"] else "FAILED"
            yield f"  {outcome:<9}{check['words']}"
    for key, words in (
        ("version", "registered"),
        ("bento", "Bento"),
        ("image", "image"),
        ("report_page", "report"),
        ("card_page", "model card"),
        ("ingestion_page", "ingestion"),
        ("features_page", "features"),
    ):
        if made.get(key):
            yield f"  {words:<12}{made[key]}"


def advice(result: "RunResult") -> Iterator[str]:
    """What to do next."""
    if failed := result.failed_step:
        if failed.error and failed.error.hint:
            yield f"try: {failed.error.hint}"
        yield f"The whole log: {result.folder / 'run.log'}"
    elif result.state == "rejected":
        yield "Nothing was registered. The report says where the model falls short."
    elif result.pipeline == "features":
        yield "Next: finml run training --model credit_risk"
    elif result.pipeline.startswith("training"):
        waits = result.outputs.get("verdict", {}).get("approval") == "human"
        yield (
            f"Next: finml models approve {result.outputs['version']}" if waits else "Next: finml run release"
        )
    else:
        yield "Next: finml serve"
