"""Runs a Bento on this machine: for `finml serve`, the quick start, the load test and the tests."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import structlog
from pydantic import SecretStr

from bentos.guard import check_access
from bentos.listening import check_address, url_of
from bentos.processes import LAST_LINES, bentoml_environment, python
from bentos.release import FEATURES_FOLDER
from finml.errors import ServeError
from finml.monitoring.sinks import sink_of
from finml.settings import Settings

log = structlog.get_logger(__name__)

SERVICE = "finance"
HOST = "127.0.0.1"
# where this machine is asked that listens on all its addresses
OWN_HOST = {"0.0.0.0": HOST, "::": "::1"}  # noqa: S104  # nosec B104  # only compared with
POLL_S = 0.1
# a worker drains, finishes within 15 s and writes its logs within 5
STOP_S = 30.0
# what a served Bento is told; the ledger, the registry and Kubeflow's token are none of its business
SERVED_SETTINGS = (
    *("home", "redis_url", "log_level", "log_format"),
    *("auth", "keys_file", "keys_secret", "jwt_issuer", "jwt_audience", "jwt_jwks", "jwt_algorithm"),
    *("rate_per_s", "rate_burst", "daily_quota", "failed_attempts", "limits_redis_url"),
    *("routing_file", "inference_log", "audit_secret"),
    *("store_timeout_s", "feature_cache_s", "feature_cache_rows", "degraded"),
    *("batch_rows", "queue_rows", "queue_wait_s", "drain_s"),
)


def newest_bento(settings: Settings) -> str:
    """Tag of the Bento that was packaged last.

    Raises:
        ServeError: none was packaged yet.
    """
    # BentoML's own pointer, read here because importing BentoML costs a second
    pointer = settings.bento_home / "bentos" / SERVICE / "latest"
    try:
        return f"{SERVICE}:{pointer.read_text(encoding='utf-8').strip()}"
    except FileNotFoundError:
        raise ServeError(
            f"no Bento in {settings.bento_home}", hint="package one: `finml run release`, or `make run`"
        ) from None


def serve(
    settings: Settings,
    port: int,
    *,
    host: str = HOST,
    tag: str | None = None,
    workers: int = 1,
    announce: Callable[[str], None] = lambda url: None,
) -> int:
    """Run a Bento until it ends or is interrupted, and return 0, or the status that it ended with by itself.

    Args:
        settings: names the Bento store, FINML_HOME and the online store.
        port: the port.
        host: the address to listen on.
        tag: which Bento; `None` for the newest.
        workers: processes that share the requests, and the memory of the models.
        announce: told the service's URL as soon as it is ready.

    Raises:
        ServeError: there is no Bento, or the address cannot be listened on.
    """
    process = start(settings, port, host=host, tag=tag, workers=workers)
    stopped: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        stopped.append(number)
        process.terminate()

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ours = url_of(OWN_HOST.get(host, host), port)
        while process.poll() is None and not is_ready(ours):
            time.sleep(POLL_S)
        if process.poll() is None:
            announce(url_of(host, port))
        status = process.wait()
        return 0 if stopped else status
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        stop(process)


@contextmanager
def running(
    settings: Settings,
    *,
    port: int | None = None,
    tag: str | None = None,
    workers: int = 1,
    ready_within_s: float = 120.0,
) -> Iterator[str]:
    """A Bento that runs and is ready, for as long as the block lasts.

    Args:
        settings: as for `serve`.
        port: port on 127.0.0.1; `None` for a free one.
        tag: as for `serve`.
        workers: as for `serve`.
        ready_within_s: seconds to wait until `/readyz` says yes.

    Yields:
        The service's URL.

    Raises:
        ServeError: it ended or was not ready in time; the message ends with its log.
    """
    port = port or free_port()
    url = url_of(HOST, port)
    with tempfile.NamedTemporaryFile(prefix="finml-serve-", suffix=".log") as output:
        # nobody balances load over this one
        undrained = settings.model_copy(update={"drain_s": 0.0})
        process = start(undrained, port, tag=tag, workers=workers, output=output.fileno())
        try:
            wait_until_ready(url, process, Path(output.name), ready_within_s)
            yield url
        finally:
            stop(process)


def start(
    settings: Settings,
    port: int,
    *,
    host: str = HOST,
    tag: str | None = None,
    workers: int = 1,
    output: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start the server's process, see `serve`.

    Raises:
        ServeError: as for `serve`.
        SettingsError, AccessError, AuditError: it would not start, or not do what the settings say.
    """
    from finml.features.serving import check_online_store

    tag = tag or newest_bento(settings)
    if answers(port):
        raise ServeError(f"port {port} is taken", hint="name another one by --port")
    check_address(host, port)
    source = settings.bento_home.joinpath("bentos", *tag.split(":"), "src")
    if not source.is_dir():
        raise ServeError(f"there is no Bento {tag}", hint="`finml run release` packages one")
    check_access(settings)
    # which connects to nothing
    sink_of(settings)
    check_online_store(source / "serving" / FEATURES_FOLDER, settings)
    command = python("-m", "bentos.workers", tag, "--host", host, "--port", str(port))
    log.info("starting", bento=tag, url=url_of(host, port))
    # a group of its own, so that an interrupt from the keyboard comes by us alone and workers end with it
    return subprocess.Popen(  # noqa: S603  # nosec B603  # a list of our own making, no shell
        [*command, "--workers", str(workers)],
        # where the Bento's own sources are the first that Python finds
        cwd=source,
        env=environment(settings, workers),
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def environment(settings: Settings, workers: int = 1) -> dict[str, str]:
    """The server's environment: this process's, with finml's settings reduced to those that serving reads."""
    inherited = bentoml_environment(settings.bento_home)
    kept = {name: value for name, value in inherited.items() if not name.startswith("FINML_")}
    told = {f"FINML_{name.upper()}": plain(getattr(settings, name)) for name in SERVED_SETTINGS}
    # workers with as many threads as cores each would fight over them
    threads = (
        str(max(1, len(os.sched_getaffinity(0)) // workers)) if hasattr(os, "sched_getaffinity") else "1"
    )
    return kept | told | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": "1"}


def plain(value: object) -> str:
    """A setting as a variable's value."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], output: Path, within_s: float) -> None:
    """Wait until the service says that it is ready."""
    deadline = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < deadline:
        if is_ready(url):
            return
        time.sleep(POLL_S)
    said = "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])
    became = "was not ready in time" if process.poll() is None else f"ended with status {process.returncode}"
    raise ServeError(f"the service {became}; its log ends with:\n{said}")


def is_ready(url: str) -> bool:
    """Whether the service at `url` answers `/readyz` with yes."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310  # nosec B310  # http, ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and its workers, by force where they do not go."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
