"""How long a request may take, how large it may be, how many may wait, and callers who hang up."""

import asyncio
import json

import pytest

from bentos.batching import Limits
from tests.bentos.edges import Desk
from tests.bentos.misbehaving import MISBEHAVING


def test_an_answer_that_takes_too_long_is_a_504_and_the_next_one_is_answered(settings):
    desk = Desk(settings, timeout_s=0.1)
    desk.model.free.clear()

    async def calls(client):
        body = {"inputs": [{"number": 1}]}
        late = await client.post("/predict/doubling", json=body)
        desk.model.free.set()
        return late, await client.post("/predict/doubling", json=body)

    late, answered = desk.run(calls)
    assert (late.status_code, answered.status_code) == (504, 200)


def test_a_full_queue_is_a_503_at_once(settings):
    desk = Desk(settings, limits=Limits(rows=2, queue_rows=1))
    desk.model.free.clear()

    async def calls(client):
        def ask():
            return asyncio.create_task(client.post("/predict/doubling", json={"inputs": [{"number": 1}]}))

        first = ask()
        await asyncio.get_running_loop().run_in_executor(None, desk.model.began.wait, 10)
        second = ask()
        while not desk.front.models["doubling"].waiting_rows():
            await asyncio.sleep(0)
        third = await ask()
        desk.model.free.set()
        return await first, await second, third

    first, second, third = desk.run(calls)
    assert [one.status_code for one in (first, second, third)] == [200, 200, 503]
    assert third.headers["retry-after"] == "1"


def test_a_caller_who_hangs_up_is_dropped_from_the_queue(settings):
    desk = Desk(settings)
    desk.model.free.clear()

    async def calls(client):
        body = json.dumps({"inputs": [{"number": 2}]}).encode()
        first = asyncio.create_task(client.post("/predict/doubling", json={"inputs": [{"number": 1}]}))
        await asyncio.get_running_loop().run_in_executor(None, desk.model.began.wait, 10)
        gone = asyncio.Event()
        messages = [{"type": "http.request", "body": body}]

        async def receive():
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        sent = []

        async def send(message):
            sent.append(message)

        second = asyncio.create_task(desk.edge(scope_of("/predict/doubling"), receive, send))
        while not desk.front.models["doubling"].waiting_rows():
            await asyncio.sleep(0)
        gone.set()
        await second
        desk.model.free.set()
        await first
        return sent

    assert desk.run(calls) == []
    assert desk.model.batches == [[1]]
    assert '"status":499' in "".join(desk.lines)


@pytest.mark.parametrize("path", ["/echo", "/predict/doubling"])
def test_a_chunked_body_is_limited_too(desk, path):
    async def parts():
        for _ in range(21):
            yield b"0123456789"

    assert (
        desk.call("POST", path, content=parts(), headers={"content-type": "application/json"}).status_code
        == 413
    )


def scope_of(path: str) -> dict:
    headers = [(b"content-type", b"application/json")]
    return {"type": "http", "method": "POST", "path": path, "headers": headers, "client": ("10.0.0.1", 1)}


def exchange(desk: Desk, path: str, receive) -> list[dict]:
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    asyncio.run(desk.edge(scope_of(path), receive, send))
    return sent


@pytest.mark.parametrize("path", ["/echo", "/predict/doubling"])
def test_a_body_that_never_ends_is_cut_off(settings, path):
    async def receive():
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"", "more_body": True}

    start, body = exchange(Desk(settings, app=MISBEHAVING, timeout_s=0.2), path, receive)
    assert start["status"] == 408
    assert json.loads(body["body"])["type"] == "urn:finml:problem:request-timeout"
    # the rest of the body would pass for the next request
    assert (b"connection", b"close") in start["headers"]


@pytest.mark.parametrize("path", ["/echo", "/predict/doubling"])
def test_a_caller_who_hangs_up_gets_nothing(settings, path):
    async def receive():
        return {"type": "http.disconnect"}

    assert exchange(Desk(settings, app=MISBEHAVING), path, receive) == []
