"""What a served model needs to read features: a folder with Feast's configuration and a copy of its registry.

The folder is self-contained but for the online store itself, which it finds by settings: below `FINML_HOME`,
or at `FINML_REDIS_URL`. It holds no password of any server.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from finml.errors import FeatureError, SettingsError
from finml.features.store import FeatureRepo, configuration, feature_store
from finml.settings import Settings

if TYPE_CHECKING:
    from feast import FeatureStore

CONFIGURATION, REGISTRY = "feature_store.yaml", "registry.db"
HOME, REDIS = "${FINML_HOME}", "${FINML_REDIS_URL}"


def export_serving(settings: Settings, repo: FeatureRepo, folder: Path) -> list[Path]:
    """Write `feature_store.yaml` and `registry.db` into `folder`.

    Args:
        settings: the stores to serve from.
        repo: what `feature_repo` declares.
        folder: made if it is not there.

    Returns:
        The files written.

    Raises:
        FeatureError: nothing is registered yet.
    """
    store = feature_store(settings, repo)
    store.registry.refresh(store.project)
    registry = store.registry.proto()
    if not registry.feature_services:
        raise FeatureError("no feature service is registered for this ledger", hint="run: finml run features")
    chosen = configuration(settings, repo.folder)
    online = dict(chosen["online_store"])
    if settings.redis_url:
        online["connection_string"] = REDIS
    else:
        online["path"] = online["path"].replace(str(settings.home), HOME, 1)
    served = {
        "project": chosen["project"],
        "provider": chosen["provider"],
        "entity_key_serialization_version": chosen["entity_key_serialization_version"],
        "registry": {"path": REGISTRY, "cache_ttl_seconds": 0},
        "online_store": online,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIGURATION).write_text(yaml.safe_dump(served, sort_keys=False), encoding="utf-8")
    (folder / REGISTRY).write_bytes(registry.SerializeToString(deterministic=True))
    return [folder / CONFIGURATION, folder / REGISTRY]


def check_online_store(folder: Path, settings: Settings) -> None:
    """Look whether an exported folder reads from the kind of online store that the settings name.

    One that was exported for SQLite would go on reading its rows, however old, while Redis has the new ones.

    Args:
        folder: what `export_serving` wrote; one that is not there reads nothing.
        settings: `redis_url`.

    Raises:
        SettingsError: it reads from Redis and none is set, or from SQLite while Redis is set.
    """
    served = _configuration(folder)
    if served:
        _require_same_kind(served["online_store"], settings)


def _configuration(folder: Path) -> dict[str, Any] | None:
    """What an exported folder says of its stores; `None` where it is not one."""
    try:
        found: dict[str, Any] = yaml.safe_load((folder / CONFIGURATION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found


def _require_same_kind(online: Mapping[str, Any], settings: Settings) -> None:
    """Raise `SettingsError` where an online store and the settings are not of one kind."""
    from_redis = "connection_string" in online
    if from_redis and not settings.redis_url:
        raise SettingsError("the features are served from Redis", hint="set FINML_REDIS_URL")
    if settings.redis_url and not from_redis:
        raise SettingsError(
            "FINML_REDIS_URL is set, but this Bento was packaged without it and reads features from SQLite",
            hint="package one that reads from Redis: `finml run features`, then `finml run release`; "
            "or unset FINML_REDIS_URL",
        )


def serving_store(folder: Path, settings: Settings) -> "FeatureStore":
    """The feature store of an exported folder.

    Args:
        folder: what `export_serving` wrote.
        settings: `home` or `redis_url` say where the online store is, `store_timeout_s` how long it may take.

    Raises:
        FeatureError: the folder is not one, or there is no online store where it should be.
        SettingsError: as for `check_online_store`.
    """
    from feast import FeatureStore, RepoConfig

    served = _configuration(folder)
    if served is None:
        raise FeatureError(
            f"{folder} holds no {CONFIGURATION}", hint="package the model again: finml run release"
        )
    online = served["online_store"]
    _require_same_kind(online, settings)
    if "connection_string" in online:
        online |= {
            "connection_string": settings.redis_url,
            "connect_timeout_s": settings.store_timeout_s,
            # whoever serves asks again himself, within the time limit
            "retries": False,
        }
    else:
        online["path"] = online["path"].replace(HOME, str(settings.home), 1)
        if not Path(online["path"]).is_file():
            raise FeatureError(
                f"there is no online store at {online['path']}",
                hint="set FINML_HOME to the state it was built in, or run: finml run features",
            )
    online["timeout_s"] = settings.store_timeout_s
    served["registry"]["path"] = str(folder.resolve() / REGISTRY)
    config = RepoConfig(**served)
    config.repo_path = folder.resolve()
    return FeatureStore(config=config)
