"""What a local run leaves: its steps, what they put out, and copies of its reports where people find them."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from pipelines.progress import Step

# The value that a step returns, by the name it has among the run's outputs.
RETURNED = {
    "train": "mlflow_run",
    "gate": "approved",
    "register": "version",
    "package": "bento",
    "containerize": "image",
}
# Pages that people read: the step's artifact by the file that the run's folder gets.
PAGES = {
    ("ingest", "report"): "ingestion.md",
    ("build-features", "report"): "features.md",
    ("evaluate", "report"): "report.html",
    ("evaluate", "card"): "card.md",
    ("gate", "verdict"): "verdict.md",
}
# What a step says of its artifact, by the name it has among the run's outputs: one key, or all of it.
SAID = {
    ("ingest", "tables", "data_hash"): "data_hash",
    ("evaluate", "metrics", None): "metrics",
    ("gate", "verdict", "verdict"): "verdict",
    ("package", "bento", "versions"): "versions",
}
EXECUTOR_OUTPUT = "executor_output.json"


class RunResult(BaseModel):
    """A finished run.

    Attributes:
        state: `rejected` where every step did its work and the gate said no.
        outputs: what the run made: `version`, `verdict`, `metrics`, `report_page`, `bento`, `image`, …; only
            what its steps came to.
        folder: where artifacts, log and reports lie.
    """

    run_id: str
    pipeline: str
    model: str | None
    state: Literal["succeeded", "rejected", "failed"]
    seconds: float
    steps: list[Step]
    outputs: dict[str, Any]
    folder: Path

    @property
    def failed_step(self) -> Step | None:
        """The step that failed first, or `None`."""
        return next((step for step in self.steps if step.state == "failed"), None)


def step_output(root: Path, step: str) -> dict[str, Any] | None:
    """What a step put out: returned values, artifacts, their metadata. `None` where it did not end well."""
    found = sorted(root.glob(f"*/{step}/{EXECUTOR_OUTPUT}"))
    return json.loads(found[-1].read_text(encoding="utf-8")) if found else None


def artifacts(output: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and description (`uri`, `metadata`) of each artifact of a step."""
    for name, listed in output.get("artifacts", {}).items():
        yield name, listed["artifacts"][0]


def summary(output: Mapping[str, Any]) -> str:
    """A step's own words on what it made, or else what it returned."""
    words = [item["metadata"]["summary"] for _, item in artifacts(output) if "summary" in item["metadata"]]
    return "; ".join(words) or str(output.get("parameterValues", {}).get("Output", ""))


def collect(root: Path, steps: Mapping[str, Step]) -> dict[str, Any]:
    """The run's outputs, gathered from those of its steps; copies the pages into the run's folder."""
    outputs: dict[str, Any] = {}
    for name in steps:
        output = step_output(root, name)
        if output is None:
            continue
        if name in RETURNED and "Output" in output.get("parameterValues", {}):
            outputs[RETURNED[name]] = output["parameterValues"]["Output"]
        for artifact, item in artifacts(output):
            if (name, artifact) in PAGES:
                page = root / PAGES[name, artifact]
                shutil.copyfile(item["uri"], page)
                outputs[f"{page.stem}_page"] = str(page)
        said = {artifact: item["metadata"] for artifact, item in artifacts(output)}
        for (step, artifact, key), known_as in SAID.items():
            if step == name and artifact in said:
                outputs[known_as] = said[artifact].get(key) if key else said[artifact]
    return outputs
