"""The settings as variables of pipeline steps: all of them here, only the public ones in a cluster."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from components.step import RUN_FOLDER
from finml.settings import Settings
from finml.urls import has_secret, is_local, public_url

# Where the claim that holds FINML_HOME is mounted in a cluster.
CLUSTER_HOME = "/finml"
# What only the machine that starts a run needs.
NOT_FOR_STEPS = frozenset({"kfp_host", "kfp_namespace", "kfp_token", "image"})
# Settings that name servers, and may carry a password.
URLS = ("ledger_url", "offline_url", "redis_url", "mlflow_tracking_uri")


def variable(field: str) -> str:
    """Name of a setting's variable."""
    return f"FINML_{field.upper()}"


def step_variables(settings: Settings, root: Path) -> dict[str, str]:
    """What a step of the run in `root` on this machine reads. Holds passwords: not to be written."""
    values = {
        name: getattr(settings, name) for name in type(settings).model_fields if name not in NOT_FOR_STEPS
    }
    # A step may run in another folder, where a relative path would name another ledger.
    ledger = public_url(settings.ledger) if is_local(settings.ledger) else settings.ledger
    values |= {"ledger_url": ledger, "log_format": "json"}
    steps = {RUN_FOLDER: str(root), "PYTHONUNBUFFERED": "1"}
    return steps | {
        variable(name): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def cluster_variables(settings: Settings) -> dict[str, str]:
    """Settings of steps in a cluster that all may read: what differs from the default and is no secret."""
    public = {variable("home"): CLUSTER_HOME, variable("log_format"): "json"}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        machine_only = name in NOT_FOR_STEPS or name in {"home", "docker_socket", "log_format"}
        if machine_only or value == field.default or isinstance(value, SecretStr):
            continue
        if name in URLS and (has_secret(value) or not urlsplit(value).netloc):
            continue
        public[variable(name)] = str(value)
    return public


def secret_variables(public: Mapping[str, str]) -> dict[str, str]:
    """Settings of steps in a cluster that come from a Kubernetes secret: the secret's key by variable."""
    return {variable(name): name for name in URLS if variable(name) not in public}
