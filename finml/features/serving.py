"""What a served model needs to read features: a folder with Feast's configuration and a copy of its registry.

The folder is self-contained but for the online store itself, which it finds by settings: below `FINML_HOME`,
or at `FINML_REDIS_URL`. It holds no password of any server.
"""

from pathlib import Path
from typing import TYPE_CHECKING

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


def serving_store(folder: Path, settings: Settings) -> "FeatureStore":
    """The feature store of an exported folder.

    Args:
        folder: what `export_serving` wrote.
        settings: `home` or `redis_url` say where the online store is, `store_timeout_s` how long it may take.

    Raises:
        FeatureError: the folder is not one, or there is no online store where it should be.
        SettingsError: the folder reads from Redis and no Redis is set.
    """
    from feast import FeatureStore, RepoConfig

    try:
        served = yaml.safe_load((folder / CONFIGURATION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FeatureError(
            f"{folder} holds no {CONFIGURATION}", hint="package the model again: finml run release"
        ) from None
    online = served["online_store"]
    if "connection_string" in online:
        if not settings.redis_url:
            raise SettingsError("the features are served from Redis", hint="set FINML_REDIS_URL")
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
