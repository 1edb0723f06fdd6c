"""How every step is set up, and the steps with which more than one pipeline begins."""

from typing import Any, NamedTuple

from kfp import dsl

from components.build_features import build_features
from components.evaluate import evaluate
from components.gate import gate
from components.ingest import ingest
from components.materialize import materialize
from components.register import register
from components.train import train

Text = str | dsl.pipeline_channel.PipelineChannel


def step(
    task: dsl.PipelineTask, title: str, *, cpu: str = "500m", memory: str = "1Gi", retries: int = 0
) -> dsl.PipelineTask:
    """Give a task its title, the resources that it asks for, and its retries.

    No step is cached: all of them read or change state that Kubeflow does not see, so equal arguments do not
    mean equal results.

    Args:
        task: the task.
        title: what the KFP UI and the command line call it.
        cpu: cores requested, as Kubernetes writes them.
        memory: memory requested, as Kubernetes writes it.
        retries: further tries, the first after a minute and each after twice as long: for what a network
            or another tenant can spoil.
    """
    task.set_display_name(title).set_caching_options(False)
    task.set_cpu_request(cpu).set_memory_request(memory)
    return task.set_retry(retries, backoff_duration="60s", backoff_factor=2) if retries else task


class FeatureSteps(NamedTuple):
    """The tasks that bring features into both stores, for the steps that follow them."""

    ingest: dsl.PipelineTask
    build_features: dsl.PipelineTask
    materialize: dsl.PipelineTask


def feature_steps(ledger_url: Text) -> FeatureSteps:
    """From the ledger to the offline and the online store."""
    # 1. Take what is new in the ledger, check it, keep the bad rows apart.
    ingested = step(ingest(ledger_url=ledger_url), "Ingest the ledger", cpu="1", memory="4Gi", retries=2)

    # 2. Compute features as of each snapshot and each labelled moment into the offline store.
    tables = ingested.outputs["tables"]
    built = step(
        build_features(ledger_url=ledger_url, tables=tables),
        "Build features",
        cpu="2",
        memory="8Gi",
        retries=1,
    )

    # 3. Bring the newest values of every user to the online store.
    materialized = step(
        materialize(ledger_url=ledger_url, features=built.outputs["features"]),
        "Materialize online features",
        cpu="1",
        memory="4Gi",
        retries=2,
    )
    return FeatureSteps(ingested, built, materialized)


def model_steps(
    model: Text,
    rows: dsl.PipelineTask,
    *,
    ledger_url: Text = "",
    trials: int | dsl.pipeline_channel.PipelineChannel,
    params: dict[str, Any] | dsl.pipeline_channel.PipelineChannel,
) -> None:
    """From labelled rows, of which a part is held out, to a registered version, if the gate approves."""
    # 1. Train on the one part.
    trained = step(
        train(
            model=model,
            ledger_url=ledger_url,
            trials=trials,
            params=params,
            pipeline_run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            training_rows=rows.outputs["training_rows"],
        ),
        "Train",
        cpu="2",
        memory="8Gi",
        retries=1,
    )
    run = trained.outputs["Output"]

    # 2. Measure on the other, beside the champion.
    evaluated = step(
        evaluate(
            model=model,
            mlflow_run=run,
            trained=trained.outputs["trained"],
            held_out_rows=rows.outputs["held_out_rows"],
        ),
        "Evaluate on held-out rows",
        cpu="2",
        memory="4Gi",
        retries=1,
    )

    # 3. Judge by the model's declared gate.
    judged = step(
        gate(model=model, mlflow_run=run, evaluation=evaluated.outputs["evaluation"]),
        "Judge at the gate",
        retries=1,
    )

    # 4. Register what was approved. A rejected model ends the run here, with its report.
    with dsl.If(judged.outputs["Output"] == True, name="approved"):  # noqa: E712  # kfp overloads the comparison
        step(
            register(model=model, mlflow_run=run, verdict=judged.outputs["verdict"]),
            "Register the version",
            retries=1,
        )
