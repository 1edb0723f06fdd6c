"""What the edge lets through to other applications, and how it ends connections while draining."""

import asyncio

import pytest

from tests.bentos.edges import Desk


@pytest.mark.parametrize(
    ("path", "request_", "status"),
    [
        ("/predict/doubling", {"json": {"inputs": [{"number": 1}]}}, 200),
        ("/predict/doubling", {"data": {"form": "1"}}, 415),
        ("/echo", {"json": {}}, 200),
        ("/echo", {"data": {"form": "1"}}, 415),
        ("/echo/", {"json": {}}, 404),
        ("/raises", {"json": {}}, 500),
    ],
)
def test_while_draining_each_answer_ends_its_connection(desk, path, request_, status):
    async def calls(client):
        before = await client.post(path, **request_)
        desk.front.drain()
        return before, await client.post(path, **request_)

    before, after = desk.run(calls)
    assert [before.status_code, after.status_code] == [status] * 2
    assert "connection" not in before.headers
    assert after.headers["connection"] == "close"
    assert "ratelimit" in after.headers


def test_an_answer_that_breaks_midway_is_not_given_a_second_head(desk):
    with pytest.raises(RuntimeError, match="too late"):
        desk.call("POST", "/breaks_midway", json={})


def test_other_protocols_pass(settings):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    desk = Desk(settings, app=app)
    asyncio.run(desk.edge({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def test_a_websocket_is_closed_and_reaches_nobody(settings):
    seen, sent = [], []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    async def send(message):
        sent.append(message)

    asyncio.run(Desk(settings, app=app).edge({"type": "websocket", "path": "/"}, None, send))
    assert (seen, sent) == ([], [{"type": "websocket.close"}])
