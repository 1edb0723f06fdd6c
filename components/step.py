"""What every step has in common: settings, logs, and a failure that says what to do."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from finml.logs import configure_logging
from finml.settings import Settings, get_settings

# Set for the steps of a run on this machine, which leave word there of what made them fail.
RUN_FOLDER = "FINML_RUN_FOLDER"


@contextmanager
def step(name: str, ledger_url: str = "") -> Iterator[Settings]:
    """Do a step's work with the settings of the place where it runs.

    A failure is logged as one line, `step_failed`, with its message and hint, before it ends the step: in
    Kubeflow it stands at the end of the step's log, above the traceback. A run on this machine finds the same
    in its folder, since the log of a container can be gone before it is read.

    Args:
        name: the step's name.
        ledger_url: the ledger to work on instead of the settings' own; empty for the latter.

    Yields:
        The settings.
    """
    settings = get_settings().with_ledger(ledger_url)
    configure_logging(settings)
    try:
        yield settings
    except Exception as error:
        failure = {"type": type(error).__name__, "message": str(error), "hint": getattr(error, "hint", "")}
        structlog.get_logger("finml.step").error("step_failed", step=name, **failure)
        if RUN_FOLDER in os.environ:
            failure_file(Path(os.environ[RUN_FOLDER]), name).write_text(json.dumps(failure), encoding="utf-8")
        raise


def failure_file(folder: Path, name: str) -> Path:
    """Where a step of a run in `folder` says why it failed. kfp writes names with hyphens."""
    return folder / f"{name.replace('_', '-')}.failure.json"
