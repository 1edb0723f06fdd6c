"""One small bank, and the artifacts of each step over it, made once for all tests of a worker."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl

from components.build_features import build_features
from components.evaluate import evaluate
from components.gate import gate
from components.ingest import ingest
from components.materialize import materialize
from components.register import register
from components.train import train
from components.training_set import training_set
from finml.ledger.synthetic import generate
from finml.ledger.writer import open_writer
from finml.models.base import Evaluation, Interval
from finml.registry.tracking import log_evaluation
from finml.settings import Settings, get_settings

MODEL = "credit_risk"
OUTPUTS = {
    "tables": dsl.Dataset,
    "features": dsl.Dataset,
    "training_rows": dsl.Dataset,
    "held_out_rows": dsl.Dataset,
    "trained": dsl.Model,
    "evaluation": dsl.Artifact,
    "metrics": dsl.Metrics,
    "curves": dsl.ClassificationMetrics,
    "card": dsl.Markdown,
    "freshness": dsl.Markdown,
    "verdict": dsl.Markdown,
    "report": dsl.Markdown,
    "bento": dsl.Artifact,
    "image": dsl.Markdown,
}


class Steps:
    """Runs components as kfp does, in a home of its own: real artifacts, the component's own function."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self.folder = folder
        self.runs = 0

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, _env_file=None)

    def __call__(self, component, **inputs) -> dict[str, Any]:
        """The artifacts that the component wrote, by name, and what it returned as `Output`."""
        self.runs += 1
        spec = component.component_spec.outputs or {}
        outputs = {}
        for name in spec:
            if name != "Output":
                uri = self.folder / str(self.runs) / component.name / name
                uri.parent.mkdir(parents=True, exist_ok=True)
                outputs[name] = OUTPUTS[name](name=name, uri=str(uri), metadata={})
        with self.environment():
            returned = component.python_func(**inputs, **outputs)
        return outputs | {"Output": returned}

    @contextmanager
    def environment(self) -> Iterator[None]:
        """This home, and no other setting."""
        with pytest.MonkeyPatch.context() as patch:
            for name in Settings.model_fields:
                patch.delenv(f"FINML_{name.upper()}", raising=False)
            patch.setenv("FINML_HOME", str(self.home))
            get_settings.cache_clear()
            yield
        get_settings.cache_clear()


@pytest.fixture
def empty(tmp_path) -> Steps:
    """Steps over a home without anything in it."""
    return Steps(tmp_path / "home", tmp_path / "artifacts")


@pytest.fixture(scope="session")
def steps(tmp_path_factory) -> Steps:
    """Steps over a home that holds the ledger of a small bank."""
    folder = tmp_path_factory.mktemp("components")
    made = Steps(folder / "home", folder / "artifacts")
    with open_writer(made.settings.ledger, origin="synthetic") as writer:
        generate(writer, users=300, months=12, seed=7)
    return made


@pytest.fixture(scope="session")
def ingested(steps):
    return steps(ingest, ledger_url="")


@pytest.fixture(scope="session")
def built(steps, ingested):
    return steps(build_features, ledger_url="", tables=ingested["tables"])


@pytest.fixture(scope="session")
def materialized(steps, built):
    return steps(materialize, ledger_url="", features=built["features"])


@pytest.fixture(scope="session")
def rows(steps, ingested, built, materialized):
    return steps(
        training_set, model=MODEL, ledger_url="", tables=ingested["tables"], features=built["features"]
    )


@pytest.fixture(scope="session")
def trained(steps, rows):
    return steps(
        train,
        model=MODEL,
        ledger_url="",
        trials=0,
        params={},
        pipeline_run="run-of-the-tests",
        training_rows=rows["training_rows"],
    )


@pytest.fixture(scope="session")
def evaluated(steps, rows, trained):
    return steps(
        evaluate,
        model=MODEL,
        mlflow_run=trained["Output"],
        trained=trained["trained"],
        held_out_rows=rows["held_out_rows"],
    )


@pytest.fixture(scope="session")
def judged(steps, trained, evaluated):
    return steps(gate, model=MODEL, mlflow_run=trained["Output"], evaluation=evaluated["evaluation"])


@pytest.fixture(scope="session")
def champion(steps, trained, evaluated, judged):
    """The model registered, after its evaluation was made good enough for the gate. Comes after `judged`."""
    found = Evaluation.model_validate(json.loads(Path(evaluated["evaluation"].path).read_text()))
    sure = {"auc": 0.9, "ece": 0.01}
    figures = {name: Interval(value=value, low=value, high=value) for name, value in sure.items()}
    good = found.model_copy(
        update={
            "metrics": found.metrics | figures,
            "scalars": found.scalars | {"defaults": 100.0, "latency_p95_ms": 1.0},
            "groups": [],
        }
    )
    log_evaluation(steps.settings, trained["Output"], good, "<html></html>", "# Card")
    artifact = dsl.Artifact(name="evaluation", uri=str(steps.folder / "good.json"), metadata={})
    Path(artifact.path).write_text(good.model_dump_json())
    approved = steps(gate, model=MODEL, mlflow_run=trained["Output"], evaluation=artifact)
    assert approved["Output"] is True, approved["verdict"].metadata["summary"]
    return steps(register, model=MODEL, mlflow_run=trained["Output"], verdict=approved["verdict"])["Output"]
