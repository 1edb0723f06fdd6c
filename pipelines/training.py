"""Pipeline `training`: from the ledger to a registered version of one model, if the gate lets it through."""

from kfp import dsl

from components.evaluate import evaluate
from components.gate import gate
from components.register import register
from components.train import train
from components.training_set import training_set
from pipelines.steps import feature_steps, step


@dsl.pipeline(name="training", description="From the ledger to a registered version, if the gate approves.")
def training(model: str, ledger_url: str = "", trials: int = 0) -> None:
    """Train one model on features as they were known, measure it on data it has not seen, and judge it.

    Args:
        model: A model of the catalogue.
        ledger_url: The ledger; empty for the one of the settings.
        trials: Trials of the search for parameters; 0 trains with those that the model declares.
    """
    # 1 to 3. Ingest the ledger, build features, bring them online.
    features = feature_steps(ledger_url)

    # 4. Join labels with features as they were known at the time, and hold a part out.
    rows = step(
        training_set(
            model=model,
            ledger_url=ledger_url,
            tables=features.ingest.outputs["tables"],
            features=features.build_features.outputs["features"],
        ),
        "Join the training set",
        cpu="1",
        memory="4Gi",
        retries=1,
    ).after(features.materialize)

    # 5. Train on the one part.
    trained = step(
        train(
            model=model,
            ledger_url=ledger_url,
            trials=trials,
            pipeline_run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            training_rows=rows.outputs["training_rows"],
        ),
        "Train",
        cpu="2",
        memory="8Gi",
        retries=1,
    )
    run = trained.outputs["Output"]

    # 6. Measure on the other, beside the champion.
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

    # 7. Judge by the model's declared gate.
    judged = step(
        gate(model=model, mlflow_run=run, evaluation=evaluated.outputs["evaluation"]),
        "Judge at the gate",
        retries=1,
    )

    # 8. Register what was approved. A rejected model ends the run here, with its report.
    with dsl.If(judged.outputs["Output"] == True, name="approved"):  # noqa: E712  # kfp overloads the comparison
        step(
            register(model=model, mlflow_run=run, verdict=judged.outputs["verdict"]),
            "Register the version",
            retries=1,
        )
