"""What people are told at the end of a run."""

from pathlib import Path

import pytest

from pipelines.cli.run import show
from pipelines.progress import Step, StepError
from pipelines.results import RunResult

CHECKS = [
    {"words": "auc is 0.8, at least 0.65", "passed": True, "skipped": False},
    {"words": "there is no champion yet", "passed": True, "skipped": True},
]


def result(pipeline, state="succeeded", *, steps=(), **outputs):
    return RunResult(
        run_id="run-7",
        pipeline=pipeline,
        model="credit_risk" if pipeline == "training" else None,
        state=state,
        seconds=12.3,
        steps=list(steps),
        outputs=outputs,
        folder=Path("/home/runs/run-7"),
    )


@pytest.fixture
def told(capsys):
    def run(*arguments, **outputs):
        show(result(*arguments, **outputs))
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("approval", "following"),
    [("automatic", "finml run release"), ("human", "finml models approve credit_risk@3")],
)
def test_after_a_training_comes_a_release_or_a_person(told, approval, following):
    said = told("training", version="credit_risk@3", verdict={"approval": approval, "checks": CHECKS})
    assert "training credit_risk succeeded in 12 s" in said
    assert "passed   auc is 0.8" in said
    assert "skipped  there is no champion yet" in said
    assert said.endswith(f"Next: {following}\n")


def test_after_features_comes_a_training_and_after_a_release_the_service(told):
    assert "Next: finml run training" in told("features")
    said = told("release", bento="finance:abc", image="")
    assert "Bento       finance:abc" in said
    assert "image  " not in said
    assert "Next: finml serve" in said


def test_a_failed_step_says_why_and_where_the_rest_is(told):
    error = StepError(type="LedgerError", message="[no] ledger", hint="make one")
    said = told(
        "features", "failed", steps=[Step(name="ingest", title="Ingest", state="failed", error=error)]
    )
    assert "Ingest: [no] ledger" in said
    assert "try: make one" in said
    assert "/home/runs/run-7/run.log" in said
    assert "Next:" not in said
