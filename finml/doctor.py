"""Checks of the machine and the settings, each with what to do about what is missing."""

import difflib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from pydantic import BaseModel, ConfigDict

from finml.settings import SECRETS_DIR, Settings
from finml.urls import public_url

State = Literal["ok", "warning", "failed"]
PYTHON = (3, 11)
FREE_DISK_GB = 5
CONNECT_TIMEOUT_S = 3
BUILDERS = ("docker", "podman", "buildah")
# variables that are no settings: of clients, of where secrets lie, and of the tests
OTHER_VARIABLES = {"FINML_API_KEY", "FINML_JWT", SECRETS_DIR}
OTHER_PREFIXES = ("FINML_TEST_", "FINML_FUZZ_")


class Check(BaseModel):
    """The finding of one check: `advice` says what to do, and is empty where nothing is to be done."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: State
    found: str
    advice: str = ""


class Diagnosis(BaseModel):
    """All findings, in the order in which a newcomer would mend them."""

    checks: list[Check]

    @property
    def healthy(self) -> bool:
        """Whether nothing failed. Warnings name what only some commands need."""
        return all(check.state != "failed" for check in self.checks)


def diagnose(settings: Settings) -> Diagnosis:
    """Run every check. Opens the configured servers for some seconds at most; writes nothing that stays."""
    checks = [check_python(), *check_packages(), check_weights(), check_variables()]
    checks += [check_home(settings), check_disk(settings)]
    checks += [check_ledger(settings), *check_servers(settings), check_builder()]
    return Diagnosis(checks=checks)


def check_python() -> Check:
    """Whether this Python is the one that the lock was resolved for."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] == PYTHON:
        return Check(name="python", state="ok", found=found)
    return Check(
        name="python", state="failed", found=found, advice="run `make setup PYTHON=/path/to/python3.11`"
    )


def check_packages() -> Iterator[Check]:
    """Whether each required package is there in a version that finml was resolved with."""
    try:
        declared = importlib.metadata.requires("finml") or []
    except importlib.metadata.PackageNotFoundError:
        yield Check(
            name="packages", state="failed", found="finml is not installed", advice="run `make setup`"
        )
        return
    wrong = []
    for requirement in map(Requirement, declared):
        optional = requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})
        in_dev_only = requirement.marker is not None and requirement.marker.evaluate({"extra": "dev"})
        if requirement.name == "finml" or in_dev_only:
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append((requirement, "missing", optional))
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append((requirement, version, optional))
    for requirement, version, optional in wrong:
        yield Check(
            name=f"package {requirement.name}",
            state="warning" if optional and version == "missing" else "failed",
            found=f"{version}, needs {requirement.specifier}",
            advice="run `make setup`, which installs the locked versions",
        )
    if not wrong:
        yield Check(name="packages", state="ok", found="all required packages, in the required versions")


def check_weights() -> Check:
    """Whether the pretrained weights that models start from can be found without a download."""
    from finml.models.base import get_model, model_names

    missing = [
        f"{name}: {weights}" for name in model_names() for weights in get_model(name).missing_weights()
    ]
    if missing:
        return Check(
            name="model weights",
            state="warning",
            found="; ".join(missing),
            advice="install the packages or name a local folder, see docs/models.md",
        )
    return Check(name="model weights", state="ok", found="nothing is missing")


def check_variables() -> Check:
    """Whether each `FINML_…` of the environment and of `.env` is a setting: a misspelt one does nothing."""
    from pydantic_settings import DotEnvSettingsSource

    known = {f"FINML_{name.upper()}" for name in Settings.model_fields}
    named = map(str.upper, (*os.environ, *DotEnvSettingsSource(Settings).env_vars))
    given = {name for name in named if name.startswith("FINML_")}
    unknown = sorted(name for name in given - known - OTHER_VARIABLES if not name.startswith(OTHER_PREFIXES))
    if not unknown:
        return Check(name="variables", state="ok", found="each FINML_… is a setting")
    close = [match for name in unknown for match in difflib.get_close_matches(name, known, n=1)]
    return Check(
        name="variables",
        state="warning",
        found=f"no setting: {', '.join(unknown)}",
        advice=f"did you mean {', '.join(close)}?" if close else "`.env.example` lists those that there are",
    )


