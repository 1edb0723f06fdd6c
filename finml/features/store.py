"""The feature store: Feast over the offline store that `build` writes.

The objects (views, services) are declared in `feature_repo` and handed in: the library knows no repository.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import structlog
import yaml
from filelock import FileLock

from finml.errors import FeatureError, SettingsError
from finml.features.declarations import SERVICES, request_fields, service_views
from finml.features.postgres import connection_parts, schema_name
from finml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from feast import FeatureService, FeatureStore

log = structlog.get_logger(__name__)

LOCAL, PRODUCTION = "feature_store.yaml", "feature_store.production.yaml"
Section = dict[str, "Section"] | str | int | bool | None


@dataclass(frozen=True)
class FeatureRepo:
    """What `feature_repo` declares.

    Attributes:
        objects: Feast's entities, views and services.
        folder: holds `feature_store.yaml` and `feature_store.production.yaml`.
    """

    objects: tuple[Any, ...]
    folder: Path


def configuration(settings: Settings, folder: Path) -> dict[str, Any]:
    """Feast's configuration: each section from the file that the settings choose, variables filled in.

    Args:
        settings: `redis_url` chooses the online store, `offline_url` the offline store and the registry.
        folder: holds the two files.

    Raises:
        SettingsError: a setting that a chosen section needs is missing or cannot be used.
    """
    local, production = (_read(folder / name) for name in (LOCAL, PRODUCTION))
    chosen = dict(local)
    if settings.redis_url:
        chosen["online_store"] = production["online_store"]
    if settings.offline_url:
        chosen |= {key: production[key] for key in ("offline_store", "registry")}
    variables = _variables(settings)
    return {name: _filled(section, variables) for name, section in chosen.items()}


def feature_store(settings: Settings, repo: FeatureRepo) -> "FeatureStore":
    """Feast's feature store, without connecting to anything yet."""
    from feast import FeatureStore, RepoConfig

    settings.workspace.feast.mkdir(parents=True, exist_ok=True)
    config = RepoConfig(**configuration(settings, repo.folder))
    config.repo_path = settings.workspace.feast
    return FeatureStore(config=config)


@contextmanager
def changing(settings: Settings) -> Iterator[None]:
    """Only one process at a time changes a registry and an online store of this machine."""
    settings.workspace.feast.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.workspace.feast / ".lock"):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Feast's progress bars and coloured prints out of a command's answer."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield


def apply(settings: Settings, repo: FeatureRepo) -> None:
    """Register the repository's objects and drop those that it no longer declares. Idempotent.

    Raises:
        FeatureError: nothing has been built, so that the sources do not exist yet.
    """
    from finml.features.offline import OfflineStore

    OfflineStore(settings.workspace.features).require()
    with changing(settings):
        store = feature_store(settings, repo)
        declared = {(type(thing).__name__, thing.name) for thing in repo.objects}
        there = [
            *store.list_batch_feature_views(),
            *store.list_on_demand_feature_views(),
            *store.list_feature_services(),
        ]
        gone = [thing for thing in there if (type(thing).__name__, thing.name) not in declared]
        with quiet():
            store.apply(list(repo.objects), objects_to_delete=gone, partial=False)
    log.info("feature_repo_applied", objects=len(repo.objects), dropped=len(gone))


def service(store: "FeatureStore", name: str) -> "FeatureService":
    """A registered feature service.

    Raises:
        FeatureError: none is registered under that name; says which are.
    """
    from feast.errors import FeatureServiceNotFoundException

    try:
        return store.get_feature_service(name, allow_cache=True)
    except (FeatureServiceNotFoundException, FileNotFoundError):
        raise FeatureError(
            f"no feature service {name!r} is registered for this ledger",
            hint=f"run: finml run features (services: {', '.join(SERVICES)})",
        ) from None


def training_set(
    settings: Settings, repo: FeatureRepo, feature_service: str, spine: "pd.DataFrame"
) -> "pd.DataFrame":
    """Features of each row of a spine as they were known at its time; registers the repository first.

    Args:
        settings: say where the stores are.
        repo: what `feature_repo` declares.
        feature_service: name of a registered service.
        spine: `user_id`, `event_timestamp` (UTC), the fields that a request to the service tells
            (`declarations.request_fields`), and whatever else.

    Returns:
        The spine's rows and columns, in its order, followed by the service's features: numbers as float64,
        texts as objects that are `None` where they are missing.

    Raises:
        FeatureError: the service is not registered, a column is missing, or no row has any feature.
    """
    import pandas as pd

    told = request_fields(feature_service) if feature_service in SERVICES else ()
    asked = ["user_id", "event_timestamp", *told]
    missing = [name for name in asked if name not in spine.columns]
    if missing:
        raise FeatureError(
            f"the spine lacks {', '.join(missing)}",
            hint=f"{feature_service} is asked with {', '.join(asked)}",
        )
    apply(settings, repo)
    store = feature_store(settings, repo)
    chosen = service(store, feature_service)
    entities = spine[asked].reset_index(drop=True).rename_axis("spine_row").reset_index()
    entities = entities.astype(dict.fromkeys(told, "float64"))
    with quiet():
        found = store.get_historical_features(
            entity_df=entities, features=chosen, filter_by_created_timestamp=True
        ).to_df()
    views = service_views(feature_service)
    declared = [feature for view in views for feature in view.features]
    features = found.set_index("spine_row").sort_index()[[feature.name for feature in declared]]
    texts = [feature.name for feature in declared if feature.is_text]
    features = features.astype({f.name: "object" if f.is_text else "float64" for f in declared})
    features[texts] = features[texts].where(features[texts].notna(), None)
    always = [view.always for view in views if view.always]
    without = int(features[always].isna().all(axis=1).sum())
    if without == len(spine):
        raise FeatureError(
            "no row of the spine has any feature", hint="build the features first: finml run features"
        )
    if without:
        log.warning("training_rows_without_features", rows=without, of=len(spine))
    features.index = spine.index
    joined: pd.DataFrame = pd.concat([spine, features], axis=1)
    return joined


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def _variables(settings: Settings) -> Mapping[str, str]:
    variables = {
        "FINML_FEAST_PROJECT": settings.workspace.project,
        "FINML_FEAST_HOME": str(settings.workspace.feast),
        "FINML_REDIS_URL": settings.redis_url,
    }
    if settings.offline_url:
        parts = connection_parts(settings.offline_url)
        variables |= {f"FINML_OFFLINE_{name.upper()}": value for name, value in parts.items()}
        variables["FINML_OFFLINE_SCHEMA"] = schema_name(settings)
        variables["FINML_OFFLINE_SQLALCHEMY_URL"] = "postgresql+psycopg" + settings.offline_url.removeprefix(
            settings.offline_url.partition("://")[0]
        )
    return variables


def _filled(value: Section, variables: Mapping[str, str]) -> Section:
    """A section with its variables replaced text by text, so that no value can be taken for YAML."""
    if isinstance(value, dict):
        return {key: _filled(item, variables) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    try:
        filled = Template(value).substitute(variables)
    except KeyError as error:
        raise SettingsError(
            f"the feature store needs {error.args[0]}", hint="see .env.example for each setting"
        ) from None
    return int(filled) if value == "${FINML_OFFLINE_PORT}" else filled
