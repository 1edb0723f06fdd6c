"""Step `register`: from an approved run to a numbered version."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(*, model: str, mlflow_run: str, verdict: dsl.Input[dsl.Markdown]) -> str:
    """Register an approved run: as champion, or as candidate where the gate wants a person's approval too.

    Args:
        model: A model of the catalogue.
        mlflow_run: Id of the training's MLflow run.
        verdict: The gate's verdict, which the registry computes again before it believes it.

    Returns:
        Output: Name and number of the version, as in `credit_risk@7`.
    """
    from components.step import step
    from finml.registry.gate import Verdict
    from finml.registry.registration import register as register_version

    with step("register") as settings:
        judged = Verdict.model_validate(verdict.metadata["verdict"])
        return register_version(settings, mlflow_run, model, judged).spec
