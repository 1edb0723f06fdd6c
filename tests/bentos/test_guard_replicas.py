"""Limits that replicas share by Redis, and what becomes of them without it."""

import asyncio
import json
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bentos import guard as guard_module
from bentos.guard import Admitted
from finml.access import rates as rates_module
from finml.access.key_store import KeyStore
from tests.access.issuer import AUDIENCE, URL, Issuer
from tests.bentos.guards import HOME, by_key, guarding
from tests.servers import free_port


@contextmanager
def redis_at(port):
    """A Redis that can be killed and come back on the same port."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert any("Ready to accept connections" in line for line in server.stdout)
        try:
            yield server
        finally:
            server.kill()


@pytest.mark.parametrize(("secret", "said"), [("", True), ("s" * 32, False)])
def test_it_is_said_where_replicas_would_know_token_callers_by_different_ids(keyed, tmp_path, secret, said):
    (tmp_path / "jwks.json").write_text(json.dumps(Issuer().jwks))
    update = {"jwt_issuer": URL, "jwt_audience": AUDIENCE, "jwt_jwks": str(tmp_path / "jwks.json")}
    update["limits_redis_url"] = SecretStr(f"redis://127.0.0.1:{free_port()}/0")
    update["audit_secret"] = SecretStr(secret)

    async def start():
        async with guarding(keyed.model_copy(update=update)):
            pass

    with capture_logs() as logs:
        asyncio.run(start())
    assert ("token_callers_share_no_limits" in {line["event"] for line in logs}) is said


@pytest.mark.server
def test_replicas_share_limits_and_outlive_their_redis(keyed, monkeypatch):
    monkeypatch.setattr(rates_module, "REDIS_PAUSE_S", 0.05)
    port = free_port()
    shared = keyed.model_copy(update={"limits_redis_url": SecretStr(f"redis://127.0.0.1:{port}/0")})
    text = KeyStore(keyed).create("a shop", ["*:predict"], rate_per_s=0.01, rate_burst=3).text

    async def take(guard, model):
        return isinstance(await guard.admit(by_key(text), HOME, model, "predict"), Admitted)

    async def story():
        async with guarding(shared) as one, guarding(shared) as other:
            with redis_at(port):
                assert [await take(each, "intent") for each in (one, other, one, other, one)] == [
                    *([True] * 3),
                    *([False] * 2),
                ]
            with capture_logs() as logs:
                # each counts for itself now, and no request fails or waits long
                began = time.monotonic()
                assert [await take(one, "anomaly") for _ in range(4)] == [True, True, True, False]
                assert [await take(other, "anomaly") for _ in range(4)] == [True, True, True, False]
                assert time.monotonic() - began < 2
            assert [each["event"] for each in logs if each["event"] == "limits_not_shared"] == [
                "limits_not_shared"
            ] * 2
            with redis_at(port):
                while one._rates._down or other._rates._down:
                    await asyncio.gather(take(one, "spending"), take(other, "spending"))
                    await asyncio.sleep(0.02)
                assert [await take(each, "entities") for each in (one, other, one, other)] == [
                    *([True] * 3),
                    False,
                ]

    asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.server
def test_a_redis_that_hangs_costs_one_request_its_time_limit(keyed, made, monkeypatch):
    async def hang(reader, writer):
        await reader.read()

    async def story():
        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        # only the rates are asked on the path of requests
        monkeypatch.setattr(guard_module, "RedisTally", lambda _: guard_module.SqliteTally(keyed.home / "q"))
        url = SecretStr(f"redis://127.0.0.1:{port}/0")
        async with guarding(keyed.model_copy(update={"limits_redis_url": url})) as guard:
            began = time.monotonic()
            for _ in range(20):
                found = await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")
                assert isinstance(found, Admitted)
            seconds = time.monotonic() - began
        server.close()
        return seconds

    assert asyncio.run(story()) < 10 * rates_module.REDIS_WITHIN_S
