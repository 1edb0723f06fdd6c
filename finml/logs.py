"""Structured logs: JSON for machines, colours for people, personal data masked, on standard error.

Standard output belongs to a command's answer, so that `--json` prints one document and nothing else.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from finml.settings import Settings

# Keys whose values say who somebody is. Identifiers that join logs (user_id, loan_id) are opaque and stay.
PERSONAL_KEYS = frozenset(
    {
        "birth_date",
        "email",
        "name",
        "phone",
        "pan",
        "card_number",
        "account_number",
        "upi_id",
        "text",
        "token",
    }
)
PERSONAL_PATTERNS = (
    re.compile(
        r"[\w.+-]+@(?!champion|candidate|challenger|previous)[A-Za-z][\w.-]*"
    ),  # e-mail addresses, UPI ids, not versions
    re.compile(
        r"(?<![\w.:-])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ -]?\d){9,18}(?![\w.:-])"
    ),  # phone, card and account numbers
    re.compile(r"\b[A-Z]{5}\d{4}[A-Z]\b"),  # Indian tax numbers (PAN)
    re.compile(r"(?<=://)[^\s@]*:[^\s@]+(?=@)"),  # user and password in a URL
    re.compile(r"(?i)\b(?:password|passwd|pwd|token)=[^&\s]+"),  # the same among its parameters
)
MASK = "***"
HANDLER = "finml"


def mask(value: object) -> object:
    """`value` with everything in it that looks like personal data or a password replaced by `***`."""
    if isinstance(value, str):
        for pattern in reversed(PERSONAL_PATTERNS):
            value = pattern.sub(MASK, value)
        return value
    if isinstance(value, dict):
        return {key: MASK if str(key) in PERSONAL_KEYS else mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask(item) for item in value]
    return value


def mask_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that masks every value of an event."""
    for key in event:
        event[key] = MASK if key in PERSONAL_KEYS else mask(event[key])
    return event


def configure_logging(settings: Settings) -> None:
    """Send finml's and the libraries' logs to standard error in the configured format, masked alike."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
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
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
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
    root.handlers = [other for other in root.handlers if other.get_name() != HANDLER]
    handler.set_name(HANDLER)
    root.addHandler(handler)
    # libraries say little that a user of finml needs
    root.setLevel(max(level, logging.WARNING))
