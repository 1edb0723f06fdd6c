"""Rate limits: a token bucket for each caller and model, in memory or in a Redis that replicas share.

The bucket is kept as GCRA, which stores one number, the moment at which the bucket is full again, and admits
exactly what a bucket refilled without steps would.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import structlog
from throttled import RateLimiterRegistry, store
from throttled.rate_limiter import Quota, RateLimitResult, per_duration

from finml.access.caller import Limits

if TYPE_CHECKING:
    from throttled.asyncio import BaseRateLimiter as SharedLimiter
    from throttled.rate_limiter import BaseRateLimiter

log = structlog.get_logger(__name__)

ALGORITHM = "gcra"
PREFIX = "finml:rate"
MOST_BUCKETS = 100_000
# the library counts whole requests in whole seconds: three decimals of a rate are kept
PERIOD_S = 1000
REDIS_WITHIN_S = 0.1
REDIS_CONNECTIONS = 16
REDIS_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass.

    Attributes:
        admitted: it may.
        remaining: how many more may come at once.
        full_in_s: seconds until the whole burst may come again.
        retry_in_s: seconds until one more may come; 0 where this one may.
    """

    admitted: bool
    remaining: int
    full_in_s: float
    retry_in_s: float


class LocalRates:
    """Buckets in this process's memory; the least recently used go first where there are too many."""

    def __init__(self) -> None:
        self._store = store.MemoryStore(options={"MAX_SIZE": MOST_BUCKETS})
        self._limiters: dict[tuple[float, int], BaseRateLimiter] = {}

    def take(self, key: str, rate_per_s: float, burst: int) -> Verdict:
        """Let one request pass, or say when it may."""
        limiter = self._limiters.get((rate_per_s, burst))
        if limiter is None:
            made = RateLimiterRegistry.get(ALGORITHM)(
                quota(rate_per_s, burst), self._store, key_prefix=PREFIX
            )
            limiter = self._limiters[rate_per_s, burst] = made
        return _verdict(limiter.limit(key))


class SharedRates:
    """Buckets in Redis. Belongs to one event loop; connects with the first request."""

    def __init__(self, url: str) -> None:
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from throttled.asyncio import RedisStore

        self._store = RedisStore(
            server=url,
            options={
                "SOCKET_TIMEOUT": REDIS_WITHIN_S,
                "SOCKET_CONNECT_TIMEOUT": REDIS_WITHIN_S,
                # requests that find all connections busy wait for one instead of opening more
                "CONNECTION_POOL_CLASS": "redis.asyncio.BlockingConnectionPool",
                "CONNECTION_POOL_KWARGS": {
                    "max_connections": REDIS_CONNECTIONS,
                    "timeout": REDIS_WITHIN_S,
                    "retry": Retry(NoBackoff(), 0),
                },
            },
        )
        self._limiters: dict[tuple[float, int], SharedLimiter] = {}

    async def take(self, key: str, rate_per_s: float, burst: int) -> Verdict:
        """Let one request pass, or say when it may.

        Raises:
            StoreUnavailableError, RedisError, OSError: Redis does not answer.
        """
        from throttled.asyncio import RateLimiterRegistry as SharedRegistry

        limiter = self._limiters.get((rate_per_s, burst))
        if limiter is None:
            made = SharedRegistry.get(ALGORITHM)(quota(rate_per_s, burst), self._store, key_prefix=PREFIX)
            limiter = self._limiters[rate_per_s, burst] = made
        async with asyncio.timeout(REDIS_WITHIN_S):
            return _verdict(await limiter.limit(key))

    async def aclose(self) -> None:
        """Give the connections back."""
        # the store has no way to close of its own
        client: Any = self._store._backend.get_client()
        await client.aclose(close_connection_pool=True)


class Rates:
    """The rate limits of a serving process; never the reason why a request fails.

    Where Redis does not answer, this process counts for itself and asks again after a pause, by one request
    at a time.

    Args:
        redis_url: the Redis that replicas share; empty: this process counts for itself.
        clock: monotonic seconds.
    """

    def __init__(self, redis_url: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._local = LocalRates()
        self._shared = SharedRates(redis_url) if redis_url else None
        self._clock = clock
        self._down = False
        self._ask_again = -math.inf

    async def take(self, key: str, limits: Limits) -> Verdict:
        """Let one request pass, or say when it may. `key` names the caller and the model."""
        if self._shared and (not self._down or self._clock() >= self._ask_again):
            verdict = await self._ask(self._shared, key, limits)
            if verdict:
                return verdict
        return self._local.take(key, limits.rate_per_s, limits.burst)

    async def aclose(self) -> None:
        """Give the connections back."""
        if self._shared:
            await self._shared.aclose()

    async def _ask(self, shared: SharedRates, key: str, limits: Limits) -> Verdict | None:
        from redis.exceptions import RedisError
        from throttled.exceptions import StoreUnavailableError

        if self._down:
            # the next ones need not wait for what this one finds out
            self._ask_again = self._clock() + REDIS_PAUSE_S
        try:
            verdict = await shared.take(key, limits.rate_per_s, limits.burst)
        except (StoreUnavailableError, RedisError, OSError) as error:
            self._ask_again = self._clock() + REDIS_PAUSE_S
            if not self._down:
                log.error("limits_not_shared", kind=type(error).__name__, counting="in this process")
            self._down = True
            return None
        if self._down:
            log.warning("limits_shared_again")
        self._down = False
        return verdict


@lru_cache(maxsize=1024)
def quota(rate_per_s: float, burst: int) -> Quota:
    """The library's words for a rate and a burst."""
    return per_duration(timedelta(seconds=PERIOD_S), max(1, round(rate_per_s * PERIOD_S)), burst)


def _verdict(result: RateLimitResult) -> Verdict:
    state = result.state
    # rounding can leave the library one short of nothing
    return Verdict(not result.limited, max(0, state.remaining), state.reset_after, state.retry_after)
