"""Feast's Redis online store, made fit for a server that answers many requests.

Feast names this module in `feature_store.production.yaml`; its classes must be called what they are called.
"""

from typing import TYPE_CHECKING

from feast.infra.online_stores.redis import RedisOnlineStore as FeastRedisOnlineStore
from feast.infra.online_stores.redis import RedisOnlineStoreConfig as FeastRedisOnlineStoreConfig
from pydantic import StrictStr

if TYPE_CHECKING:
    from feast import FeatureView
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

CONNECT_TIMEOUT_S, TIMEOUT_S = 5.0, 10.0
"""Without them a dead server would hold a request for ever. Options in the URL come before these."""


class RedisOnlineStoreConfig(FeastRedisOnlineStoreConfig):  # type: ignore[misc] # Feast is not typed
    """Settings of the store.

    Attributes:
        connection_string: a Redis URL, `redis://user:password@host:port/db?option=value` or `rediss://…`.
        skip_dedup: true, because a materialization writes each user once, with the latest row there is. With
            Feast's comparison of times a corrected row of the same moment would never be written.
    """

    type: StrictStr = "finml.features.redis_store.RedisOnlineStore"
    connection_string: StrictStr = "redis://localhost:6379/0"
    skip_dedup: bool = True


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

    def _get_client(self, online_store_config: RedisOnlineStoreConfig) -> "Redis":
        if self._client is None:
            from redis import Redis

            self._client = Redis.from_url(
                online_store_config.connection_string,
                socket_connect_timeout=CONNECT_TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
            )
        return self._client

    async def _get_client_async(self, online_store_config: RedisOnlineStoreConfig) -> "AsyncRedis":
        if self._client_async is None:
            from redis.asyncio import Redis

            self._client_async = Redis.from_url(
                online_store_config.connection_string,
                socket_connect_timeout=CONNECT_TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
            )
        return self._client_async
