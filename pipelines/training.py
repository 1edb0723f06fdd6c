"""Pipeline `training`: from the ledger to a registered version of one model, if the gate lets it through."""

from kfp import dsl

from components.training_set import training_set
from pipelines.steps import feature_steps, model_steps, step


@dsl.pipeline(name="training", description="From the ledger to a registered version, if the gate approves.")
def training(
    model: str,
    ledger_url: str = "",
    trials: int = 0,
    params: dict = {},  # type: ignore[type-arg]  # noqa: B006  # kfp writes defaults down
) -> None:
    """Train one model on features as they were known, measure it on data it has not seen, and judge it.

    Args:
        model: A model of the catalogue.
        ledger_url: The ledger; empty for the one of the settings.
        trials: Trials of the search for parameters; 0 trains with those that the model declares.
        params: Parameters of the model that replace those that it declares, by name.
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

    # 5 to 8. Train, evaluate, judge, register.
    model_steps(model, rows, ledger_url=ledger_url, trials=trials, params=params)
