"""Probes: cheap, bounded in time, and silent about what nobody else need know."""

import asyncio
import json
import threading
import time

import pytest

from bentos.health import Health
from finml.errors import FeatureError

LIMIT_S = 0.2


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A dependency that counts how often it is looked at."""

    def __init__(self) -> None:
        self.looks, self.error = 0, None

    def check(self) -> None:
        self.looks += 1
        if self.error:
            raise self.error


def test_every_dependency_is_named_with_its_latency() -> None:
    async def later() -> None:
        await asyncio.sleep(0)

    async def scenario() -> None:
        health = Health({"online_store": Store().check, "limits": later})
        status, document = await health.healthz()
        assert status == 200
        assert document["status"] == "ok"
        assert set(document["checks"]) == {"online_store", "limits"}
        assert all(0 <= check["latency_ms"] < 1000 and check["ok"] for check in document["checks"].values())
        assert await health.readyz() == (True, {"status": "ok"})
        assert await health.livez() == (True, {"status": "ok"})
        health.close()

    asyncio.run(scenario())


def test_what_is_not_required_degrades_and_what_is_fails() -> None:
    store, log = Store(), Store()

    async def scenario() -> None:
        clock = Clock()
        health = Health(
            {"online_store": store.check, "inference_log": log.check}, required=["online_store"], clock=clock
        )
        log.error = OSError("disk full: /secret/path")
        status, document = await health.healthz()
        assert (status, document["status"]) == (200, "degraded")
        assert (await health.readyz())[0]
        store.error = FeatureError("redis://:s3cret@host cannot be read", hint="s3cret")
        clock.now += 2
        ready, why = await health.readyz()
        assert (ready, why) == (False, {"status": "failing", "failing": ["online_store"]})
        status, document = await health.healthz()
        assert (status, document["status"]) == (503, "failing")
        assert document["checks"]["online_store"]["error"] == "FeatureError"
        assert "secret" not in json.dumps(document)
        assert "s3cret" not in json.dumps(document)
        assert (await health.livez())[0]
        store.error = None
        clock.now += 2
        assert (await health.readyz())[0]
        health.close()

    asyncio.run(scenario())


def test_probes_share_a_look_and_reuse_it_for_a_moment() -> None:
    store = Store()

    async def scenario() -> None:
        clock = Clock()
        health = Health({"online_store": store.check}, reuse_s=1.0, clock=clock)
        await asyncio.gather(*(health.readyz() for _ in range(50)), *(health.healthz() for _ in range(50)))
        assert store.looks == 1
        clock.now += 0.9
        await health.readyz()
        assert store.looks == 1
        clock.now += 0.2
        await health.readyz()
        assert store.looks == 2
        health.close()

    asyncio.run(scenario())


def test_a_check_that_hangs_is_cut_and_never_runs_twice_at_once() -> None:
    running, go_on = [], threading.Event()

    def hanging() -> None:
        running.append(1)
        go_on.wait(30)

    async def scenario() -> None:
        clock = Clock()
        health = Health({"online_store": hanging, "models": Store().check}, limit_s=LIMIT_S, clock=clock)
        for _ in range(3):
            started = time.perf_counter()
            status, document = await health.healthz()
            assert time.perf_counter() - started < LIMIT_S + 0.6
            assert status == 503
            assert document["checks"]["online_store"]["error"] == "TimeoutError"
            assert document["checks"]["models"]["ok"]
            clock.now += 2
        assert running == [1]
        go_on.set()
        assert (await health.healthz())[0] == 200
        clock.now += 2
        assert (await health.healthz())[0] == 200
        assert len(running) > 1
        health.close()

    try:
        asyncio.run(scenario())
    finally:
        go_on.set()


def test_a_prober_that_leaves_does_not_end_the_look() -> None:
    async def scenario() -> None:
        looking, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> None:
            looking.set()
            await go_on.wait()

        health = Health({"limits": slow}, limit_s=30)
        leaving = asyncio.create_task(health.readyz())
        await looking.wait()
        staying = asyncio.create_task(health.readyz())
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        go_on.set()
        assert await staying == (True, {"status": "ok"})
        health.close()

    asyncio.run(scenario())


def test_a_required_dependency_must_have_a_check() -> None:
    with pytest.raises(ValueError, match="no such checks: models"):
        Health({}, required=["models"])
