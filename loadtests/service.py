"""The service that is asked: one that runs, or one that is started for the test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from finml.access.temporary import temporary_key
from finml.errors import ServeError, UsageError
from finml.settings import Settings
from loadtests.plan import KEY_VARIABLE

if TYPE_CHECKING:
    import psutil

TIMEOUT_S = 10.0
KEY_HEADER = "X-API-Key"
# what one key may ask would be measured otherwise, not what the service can
WITHOUT_LIMITS = {"rate_per_s": 1e6, "rate_burst": 1_000_000, "daily_quota": 1_000_000_000}


@dataclass(frozen=True)
class Service:
    """A service that answers.

    Attributes:
        key: API key to send; empty for none.
        processes: its processes, where it was started here.
    """

    url: str
    key: str = ""
    processes: tuple["psutil.Process", ...] = ()


def running(url: str, key_file: Path | None) -> Service:
    """A service that runs elsewhere, and the key to ask it with."""
    return Service(url.rstrip("/"), api_key(key_file))


@contextmanager
def started(settings: Settings, workers: int) -> Iterator[Service]:
    """The newest Bento, served for as long as the block lasts, without limits on what one key may ask."""
    import psutil

    from bentos import server

    unlimited = settings.model_copy(update=WITHOUT_LIMITS)
    with temporary_key(unlimited, "load test") as key:
        ours = psutil.Process()
        before = set(ours.children())
        with server.running(unlimited, workers=workers) as url:
            yield Service(url, key, tuple(set(ours.children()) - before))


def api_key(file: Path | None) -> str:
    """The key in a file, or in FINML_API_KEY; empty for none.

    Raises:
        UsageError: the file cannot be read or holds no key.
    """
    if file is None:
        return os.environ.get(KEY_VARIABLE, "").strip()
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the API key cannot be read: {error}") from None
    if not key or len(key.split()) > 1:
        raise UsageError(f"{file} holds no API key", hint="it must hold the key and nothing else")
    return key


def served_models(service: Service) -> list[str]:
    """Names of the models that a service says it serves.

    Raises:
        ServeError: it does not answer.
    """
    headers = {KEY_HEADER: service.key} if service.key else {}
    try:
        answer = httpx.get(f"{service.url}/models", headers=headers, timeout=TIMEOUT_S).raise_for_status()
        # a model can be served in several versions
        return list(dict.fromkeys(model["name"] for model in answer.json()["models"]))
    except httpx.HTTPStatusError as error:
        refused = error.response.status_code in (401, 403)
        raise ServeError(
            f"{service.url} refuses to say what it serves: status {error.response.status_code}",
            hint="name a key by FINML_API_KEY or --api-key-file" if refused else "see the service's log",
        ) from None
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise ServeError(
            f"{service.url} does not say what it serves: {error}", hint="name a running service by --host"
        ) from None
