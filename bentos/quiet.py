"""Keeps a caller's mistake out of the error log."""

import logging

from pydantic import ValidationError


def quieten_bentoml() -> None:
    """Stop BentoML from logging a refused request as an error with a traceback; the edge logs its status."""
    logger = logging.getLogger("bentoml._internal.server.http_app")
    if drop_refusals not in logger.filters:
        logger.addFilter(drop_refusals)


def drop_refusals(record: logging.LogRecord) -> bool:
    """A logging filter: false for what a caller did wrong and for load that was shed."""
    from bentoml.exceptions import ServiceUnavailable

    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, ValidationError | ServiceUnavailable)
