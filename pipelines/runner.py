"""Run a pipeline on this machine: each step in a process or a container of its own."""

import contextlib
import os
import secrets
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from components.step import failure_file
from finml.errors import PipelineError
from finml.settings import Settings
from pipelines.environment import step_variables
from pipelines.progress import Step, StepError, StepWatcher
from pipelines.results import RunResult, collect, step_output, summary
from pipelines.spec import CompiledPipeline, compile_pipeline, for_this_machine

if TYPE_CHECKING:
    from kfp.local import DockerRunner, SubprocessRunner

SILENCE = StepError(
    type="PipelineError",
    message="the step ended without a word, as one that is killed or runs out of memory does",
)
RunnerName = Literal["subprocess", "docker"]


def run_local(
    name: str,
    arguments: Mapping[str, Any],
    runner: RunnerName,
    settings: Settings,
    *,
    on_start: Callable[[Step], None] = lambda _: None,
    on_end: Callable[[Step], None] = lambda _: None,
) -> RunResult:
    """Run a pipeline here and wait for its end.

    Artifacts, the log and the reports of the run go to a folder of its own below `settings.runs`.

    Args:
        name: the pipeline.
        arguments: its parameters; those not given have their defaults.
        runner: `subprocess`, each step with this Python; `docker`, each in a container of `settings.image`.
        settings: handed to every step.
        on_start: called as a step starts.
        on_end: called as a step ends.

    Returns:
        The result. A failed step is a state of the result, not an exception.

    Raises:
        UsageError: there is no such pipeline.
        PipelineError: the runner itself cannot work here.
    """
    run_id = new_run_id(name)
    root = settings.runs / run_id
    image, place = place_for_steps(runner, settings, root)
    pipeline = for_this_machine(compile_pipeline(name, image), run_id)
    # kfp mounts the workspace into containers, and not every engine makes a folder that is missing
    (root / "workspace").mkdir(parents=True)
    (root / "pipeline.yaml").write_text(pipeline.to_yaml(), encoding="utf-8")
    steps = {task: Step(name=task, title=title) for task, title in pipeline.titles.items()}

    def ended(step: Step) -> None:
        output = step_output(root, step.name)
        if output is None and step.state == "succeeded":
            # kfp takes a container that is gone before it can be asked for one that ended well
            step.state = "failed"
        if step.state == "failed":
            step.error = own_words(root, step) or step.error or SILENCE
        else:
            step.error = None
            step.summary = summary(output or {})
        on_end(step)

    began = time.monotonic()
    with (root / "run.log").open("w", encoding="utf-8") as log:
        watcher = StepWatcher(steps, log, on_start, ended)
        with for_steps(settings, root), contextlib.redirect_stdout(watcher), warnings.catch_warnings():
            # that resources and display names mean nothing on this machine is no news
            warnings.simplefilter("ignore")
            execute(pipeline, arguments, place, root, steps)
    outputs = collect(root, steps)
    failed = any(step.state == "failed" for step in steps.values())
    state = "failed" if failed else "rejected" if outputs.get("approved") is False else "succeeded"
    result = RunResult(
        run_id=run_id,
        pipeline=name,
        model=arguments.get("model"),
        state=state,
        seconds=round(time.monotonic() - began, 2),
        steps=list(steps.values()),
        outputs=outputs,
        folder=root,
    )
    (root / "result.json").write_text(result.model_dump_json(indent=2), encoding="utf-8")
    return result


def own_words(root: Path, step: Step) -> StepError | None:
    """What a failed step said of its failure before it ended, or `None`."""
    file = failure_file(root, step.name)
    return StepError.model_validate_json(file.read_bytes()) if file.exists() else None


def place_for_steps(
    runner: RunnerName, settings: Settings, root: Path
) -> "tuple[str, DockerRunner | SubprocessRunner]":
    """The image's name, and kfp's runner of that kind."""
    if runner == "docker":
        from pipelines.containers import docker_runner

        return docker_runner(settings, root)
    from kfp.local import SubprocessRunner

    return settings.image, SubprocessRunner(use_venv=False)


def execute(
    pipeline: CompiledPipeline,
    arguments: Mapping[str, Any],
    runner: "DockerRunner | SubprocessRunner",
    root: Path,
    steps: Mapping[str, Step],
) -> None:
    """Let kfp run a compiled pipeline. Raises only what no step's failure explains."""
    from kfp import components, local

    local.init(
        runner,
        pipeline_root=str(root),
        workspace_root=str(root / "workspace"),
    )
    try:
        components.load_component_from_text(pipeline.to_yaml())(**arguments)
    except Exception as error:
        if not any(step.state == "failed" for step in steps.values()):
            raise PipelineError(
                f"the pipeline could not be run: {error}", hint=f"the whole log is in {root / 'run.log'}"
            ) from error


def new_run_id(name: str) -> str:
    """A run's name: its start, what it runs, and something that keeps two of one second apart."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}-{secrets.token_hex(3)}"


@contextlib.contextmanager
def for_steps(settings: Settings, root: Path) -> Iterator[None]:
    """Set the environment that steps inherit: every setting, and this Python's own commands first."""
    before = dict(os.environ)
    scripts = str(Path(sys.executable).parent)
    os.environ |= step_variables(settings, root)
    os.environ["PATH"] = os.pathsep.join([scripts, before.get("PATH", os.defpath)])
    if settings.docker_socket:
        os.environ["DOCKER_HOST"] = settings.docker_socket
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
