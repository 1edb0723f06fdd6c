"""Step `gate`: whether a trained model may be registered."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def gate(  # noqa: D417  # kfp shows what Returns says of the outputs
    *, model: str, mlflow_run: str, evaluation: dsl.Input[dsl.Artifact], verdict: dsl.Output[dsl.Markdown]
) -> bool:
    """Judge an evaluation by the model's declared gate, and log the verdict to MLflow.

    Args:
        model: A model of the catalogue.
        mlflow_run: Id of the training's MLflow run.
        evaluation: The evaluation as JSON.

    Returns:
        verdict: Every rule, the figure it was applied to, and what came of it.
        Output: Whether the gate approves.
    """
    import json
    from pathlib import Path

    from components.step import step
    from finml.models.base import Evaluation, get_model
    from finml.registry.gate import Gate, judge
    from finml.registry.tracking import log_verdict

    with step("gate") as settings:
        declared = Gate.load(get_model(model).gate)
        found = Evaluation.model_validate(json.loads(Path(evaluation.path).read_text(encoding="utf-8")))
        judged = judge(declared, found)
        log_verdict(settings, mlflow_run, declared, judged)
        Path(verdict.path).write_text(judged.to_markdown(), encoding="utf-8")
        verdict.metadata["verdict"] = judged.model_dump(mode="json")
        verdict.metadata["summary"] = judged.summary
        return judged.approved