def check_home(settings: Settings) -> Check:
    """Whether state can be written where the settings say."""
    parent = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return Check(name="home", state="ok", found=str(settings.home))
    return Check(
        name="home",
        state="failed",
        found=f"{parent} cannot be written",
        advice="set FINML_HOME to a folder of yours",
    )


def check_disk(settings: Settings) -> Check:
    """Whether there is room for a ledger, features, models and a Bento."""
    folder = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(folder).free / 1e9
    if free >= FREE_DISK_GB:
        return Check(name="disk", state="ok", found=f"{free:.0f} GB free")
    return Check(
        name="disk",
        state="warning",
        found=f"{free:.1f} GB free, {FREE_DISK_GB} GB are comfortable",
        advice="free some, or set FINML_HOME to another disk",
    )


def check_ledger(settings: Settings) -> Check:
    """Whether the ledger can be opened, and which tables it holds."""
    from finml.errors import FinmlError
    from finml.ledger.source import open_source

    shown = public_url(settings.ledger)
    if not settings.ledger_url and not Path(settings.ledger).exists():
        return Check(
            name="ledger",
            state="warning",
            found=f"{shown} does not exist yet",
            advice="run `finml data generate`, or set FINML_LEDGER_URL to the bank's ledger",
        )
    try:
        tables = open_source(settings.ledger).tables()
    except FinmlError as error:
        return Check(name="ledger", state="failed", found=str(error), advice=error.hint)
    return Check(name="ledger", state="ok", found=f"{shown}: {', '.join(tables)}")


def check_servers(settings: Settings) -> Iterator[Check]:
    """Whether each configured server answers. A server that is not configured is not checked."""
    servers: tuple[tuple[str, str, str, Callable[[str], None]], ...] = (
        ("offline store", "FINML_OFFLINE_URL", settings.offline_url, ping_postgres),
        ("online store", "FINML_REDIS_URL", settings.redis_url, ping_redis),
        ("mlflow", "FINML_MLFLOW_TRACKING_URI", settings.mlflow_tracking_uri, ping_http),
        ("kubeflow", "FINML_KFP_HOST", settings.kfp_host, ping_http),
    )
    for name, variable, url, ping in servers:
        if not url:
            yield Check(name=name, state="ok", found=f"{variable} is not set, so this machine is used")
            continue
        try:
            ping(url)
        except Exception as error:
            # whatever a client raises means the same here; its class says enough and holds no password
            yield Check(
                name=name,
                state="failed",
                found=f"{public_url(url)} does not answer ({type(error).__name__})",
                advice=f"start the server or mend {variable}",
            )
        else:
            yield Check(name=name, state="ok", found=f"{public_url(url)} answers")


def ping_postgres(url: str) -> None:
    """Open a PostgreSQL connection and close it."""
    import psycopg

    psycopg.connect(
        url.replace("postgresql+psycopg://", "postgresql://"), connect_timeout=CONNECT_TIMEOUT_S
    ).close()


def ping_redis(url: str) -> None:
    """Ask a Redis for a sign of life."""
    import redis

    with redis.Redis.from_url(url, socket_connect_timeout=CONNECT_TIMEOUT_S) as client:
        client.ping()


def ping_http(url: str) -> None:
    """Ask an HTTP server for any answer at all. A database URL of MLflow's is left to MLflow."""
    import requests

    if urlsplit(url).scheme in {"http", "https"}:
        requests.head(url, timeout=CONNECT_TIMEOUT_S)


def check_builder() -> Check:
    """Whether an OCI image can be built here."""
    found = [builder for builder in BUILDERS if shutil.which(builder)]
    if found:
        return Check(name="image builder", state="ok", found=", ".join(found))
    return Check(
        name="image builder",
        state="warning",
        found="none",
        advice="`finml run release` leaves the Bento; install docker, podman or buildah for an image",
    )
