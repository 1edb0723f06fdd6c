"""Pipeline `training_from_file`: from a labelled file to a registered version of one model."""

from kfp import dsl

from components.take_file import take_file
from pipelines.steps import model_steps, step


@dsl.pipeline(
    name="training-from-file",
    description="From a labelled file to a registered version, if the gate approves.",
)
def training_from_file(  # noqa: PLR0917  # kfp hands a pipeline its parameters in order
    model: str,
    file: str,
    sha256: str,
    origin: str,
    trials: int = 0,
    params: dict = {},  # type: ignore[type-arg]  # noqa: B006  # kfp writes defaults down
) -> None:
    """Train one model on the rows of a labelled file, measure it on those held out, and judge it.

    Args:
        model: A model of the catalogue.
        file: Parquet file below FINML_HOME, where `finml run training --data` put it.
        sha256: Hash of the file.
        origin: Name of the file that the rows were read from.
        trials: Trials of the search for parameters; 0 trains with those that the model declares.
        params: Parameters of the model that replace those that it declares, by name.
    """
    # 1. Check the rows, and hold a part out.
    rows = step(
        take_file(model=model, file=file, sha256=sha256, origin=origin),
        "Take the labelled file",
        cpu="1",
        memory="4Gi",
    )

    # 2 to 5. Train, evaluate, judge, register.
    model_steps(model, rows, trials=trials, params=params)
