"""Structured logs: JSON for machines, colours for people, personal data masked, on standard error.

Standard output belongs to a command's answer, so that `--json` prints one document and nothing else.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from finml.privacy import mask_value
from finml.settings import Settings

HANDLER = "finml"


def mask_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that masks every value of an event."""
    for key in event:
        event[key] = mask_value(key, event[key])
    return event


def logs_json(settings: Settings) -> bool:
    """Whether logs are JSON for machines rather than lines for people."""
    return settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())


def configure_logging(settings: Settings) -> None:
    """Send finml's and the libraries' logs to standard error in the configured format, masked alike."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    renderer: Any = (
        structlog.processors.JSONRenderer() if logs_json(settings) else structlog.dev.ConsoleRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # looked up at each call, so that tests and servers that replace standard error are followed
        # A line and its end are one write: `print` makes two, between which another worker may write.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    # what a library's `basicConfig` left would say each line a second time, and unmasked
    root.handlers = [
        other
        for other in root.handlers
        if other.get_name() != HANDLER and type(other) is not logging.StreamHandler
    ]
    handler.set_name(HANDLER)
    root.addHandler(handler)
    # libraries say little that a user of finml needs
    root.setLevel(max(level, logging.WARNING))
