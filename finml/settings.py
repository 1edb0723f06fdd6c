"""One typed configuration, read once from `FINML_*` variables, `.env` and a folder of mounted secrets.

Everything that finml writes on a laptop lives below `home`; delete the folder and you are on a fresh machine.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from finml.errors import SettingsError
from finml.urls import identity

# Names a folder with one file a setting, as orchestrators mount secrets: finml_keys_secret, finml_redis_url
SECRETS_DIR = "FINML_SECRETS_DIR"

AbsolutePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().resolve())]
# served processes run in a folder of their own, so a path means what it means where it was written
FileName = Annotated[str, AfterValidator(lambda text: str(Path(text).expanduser().resolve()) if text else "")]


class Settings(BaseSettings):
    """Every setting of finml. The variable is the field's name in upper case behind `FINML_`."""

    model_config = SettingsConfigDict(
        env_prefix="FINML_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    home: AbsolutePath = Field(Path(".finml"), validate_default=True, description="folder of all local state")
    ledger_url: str = Field("", description="the bank's ledger; empty: a folder of Parquet files below home")
    quarantine_limit: float = Field(
        0.05, ge=0, le=1, description="share of a table's rows above which an ingestion is refused"
    )
    snapshot_calendar: str = Field(
        "month_end", pattern="^(month_end|week_end|day)$", description="when features are snapshotted"
    )
    offline_url: str = Field("", description="PostgreSQL URL of the offline store; empty: Parquet below home")
    redis_url: str = Field("", description="Redis of the online store; empty: SQLite below home")
    mlflow_tracking_uri: str = Field("", description="MLflow server; empty: SQLite below home")
    kfp_host: str = Field("", description="Kubeflow Pipelines endpoint for `finml submit`")
    kfp_namespace: str = Field("kubeflow-user", description="Kubeflow namespace")
    kfp_token: SecretStr = Field(SecretStr(""), description="bearer token of the Kubeflow endpoint")
    image: str = Field("finml:0.1.0", description="image in which pipeline steps run")
    base_image: str = Field(
        "", description="image that `finml run release` builds on; empty: the declared one"
    )
    docker_socket: str = Field("", description="Docker-compatible socket; empty: the client's default")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level logged")
    log_format: str = Field(
        "auto", pattern="^(auto|json|console)$", description="auto: console on a terminal"
    )
    intent_base: str = Field(
        "",
        description="transformer that `intent` starts from: a folder, or a name on the model hub; "
        "empty: all-MiniLM-L6-v2",
    )
    entities_base: str = Field(
        "",
        description="spaCy pipeline that `entities` starts from: an installed package or a folder; "
        "empty: en_core_web_sm",
    )
    auth: str = Field(
        "required", pattern="^(required|open)$", description="who may call the service; open: everybody"
    )
    keys_file: FileName = Field("", description="file of API keys; empty: below home")
    keys_secret: SecretStr = Field(
        SecretStr(""), description="secret that API keys are hashed with; empty: made below home"
    )
    jwt_issuer: str = Field("", description="issuer of bearer tokens; empty: none are taken")
    jwt_audience: str = Field("", description="audience that bearer tokens must name")
    jwt_jwks: str = Field("", description="URL or file of the issuer's public keys (JWKS)")
    jwt_algorithm: str = Field(
        "RS256", pattern="^(RS|ES|PS)(256|384|512)$|^EdDSA$", description="the one algorithm that is taken"
    )
    rate_per_s: float = Field(50, gt=0, description="requests a second that a key may send to a model")
    rate_burst: int = Field(100, ge=1, description="requests that may come at once")
    daily_quota: int = Field(200_000, ge=1, description="inputs a day that a key may send")
    failed_attempts: int = Field(
        20, ge=1, description="failed attempts to authenticate that an address may make in a minute"
    )
    limits_redis_url: SecretStr = Field(
        SecretStr(""), description="Redis that replicas share limits by; empty: each process for itself"
    )
    routing_file: FileName = Field("", description="which version answers whom; empty: below home")
    inference_log: SecretStr = Field(
        SecretStr(""), description="`off`, or a PostgreSQL URL; empty: Parquet files below home"
    )
    audit_secret: SecretStr = Field(
        SecretStr(""),
        description="secret of the audit log's chain and of stand-ins for people; empty: made below home",
    )
    store_timeout_s: float = Field(0.5, gt=0, description="seconds that the online store may take")
    feature_cache_s: float = Field(5, ge=0, description="seconds that features may be reused; 0: never")
    feature_cache_rows: int = Field(50_000, ge=1, description="users whose features are kept")
    degraded: str = Field(
        "refuse",
        pattern="^(refuse|stale)$",
        description="without an online store: refuse, or answer by features read before, flagged stale",
    )
    batch_rows: int = Field(32, ge=1, description="most rows that a model scores together")
    queue_rows: int = Field(1024, ge=1, description="rows that may wait for a model; more are answered 503")
    queue_wait_s: float = Field(5, gt=0, description="seconds that a request may wait for its model")
    drain_s: float = Field(2, ge=0, description="seconds that a stopping service still takes requests")
    seed: int = Field(7, ge=0, description="seed of every random choice")

    @property
    def ledger(self) -> str:
        """URL of the ledger, with the default filled in."""
        return self.ledger_url or str(self.home / "ledger")

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking URI, with the default filled in."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"

    @property
    def bento_home(self) -> Path:
        """Folder of the local Bento store."""
        return self.home / "bentoml"

    @property
    def keys(self) -> Path:
        """File of API keys, with the default filled in."""
        return Path(self.keys_file) if self.keys_file else self.home / "access" / "keys.json"

    @property
    def routing(self) -> Path:
        """Routing file, with the default filled in."""
        return Path(self.routing_file) if self.routing_file else self.home / "routing.yaml"

    @property
    def runs(self) -> Path:
        """Folder with one subfolder a local pipeline run."""
        return self.home / "runs"

    @property
    def workspace(self) -> "Workspace":
        """The folder of the ledger in use."""
        return Workspace.of(self.home, self.ledger)

    def given_secret(self, name: str, *, least: int) -> bytes | None:
        """A secret of the settings, or `None` where none is set.

        Args:
            name: its field.
            least: characters that it must have.

        Raises:
            SettingsError: it is too short to be one.
        """
        given: str = getattr(self, name).get_secret_value()
        if given and len(given.strip()) < least:
            raise SettingsError(
                f"FINML_{name.upper()} has fewer than {least} characters",
                hint="make one: python -c 'import secrets; print(secrets.token_hex(32))'",
            )
        return given.encode() or None

    def with_ledger(self, url: str | None) -> "Settings":
        """The same settings over another ledger; `None` or empty changes nothing."""
        return self.model_copy(update={"ledger_url": url}) if url else self


class Workspace:
    """Where the tables and features that come from one ledger live.

    One home can hold several ledgers side by side; nothing of one is read for another.

    Attributes:
        ledger_id: short stable name of the ledger, made from what its URL reads, without user and password.
        root: the folder.
    """

    def __init__(self, root: Path, ledger_id: str) -> None:
        self.root = root
        self.ledger_id = ledger_id

    @classmethod
    def of(cls, home: Path, ledger_url: str) -> "Workspace":
        """Workspace of `ledger_url` below `home`. Creates nothing."""
        digest = hashlib.sha256(identity(ledger_url).encode()).hexdigest()[:10]
        return cls(home / "ledgers" / digest, digest)

    @property
    def warehouse(self) -> Path:
        """DuckDB database of the validated tables, the quarantine and the watermarks."""
        return self.root / "warehouse.duckdb"

    @property
    def features(self) -> Path:
        """Offline store: one folder of Parquet files a feature view."""
        return self.root / "features"

    @property
    def feast(self) -> Path:
        """Feast's registry and the SQLite online store."""
        return self.root / "feast"

    @property
    def project(self) -> str:
        """Feast project, so that ledgers that share one Redis do not share keys."""
        return f"finml_{self.ledger_id}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read on first use.

    Raises:
        SettingsError: a variable or a line of `.env` has a value that cannot be used; the message names it.
    """
    folder = os.environ.get(SECRETS_DIR)
    if folder and not Path(folder).is_dir():
        raise SettingsError(
            f"{SECRETS_DIR} names no folder: {folder}", hint="mount the secrets there, one file a setting"
        )
    try:
        # a variable of the environment goes before the file of the same name
        return Settings(_secrets_dir=folder or None)
    except ValidationError as error:
        names = "; ".join(f"FINML_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"settings cannot be used: {names}", hint="see .env.example for each setting"
        ) from None
