"""What every step has in common: settings, logs, and a failure that says what to do in the step's own log."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from finml.logs import configure_logging
from finml.settings import Settings, get_settings


@contextmanager
def step(name: str, ledger_url: str = "") -> Iterator[Settings]:
    """Do a step's work with the settings of the place where it runs.

    A failure is logged as one line, `step_failed`, with its message and hint, before it ends the step. Local
    runs show that line; in Kubeflow it stands at the end of the step's log, above the traceback.

    Args:
        name: the step's name.
        ledger_url: the ledger to work on instead of the settings' own; empty for the latter.

    Yields:
        The settings.
    """
    settings = get_settings().with_ledger(ledger_url)
    configure_logging(settings)
    log = structlog.get_logger("finml.step").bind(step=name)
    try:
        yield settings
    except Exception as error:
        log.error(
            "step_failed", error=type(error).__name__, message=str(error), hint=getattr(error, "hint", "")
        )
        raise
