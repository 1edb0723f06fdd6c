"""Compiled pipelines as data: compile one, and give it what the place where it runs needs.

A pipeline's code has no branch for the environment. Image, variables, volumes and secrets are written into
the compiled specification here, once, from the settings.
"""

import copy
import importlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from finml.errors import UsageError
from pipelines.environment import CLUSTER_HOME

PIPELINES = ("features", "training", "training_from_file", "release")


@dataclass(frozen=True)
class CompiledPipeline:
    """A compiled pipeline.

    Attributes:
        header: the compiler's comment on the pipeline's inputs and outputs.
        spec: the pipeline specification.
        platform: what Kubernetes adds to it; empty anywhere else.
    """

    header: str
    spec: dict[str, Any]
    platform: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the pipeline."""
        return str(self.spec["pipelineInfo"]["name"])

    @property
    def titles(self) -> dict[str, str]:
        """Display names by step, in an order in which the steps can run."""
        return dict(task_titles(self.spec, self.spec["root"]))

    def to_yaml(self) -> str:
        """The package that Kubeflow takes: one document, or two with what Kubernetes adds."""
        documents = [self.spec, self.platform] if self.platform else [self.spec]
        return self.header + yaml.safe_dump_all(documents, sort_keys=False, width=110)


def compile_pipeline(name: str, image: str, variables: Mapping[str, str] | None = None) -> CompiledPipeline:
    """Compile one of `PIPELINES`.

    Args:
        name: which one.
        image: image in which every step runs.
        variables: environment of every step. Whoever can read the run can read them: never a secret.

    Raises:
        UsageError: there is no such pipeline.
    """
    if name not in PIPELINES:
        raise UsageError(f"no pipeline is called {name!r}", hint=f"pipelines: {', '.join(PIPELINES)}")
    from kfp.compiler import Compiler

    function = getattr(importlib.import_module(f"pipelines.{name}"), name)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / f"{name}.yaml"
        Compiler().compile(function, str(package))
        text = package.read_text(encoding="utf-8")
    header = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    spec = yaml.safe_load(text)
    for executor in spec["deploymentSpec"]["executors"].values():
        executor["container"]["image"] = image
        if variables:
            executor["container"]["env"] = [
                {"name": key, "value": value} for key, value in sorted(variables.items())
            ]
    return CompiledPipeline(header, spec)


def for_this_machine(pipeline: CompiledPipeline, run_id: str) -> CompiledPipeline:
    """Make a local run of it: with the run's own id, without a second try of what would only fail again."""
    from kfp.dsl import PIPELINE_JOB_ID_PLACEHOLDER

    spec = json.loads(json.dumps(pipeline.spec).replace(PIPELINE_JOB_ID_PLACEHOLDER, run_id))
    for dag in dags(spec):
        for task in dag["tasks"].values():
            task.pop("retryPolicy", None)
    return replace(pipeline, spec=spec)


def for_kubernetes(
    pipeline: CompiledPipeline, *, home_claim: str, secret: str, secret_variables: Mapping[str, str]
) -> CompiledPipeline:
    """Mount the claim that holds FINML_HOME into every step; take secret settings from a Kubernetes secret.

    Args:
        pipeline: the pipeline.
        home_claim: name of a persistent volume claim that several pods can write, or empty for none.
        secret: name of a Kubernetes secret in the pipeline's namespace, or empty for none.
        secret_variables: the secret's keys by the variable that each becomes. It may lack some.
    """
    step: dict[str, Any] = {}
    if home_claim:
        step["pvcMount"] = [
            {"mountPath": CLUSTER_HOME, **by_name("pvcNameParameter", "constant", home_claim)}
        ]
    if secret:
        step["secretAsEnv"] = [
            {
                **by_name("secretNameParameter", "secretName", secret),
                "keyToEnv": [{"secretKey": key, "envVar": name} for name, key in secret_variables.items()],
                "optional": True,
            }
        ]
    if not step:
        return pipeline
    executors = {name: copy.deepcopy(step) for name in pipeline.spec["deploymentSpec"]["executors"]}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    return replace(pipeline, platform=platform)


def by_name(parameter: str, older: str, name: str) -> dict[str, Any]:
    """A Kubernetes object's name, as both present and older servers read it."""
    return {older: name, parameter: {"runtimeValue": {"constant": name}}}


def dags(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The root graph and those of conditions inside it."""
    yield spec["root"]["dag"]
    for component in spec["components"].values():
        if "dag" in component:
            yield component["dag"]


def task_titles(spec: Mapping[str, Any], component: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and display name of each task below `component`, a task after all that it waits for."""
    tasks = dict(component["dag"]["tasks"])
    done: set[str] = set()
    while tasks:
        for name in [n for n, task in tasks.items() if done.issuperset(task.get("dependentTasks", []))]:
            task = tasks.pop(name)
            done.add(name)
            inner = spec["components"][task["componentRef"]["name"]]
            if "dag" in inner:
                yield from task_titles(spec, inner)
            else:
                yield name, task["taskInfo"]["name"]
