"""Logging by a thread that must outlive its log: standard error may be a file on the disk that is full."""

import contextlib

import structlog

log = structlog.get_logger("finml.monitoring")


def warn(event: str, **fields: object) -> None:
    """Log a warning, where that can be."""
    # ValueError: standard error is closed
    with contextlib.suppress(OSError, ValueError):
        log.warning(event, **fields)
