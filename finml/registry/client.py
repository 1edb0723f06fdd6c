"""The door to MLflow: an explicit client a call, errors in finml's words, locks between processes.

Nothing here touches MLflow's process-wide tracking URI, so two homes can be in use in one process.
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock, Timeout

from finml.errors import RegistryError, UsageError
from finml.resilience import connect_retries
from finml.settings import Settings
from finml.urls import public_url

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOCK_TIMEOUT_S = 120
PING_TIMEOUT_S = 5
# MLflow reports its use to its makers and writes to standard output unless told otherwise before its import.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@contextmanager
def connect(settings: Settings) -> Iterator["MlflowClient"]:
    """An MLflow client of the configured store; the embedded SQLite store is created when it is not there.

    Raises:
        RegistryError: the store cannot be reached, or refuses what is asked of it within the block.
    """
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    import requests
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    uri = settings.tracking_uri
    shown = uri if uri.startswith("sqlite:") else public_url(uri)
    try:
        if uri.startswith(("http://", "https://")):
            # MLflow's own client retries for minutes before it gives up on a server that is not there
            connect_retries(requests.ConnectionError)(requests.head, uri, timeout=PING_TIMEOUT_S)
        elif uri.startswith("sqlite:///"):
            create_sqlite_store(settings)
        yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except requests.RequestException as error:
        raise RegistryError(
            f"the MLflow server {shown} does not answer ({type(error).__name__})",
            hint="start it, or mend FINML_MLFLOW_TRACKING_URI",
        ) from error
    except MlflowException as error:
        raise RegistryError(
            f"MLflow at {shown}: {error.message}", hint=_advice(error.message, shown)
        ) from error


def _advice(message: str, shown: str) -> str:
    if "out-of-date database schema" in message:
        return f"back the database up, then run `mlflow db upgrade {shown}`"
    return "run `finml doctor` to check the store"


def create_sqlite_store(settings: Settings) -> None:
    """Create the SQLite store unless it exists: built beside, then renamed, by one process at a time."""
    database = Path(settings.tracking_uri.removeprefix("sqlite:///"))
    if database.exists():
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(database.with_suffix(".lock")):
        if database.exists():
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        building = database.with_name(f".{database.name}.{uuid4().hex}")
        noisy = logging.getLogger("mlflow.store.db.utils")
        level = noisy.level
        noisy.setLevel(logging.WARNING)
        try:
            SqlAlchemyStore(f"sqlite:///{building}", str(artifact_root(settings))).engine.dispose()
            building.replace(database)
        finally:
            noisy.setLevel(level)
            building.unlink(missing_ok=True)


def artifact_root(settings: Settings) -> Path | None:
    """Folder of the artifacts of a store that is a database, or `None` where a server decides."""
    is_server = settings.tracking_uri.startswith(("http://", "https://"))
    return None if is_server else settings.home / "mlflow" / "artifacts"


def experiment(client: "MlflowClient", settings: Settings, name: str) -> str:
    """Id of the experiment of that name, which is created when it is not there.

    Raises:
        RegistryError: the experiment was deleted.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        root = artifact_root(settings)
        try:
            return str(client.create_experiment(name, (root / name).as_uri() if root else None))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    if found.lifecycle_stage != "active":
        raise RegistryError(
            f"the MLflow experiment {name!r} was deleted",
            hint=f"restore it: `mlflow experiments restore --experiment-id {found.experiment_id}`",
        )
    return str(found.experiment_id)


def is_missing(error: Exception) -> bool:
    """Whether an MLflow error says that the thing asked for does not exist."""
    return getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST"


def check_name(name: str) -> str:
    """`name`, if it can be a model's name.

    Raises:
        UsageError: it cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a model",
            hint="names are lower-case letters, digits and underscores, as in credit_risk",
        )
    return name


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold the lock `file` among all processes that share its folder.

    Raises:
        RegistryError: another process holds it for longer than two minutes.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file, timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise RegistryError(
            f"another process holds {file} for more than {LOCK_TIMEOUT_S} s",
            hint="see whether a `finml` command hangs, end it and try again",
        ) from error


def model_lock(settings: Settings, name: str) -> Path:
    """Lock file under which the aliases of a model move."""
    return settings.home / "mlflow" / "locks" / f"{check_name(name)}.lock"
