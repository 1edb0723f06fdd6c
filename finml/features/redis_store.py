"""Feast's Redis online store, made fit for a server that answers many requests.

Feast names this module in `feature_store.production.yaml`; its classes must be called what they are called.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from feast.infra.online_stores.redis import RedisOnlineStore as FeastRedisOnlineStore
from feast.infra.online_stores.redis import RedisOnlineStoreConfig as FeastRedisOnlineStoreConfig
from feast.infra.online_stores.redis import _versioned_fv_name
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]
from pydantic import PositiveFloat, StrictStr

from finml.features.values import Stored

if TYPE_CHECKING:
    from feast import FeatureView, RepoConfig
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

CONNECT_TIMEOUT_S, TIMEOUT_S = 5.0, 10.0
"""Without them a dead server would hold a command for ever. Options in the URL come before these."""


class RedisOnlineStoreConfig(FeastRedisOnlineStoreConfig):  # type: ignore[misc] # Feast is not typed
    """Settings of the store.

    Attributes:
        connection_string: a Redis URL, `redis://user:password@host:port/db?option=value` or `rediss://…`.
        skip_dedup: true, because a materialization writes each user once, with the latest row there is. With
            Feast's comparison of times a corrected row of the same moment would never be written.
        connect_timeout_s: most seconds until a connection stands.
        timeout_s: most seconds without a word of an answer.
        retries: whether the client itself asks again, with pauses of seconds; not where requests wait.
    """

    type: StrictStr = "finml.features.redis_store.RedisOnlineStore"
    connection_string: StrictStr = "redis://localhost:6379/0"
    skip_dedup: bool = True
    connect_timeout_s: PositiveFloat = CONNECT_TIMEOUT_S
    timeout_s: PositiveFloat = TIMEOUT_S
    retries: bool = True


class RedisOnlineStore(FeastRedisOnlineStore):  # type: ignore[misc] # Feast is not typed
    """Reads and writes like Feast's store, by URL, and leaves its caller's lists alone."""

    # Feast would find out by importing every online store it has.
    _versioned_read_supported = True
    _client: "Redis | None" = None
    _client_async: "AsyncRedis | None" = None

    def _generate_hset_keys_for_features(
        self,
        feature_view: "FeatureView",
        requested_features: list[str] | None = None,
        fv_name_override: str | None = None,
    ) -> tuple[list[str], list[str | bytes]]:
        # Feast's appends the timestamp's key to the list it is given. Where that list is a cached one, every
        # request asks for one key more than the last (feast issue 6841).
        requested = list(requested_features) if requested_features else requested_features
        named: tuple[list[str], list[str | bytes]] = super()._generate_hset_keys_for_features(
            feature_view, requested, fv_name_override
        )
        return named

    def view_reader(
        self, config: "RepoConfig", views: Sequence[tuple["FeatureView", Sequence[str]]]
    ) -> "ViewReader":
        """A reader of some features of some views; see `finml.features.online.ViewReader`."""
        return ViewReader(self, config, views)

    def _get_client(self, online_store_config: RedisOnlineStoreConfig) -> "Redis":
        if self._client is None:
            from redis import Redis

            self._client = Redis.from_url(
                online_store_config.connection_string, **_options(online_store_config)
            )
        return self._client

    async def _get_client_async(self, online_store_config: RedisOnlineStoreConfig) -> "AsyncRedis":
        if self._client_async is None:
            from redis.asyncio import Redis

            self._client_async = Redis.from_url(
                online_store_config.connection_string,
                socket_connect_timeout=online_store_config.connect_timeout_s,
                socket_timeout=online_store_config.timeout_s,
            )
        return self._client_async


class ViewReader:
    """Reads views of a user by one command: Feast keeps all views of an entity in one hash."""

    def __init__(
        self,
        store: RedisOnlineStore,
        config: "RepoConfig",
        views: Sequence[tuple["FeatureView", Sequence[str]]],
    ) -> None:
        self._store, self._config = store, config
        self._fields: list[str | bytes] = []
        self._places: list[tuple[int, int]] = []
        for view, names in views:
            _, fields = store._generate_hset_keys_for_features(
                view, list(names), _versioned_fv_name(view, config)
            )
            start = len(self._fields)
            self._fields += fields  # the last is the row's time
            self._places.append((start, len(self._fields) - 1))

    def read(self, entity_keys: Sequence[Any]) -> list[list[tuple[int, Sequence[Stored]]]]:
        """The views of each entity: seconds since 1970, 0 for no row, and its serialized values."""
        keys = self._store._generate_redis_keys_for_entities(self._config, list(entity_keys))
        found = self._store._read_hash_fields(self._config, [(key, self._fields) for key in keys])
        return [[(_seconds(row[end]), row[start:end]) for start, end in self._places] for row in found]


def _seconds(stored: Stored) -> int:
    return int(Timestamp.FromString(stored).seconds) if stored else 0


def _options(config: RedisOnlineStoreConfig) -> dict[str, Any]:
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options = {"socket_connect_timeout": config.connect_timeout_s, "socket_timeout": config.timeout_s}
    return options if config.retries else options | {"retry": Retry(NoBackoff(), 0)}
