"""Redis breaks: as the online store, and as what replicas share their limits by."""

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydantic import SecretStr

from benchmarks.faults.bento import filled, packaged
from benchmarks.faults.dependencies import Slowness, redis_server
from benchmarks.faults.load import CALLERS, Body
from benchmarks.faults.service import AFTER_S, Fault, Service, about_loans, observed, serving
from bentos.server import HOST, free_port
from finml.settings import Settings

SLOW_S = 0.1
RATE_PER_S, BURST = 100.0, 20
DAY_S = 86_400


class Store:
    """A Redis as the online store, which can die and come back empty."""

    def __init__(self, settings: Settings) -> None:
        self.port = free_port()
        # without the cache, which would answer for users asked for moments ago
        url = f"redis://{HOST}:{self.port}/0"
        self.settings = settings.model_copy(update={"redis_url": url, "feature_cache_s": 0.0})
        self.process: subprocess.Popen[str] = redis_server(self.port)
        filled(self.settings)

    def kill(self) -> None:
        """Let it die."""
        self.process.kill()
        self.process.wait()

    def come_back(self) -> None:
        """Start it anew, and fill it again."""
        self.process = redis_server(self.port)
        filled(self.settings)

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        self.process.send_signal(number)


@contextmanager
def on_redis(
    settings: Settings,
    bodies: Sequence[Body],
    *,
    model: str = "credit_risk",
    **changes: object,
) -> Iterator[tuple[Store, Service]]:
    """A service of one model over a Redis."""
    store = Store(settings)
    try:
        with (
            packaged(store.settings, model) as tag,
            serving(store.settings, bodies, tag=tag, path=f"/predict/{model}", **changes) as service,
        ):
            yield store, service
    finally:
        store.signal(signal.SIGCONT)
        store.kill()
        # the definitions say which store is in use
        filled(settings)


def killed(settings: Settings, users: Sequence[str]) -> Fault:
    """The online store dies and comes back empty, and is filled again."""
    with on_redis(settings, about_loans(users[:CALLERS])) as (store, service):
        return observed("Redis killed, and back filled anew", service, store.kill, store.come_back)


def hangs(settings: Settings, users: Sequence[str]) -> Fault:
    """The online store hangs: its process is stopped, its connections stay open."""
    with on_redis(settings, about_loans(users[:CALLERS])) as (store, service):
        return observed(
            f"Redis hangs (limit {settings.store_timeout_s:g} s)",
            service,
            lambda: store.signal(signal.SIGSTOP),
            lambda: store.signal(signal.SIGCONT),
        )


def slow(settings: Settings, users: Sequence[str]) -> Fault:
    """The online store is slow, within the time limit."""
    with on_redis(settings, about_loans(users[:CALLERS])) as (store, service):
        slowness = Slowness(store.port, SLOW_S)
        return observed(
            f"Redis slow (answers up to {1000 * SLOW_S:.0f} ms late)", service, slowness.begin, slowness.end
        )


def stale(settings: Settings, users: Sequence[str]) -> Fault:
    """The online store dies, and a model that may goes on by what it read before."""
    bodies: list[Body] = [{"inputs": [{"user_id": user, "horizon": 1}]} for user in users[:CALLERS]]
    with on_redis(settings, bodies, model="spending", degraded="stale") as (store, service):
        return observed(
            "Redis killed and back, `FINML_DEGRADED=stale`, callers ask `spending`",
            service,
            store.kill,
            store.come_back,
        )


def limits(settings: Settings, users: Sequence[str]) -> Fault:
    """The Redis of rate limits and quotas dies and comes back empty."""
    port = free_port()
    server = [redis_server(port)]
    url = f"redis://{HOST}:{port}/0"
    shared = settings.model_copy(update={"limits_redis_url": SecretStr(url)})
    try:
        with serving(
            shared, about_loans(users[:CALLERS]), rate_per_s=RATE_PER_S, rate_burst=BURST
        ) as service:
            # past the burst
            time.sleep(2)
            moments = [time.monotonic()]
            counted = 0

            def kill() -> None:
                nonlocal counted
                counted = items(port, service.caller)
                moments.append(time.monotonic())
                server[0].kill()

            def back() -> None:
                server.append(redis_server(port))
                moments.append(time.monotonic())

            fault = observed("", service, kill, back)
        before, broken, mended = moments
        rates = [
            service.seen.rate_per_s(*span)
            for span in ((before, broken), (broken, mended), (mended + 1, mended + AFTER_S))
        ]
        fault.title = (
            f"Redis of the limits killed and back empty, {RATE_PER_S:g} requests a second allowed "
            f"(answered: {rates[0]:.0f} a second before, {rates[1]:.0f} without it, {rates[2]:.0f} after)"
        )
        last = service.seen.last_failure_s(mended, fine=(200, 429))
        fault.well = f"{last:.1f} s"
        fault.lost.append(
            f"the quota's {counted:,} counts from before, which that Redis kept in memory only; of the "
            f"{service.seen.answered - counted:,} answers since {items(port, service.caller):,} are counted"
        )
        return fault
    finally:
        server[-1].kill()


def items(port: int, caller: str) -> int:
    """Inputs of a caller that Redis has counted today."""
    import redis

    from finml.access.tallies import PREFIX

    with redis.Redis(HOST, port, decode_responses=True) as client:
        return int(client.hget(f"{PREFIX}:{int(time.time() // DAY_S)}", caller) or 0)
