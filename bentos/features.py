"""The online store as a served model sees it: quick where it can be, and never waited for too long."""

import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from finml.errors import FeatureError
from finml.resilience import Breaker, CircuitOpenError, State, TimeLimit, TimeLimitError, quick_retries
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.features.online import FeatureRow, OnlineFeatures, StoredRow
    from finml.features.row_cache import RowCache

log = structlog.get_logger(__name__)

FAILURES, RETRY_S = 3, 1.0
"""Failed reads in a row after which the store is not asked, and seconds until it is again."""

THREADS = 4
READ_WITH = (
    "finml.features.online",
    "finml.features.row_cache",
    "finml.features.serving",
    # what Feast chooses by its configuration
    "feast.infra.offline_stores.dask",
    "feast.infra.passthrough_provider",
    "feast.infra.registry.file",
)
NOBODY = "probe"
"""A user that a check reads; there need not be one."""


class ServedFeatures:
    """Reads one feature service, by the definitions that the Bento holds in a folder.

    The store is opened when it is first read, so a service that starts before its store is ready as soon as
    the store is. To be used by several threads.
    """

    def __init__(
        self,
        service_name: str,
        folder: Path,
        settings: Settings,
        *,
        may_degrade: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connects to nothing.

        Args:
            service_name: the feature service.
            folder: what `finml.features.serving.export_serving` wrote.
            settings: where the store is, how long it may take, and how long features may be reused.
            may_degrade: whether the model may be answered by features read before, where the settings say so
                and the store cannot be read. Of a model that decides about a person: no.
            clock: of the cache.
        """
        self._service_name, self._folder, self._settings = service_name, folder, settings
        self._degrades = may_degrade and settings.degraded == "stale"
        self._clock = clock
        self._breaker = Breaker(f"online_store:{service_name}", failures=FAILURES, retry_s=RETRY_S)
        self._limit = TimeLimit(settings.store_timeout_s, threads=THREADS)
        self._retries = quick_retries(_passes)
        self._opened: tuple[OnlineFeatures, RowCache] | None = None
        self._opening = Lock()
        self._failing = False

    @property
    def defined(self) -> bool:
        """Whether the Bento holds definitions of features; one of models trained on files need not."""
        return self._folder.is_dir()

    @property
    def state(self) -> State:
        """Of the circuit to the store: `closed`, `open` or `half_open`."""
        return self._breaker.state

    def cached(self, user_ids: Sequence[str]) -> bool:
        """Whether `read` would ask nobody for these users, if it is called at once."""
        return self._opened is not None and self._opened[1].covers(user_ids)

    def read(
        self, user_ids: Sequence[str], request_rows: Sequence[Mapping[str, float | None]] | None = None
    ) -> list["FeatureRow"]:
        """Features of a batch, by at most one call to the store; see `OnlineFeatures.read`.

        What is stored of a user is reused for `feature_cache_s`; what a request tells is not.

        Raises:
            FeatureError: the store is not there, cannot be read or does not answer in time, and there is
                nothing to fall back on.
        """
        online, cache = self._open()
        wanted = dict.fromkeys(user_ids)
        found = cache.fresh(wanted)
        old: Mapping[str, StoredRow] = {}
        if absent := [user for user in wanted if user not in found]:
            try:
                read = self._ask(online, absent)
                cache.put(read)
                found |= read
            except FeatureError:
                old = cache.kept(absent) if self._degrades else {}
                if len(old) < len(absent):
                    raise
                found |= old
        return online.rows(
            [found[user] for user in user_ids], request_rows, degraded=[user in old for user in user_ids]
        )

    def prepare(self) -> None:
        """Import what the first read would, which takes seconds; connects to nothing.

        Raises:
            SettingsError: the settings name another kind of store than the Bento reads from.
        """
        from finml.features.serving import check_online_store

        check_online_store(self._folder, self._settings)
        store = "redis_store" if self._settings.redis_url else "sqlite_store"
        for name in (*READ_WITH, f"finml.features.{store}"):
            importlib.import_module(name)

    def check(self) -> None:
        """Read from the store, past the cache and the circuit, which is closed again if the store answers.

        Raises:
            FeatureError: the store is not there, cannot be read or does not answer in time.
        """
        online, _ = self._open()
        with self._told():
            self._limited(online, [NOBODY])
        self._breaker.reset()

    def close(self) -> None:
        """Let the threads end."""
        self._limit.close()

    def _ask(self, online: "OnlineFeatures", users: Sequence[str]) -> dict[str, "StoredRow"]:
        with self._told():
            return self._breaker.call(lambda: self._limited(online, users))

    def _limited(self, online: "OnlineFeatures", users: Sequence[str]) -> dict[str, "StoredRow"]:
        from redis.exceptions import TimeoutError as RedisTimeoutError

        try:
            return self._limit.call(lambda: self._retries(online.stored, users))
        except FeatureError as error:
            if isinstance(error.__cause__, RedisTimeoutError):
                raise TimeLimitError from error
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures in the caller's words; the first, and the end of them, in the log."""
        try:
            yield
        except CircuitOpenError:
            raise FeatureError(
                "the online store failed moments ago and is left alone",
                hint=f"it is asked again within {RETRY_S:g} s",
            ) from None
        except TimeLimitError:
            limit = self._settings.store_timeout_s
            self._note(failing=True, why="time limit")
            raise FeatureError(
                f"the online store did not answer within {limit:g} s",
                hint="check the server of FINML_REDIS_URL, or raise FINML_STORE_TIMEOUT_S",
            ) from None
        except FeatureError as error:
            self._note(failing=True, why=str(error))
            raise
        self._note(failing=False)

    def _note(self, *, failing: bool, why: str = "") -> None:
        if failing is self._failing:
            return
        self._failing = failing
        if failing:
            log.warning("online_store_fails", service=self._service_name, why=why)
        else:
            log.info("online_store_is_back", service=self._service_name)

    def _open(self) -> "tuple[OnlineFeatures, RowCache]":
        if self._opened is not None:
            return self._opened
        from finml.features.online import OnlineFeatures
        from finml.features.row_cache import RowCache
        from finml.features.serving import serving_store

        # a probe and a request may come at the same time
        with self._opening:
            if self._opened is None:
                online = OnlineFeatures(serving_store(self._folder, self._settings), self._service_name)
                kept = RowCache(
                    self._settings.feature_cache_s, self._settings.feature_cache_rows, clock=self._clock
                )
                self._opened = online, kept
            return self._opened


def _passes(error: BaseException) -> bool:
    """Whether reading again at once may succeed: a connection broke, as those to a restarted server do."""
    from redis.exceptions import ConnectionError as RedisConnectionError

    return isinstance(error.__cause__, RedisConnectionError)


@lru_cache(maxsize=32)
def served_features(
    service_name: str, folder: Path, settings: Settings, *, may_degrade: bool = False
) -> ServedFeatures:
    """The one reader of a feature service in this process: the versions of a model share its cache."""
    features = ServedFeatures(service_name, folder, settings, may_degrade=may_degrade)
    if features.defined:
        features.prepare()
    return features
