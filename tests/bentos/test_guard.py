import asyncio
import json
import shutil
import subprocess
import threading
import time
from contextlib import asynccontextmanager, contextmanager

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bentos import guard as guard_module
from bentos.guard import CHALLENGE, Admitted, Guard, Refused
from finml.access import rates as rates_module
from finml.access.key_store import KeyStore
from finml.errors import SettingsError
from finml.settings import Settings
from tests.access.issuer import AUDIENCE, URL, Issuer
from tests.servers import free_port

HOME = "192.0.2.1"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, auth="required", rate_per_s=1, rate_burst=1000, _env_file=None)


@pytest.fixture
def made(settings):
    return KeyStore(settings).create("a shop", ["credit_risk:predict"], daily_quota=10)


@asynccontextmanager
async def guarding(settings):
    guard = Guard(settings)
    try:
        yield guard
    finally:
        await guard.aclose()


def ask(settings, *requests):
    """The answers to requests, each `(headers, model, action)`."""

    async def answers():
        async with guarding(settings) as guard:
            return [await guard.admit(headers, HOME, model, action) for headers, model, action in requests]

    return asyncio.run(answers())


def by_key(text):
    return {b"x-api-key": text.encode()}


def test_a_key_is_admitted_with_the_headers_of_its_limit(settings, made):
    (found,) = ask(settings, (by_key(made.text), "credit_risk", "predict"))
    assert found.caller.id == made.record.id
    assert dict(found.headers) == {
        b"ratelimit-policy": b'"burst";q=1000;w=1000',
        b"ratelimit": b'"burst";r=999;t=1',
    }


def test_a_key_may_do_what_its_scopes_say(settings, made):
    wanted = [("credit_risk", "explain"), ("intent", "predict"), ("*", "read"), ("*", "feedback")]
    found = ask(settings, *((by_key(made.text), *each) for each in wanted))
    assert found == [Refused(403)] * 4


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(settings, made):
    other = "finml_" + "0" * 12 + made.text[18:]
    wrong = made.text[:-1] + ("0" if made.text[-1] != "0" else "1")
    gone = KeyStore(settings).create("gone", ["*:*"])
    KeyStore(settings).revoke(gone.record.id)
    headers = [
        {},
        by_key(""),
        by_key(wrong),
        by_key(other),
        by_key(gone.text),
        by_key("é" * 300),
        {b"authorization": b"Bearer " + made.text.encode()},
        {b"authorization": b"Basic Zm9vOmJhcg=="},
        {b"authorization": b""},
    ]
    found = ask(settings, *((each, "credit_risk", "predict") for each in headers))
    assert found == [Refused(401, (CHALLENGE,))] * len(headers)


def test_a_token_is_admitted_beside_keys(settings, made, tmp_path):
    issuer = Issuer()
    (tmp_path / "jwks.json").write_text(json.dumps(issuer.jwks))
    update = {"jwt_issuer": URL, "jwt_audience": AUDIENCE, "jwt_jwks": str(tmp_path / "jwks.json")}
    both = settings.model_copy(update=update)
    asked = [{b"authorization": scheme + issuer.token()} for scheme in (b"Bearer ", b"bearer  ")]
    found = ask(both, *((each, "credit_risk", "predict") for each in [*asked, by_key(made.text)]))
    assert all(isinstance(each, Admitted) for each in found)
    assert found[0].caller == found[1].caller


def test_guessing_is_stopped_by_address_and_before_anything_is_compared(settings, made, monkeypatch):
    async def story():
        async with guarding(settings) as guard:
            for _ in range(settings.failed_attempts):
                found = await guard.admit(by_key("guess"), HOME, "credit_risk", "predict")
                assert found.status == 401
            monkeypatch.setattr(guard._keys, "find", lambda _: pytest.fail("compared"))
            found = await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")
            assert found.status == 429
            assert 1 <= int(dict(found.headers)[b"retry-after"]) <= 3
            monkeypatch.undo()
            return await guard.admit(by_key(made.text), "192.0.2.2", "credit_risk", "predict")

    assert isinstance(asyncio.run(story()), Admitted)


def test_how_many_attempts_may_fail_is_a_setting(settings, made):
    few = settings.model_copy(update={"failed_attempts": 2})
    found = ask(few, *([(by_key("guess"), "credit_risk", "predict")] * 3))
    assert [each.status for each in found] == [401, 401, 429]


def test_requests_without_a_key_are_no_attempts(settings, made):
    found = ask(settings, *([({}, "credit_risk", "predict")] * (settings.failed_attempts + 1)))
    assert {each.status for each in found} == {401}


