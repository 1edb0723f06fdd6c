"""How fast callers may ask, how much a day, and how often they may fail."""

import asyncio

import pytest

from bentos.guard import Admitted
from finml.access.key_store import KeyStore
from tests.bentos.guards import HOME, ask, by_key, guarding


def test_guessing_is_stopped_by_address_and_before_anything_is_compared(keyed, made, monkeypatch):
    async def story():
        async with guarding(keyed) as guard:
            for _ in range(keyed.failed_attempts):
                found = await guard.admit(by_key("guess"), HOME, "credit_risk", "predict")
                assert found.status == 401
            monkeypatch.setattr(guard._keys, "find", lambda _: pytest.fail("compared"))
            found = await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")
            assert found.status == 429
            assert 1 <= int(dict(found.headers)[b"retry-after"]) <= 3
            monkeypatch.undo()
            return await guard.admit(by_key(made.text), "192.0.2.2", "credit_risk", "predict")

    assert isinstance(asyncio.run(story()), Admitted)


def test_how_many_attempts_may_fail_is_a_setting(keyed, made):
    few = keyed.model_copy(update={"failed_attempts": 2})
    found = ask(few, *([(by_key("guess"), "credit_risk", "predict")] * 3))
    assert [each.status for each in found] == [401, 401, 429]


def test_requests_without_a_key_are_no_attempts(keyed, made):
    found = ask(keyed, *([({}, "credit_risk", "predict")] * (keyed.failed_attempts + 1)))
    assert {each.status for each in found} == {401}


def test_a_limit_holds_for_each_model_and_says_when_to_come_again(keyed):
    key = KeyStore(keyed).create("a shop", ["*:predict"], rate_per_s=0.01, rate_burst=2)
    asked = [(by_key(key.text), model, "predict") for model in ("intent", "intent", "intent", "anomaly")]
    found = ask(keyed, *asked)
    assert [isinstance(each, Admitted) for each in found] == [True, True, False, True]
    headers = dict(found[2].headers)
    assert found[2].status == 429
    assert 99 <= int(headers[b"retry-after"]) <= 100
    assert headers[b"ratelimit"].startswith(b'"burst";r=0;t=')


def test_a_spent_quota_is_said_until_midnight(keyed, made):
    async def story():
        async with guarding(keyed) as guard:
            caller = (await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")).caller
            assert await guard.spend(caller, "credit_risk", 10) is None
            return await guard.spend(caller, "intent", 1)

    found = asyncio.run(story())
    assert (found.status, found.kind) == (429, "quota-exceeded")
    assert 1 <= int(dict(found.headers)[b"retry-after"]) <= 86_401


def test_an_open_service_lets_everybody_in_at_a_limited_rate(keyed):
    opened = keyed.model_copy(update={"auth": "open", "rate_per_s": 0.01, "rate_burst": 2})

    async def story():
        async with guarding(opened) as guard:
            found = [await guard.admit({}, HOME, "intent", "predict") for _ in range(3)]
            assert await guard.spend(found[0].caller, "intent", 10**9) is None
            return [*found, await guard.admit({}, "192.0.2.2", "intent", "predict")]

    found = asyncio.run(story())
    assert [isinstance(each, Admitted) for each in found] == [True, True, False, True]
    assert found[0].caller.id == "open"