def test_a_limit_holds_for_each_model_and_says_when_to_come_again(settings):
    key = KeyStore(settings).create("a shop", ["*:predict"], rate_per_s=0.01, rate_burst=2)
    asked = [(by_key(key.text), model, "predict") for model in ("intent", "intent", "intent", "anomaly")]
    found = ask(settings, *asked)
    assert [isinstance(each, Admitted) for each in found] == [True, True, False, True]
    headers = dict(found[2].headers)
    assert found[2].status == 429
    assert 99 <= int(headers[b"retry-after"]) <= 100
    assert headers[b"ratelimit"].startswith(b'"burst";r=0;t=')


def test_a_spent_quota_is_said_until_midnight(settings, made):
    async def story():
        async with guarding(settings) as guard:
            caller = (await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")).caller
            assert await guard.spend(caller, "credit_risk", 10) is None
            return await guard.spend(caller, "intent", 1)

    found = asyncio.run(story())
    assert (found.status, found.kind) == (429, "quota-exceeded")
    assert 1 <= int(dict(found.headers)[b"retry-after"]) <= 86_401


def test_nobody_to_let_in_is_an_error_with_a_way_out(settings):
    with pytest.raises(SettingsError, match="no API keys") as caught:
        Guard(settings)
    assert "finml keys create" in caught.value.hint
    assert "FINML_AUTH=open" in caught.value.hint


def test_an_open_service_lets_everybody_in_at_a_limited_rate(settings):
    opened = settings.model_copy(update={"auth": "open", "rate_per_s": 0.01, "rate_burst": 2})

    async def story():
        async with guarding(opened) as guard:
            found = [await guard.admit({}, HOME, "intent", "predict") for _ in range(3)]
            assert await guard.spend(found[0].caller, "intent", 10**9) is None
            return [*found, await guard.admit({}, "192.0.2.2", "intent", "predict")]

    found = asyncio.run(story())
    assert [isinstance(each, Admitted) for each in found] == [True, True, False, True]
    assert found[0].caller.id == "open"


def test_a_revoked_key_is_refused_within_two_seconds_in_every_guard(settings, made):
    async def story():
        async with guarding(settings) as one, guarding(settings) as other:
            for guard in (one, other):
                found = await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")
                assert isinstance(found, Admitted)
            KeyStore(settings).revoke(made.record.id)
            began = time.monotonic()
            for guard in (one, other):
                while guard._keys.find(made.text.encode()):
                    await asyncio.sleep(0.01)
            return time.monotonic() - began

    assert asyncio.run(asyncio.wait_for(story(), 10)) < 2


def test_threads_end_with_the_guard(settings, made):
    ask(settings, (by_key(made.text), "credit_risk", "predict"))
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("finml-")]


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
def test_it_is_said_where_replicas_would_know_token_callers_by_different_ids(
    settings, tmp_path, secret, said
):
    (tmp_path / "jwks.json").write_text(json.dumps(Issuer().jwks))
    update = {"jwt_issuer": URL, "jwt_audience": AUDIENCE, "jwt_jwks": str(tmp_path / "jwks.json")}
    update["limits_redis_url"] = SecretStr(f"redis://127.0.0.1:{free_port()}/0")
    update["audit_secret"] = SecretStr(secret)

    async def start():
        async with guarding(settings.model_copy(update=update)):
            pass

    with capture_logs() as logs:
        asyncio.run(start())
    assert ("token_callers_share_no_limits" in {line["event"] for line in logs}) is said


@pytest.mark.server
def test_replicas_share_limits_and_outlive_their_redis(settings, monkeypatch):
    monkeypatch.setattr(rates_module, "REDIS_PAUSE_S", 0.05)
    port = free_port()
    shared = settings.model_copy(update={"limits_redis_url": SecretStr(f"redis://127.0.0.1:{port}/0")})
    text = KeyStore(settings).create("a shop", ["*:predict"], rate_per_s=0.01, rate_burst=3).text

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
def test_a_redis_that_hangs_costs_one_request_its_time_limit(settings, made, monkeypatch):
    async def hang(reader, writer):
        await reader.read()

    async def story():
        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        # only the rates are asked on the path of requests
        monkeypatch.setattr(
            guard_module, "RedisTally", lambda _: guard_module.SqliteTally(settings.home / "q")
        )
        url = SecretStr(f"redis://127.0.0.1:{port}/0")
        async with guarding(settings.model_copy(update={"limits_redis_url": url})) as guard:
            began = time.monotonic()
            for _ in range(20):
                found = await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")
                assert isinstance(found, Admitted)
            seconds = time.monotonic() - began
        server.close()
        return seconds

    assert asyncio.run(story()) < 10 * rates_module.REDIS_WITHIN_S
