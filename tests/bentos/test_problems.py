"""The edge in front of small ASGI apps that misbehave in every way it must handle."""

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bentos.problems import ProblemMiddleware, json_pointer, problem


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")


async def invalid(_: Request) -> Response:
    detail = [
        {"type": "missing", "loc": ["inputs", 0, "user_id"], "msg": "Field required"},
        {"type": "value_error", "loc": ["inputs", 1], "msg": "Value error, give a/b"},
    ]
    return JSONResponse({"error": "2 validation errors", "detail": detail}, status_code=400)


async def unavailable(_: Request) -> Response:
    return PlainTextResponse("queue full, see /srv/app.py line 3", status_code=503)


async def raises(_: Request) -> Response:
    raise RuntimeError("secret path /srv/model")


async def hangs(_: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def swallows_cancellation(_: Request) -> Response:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return JSONResponse({"error": "process is overloaded"}, status_code=503)
    raise AssertionError


async def breaks_midway(_: Request) -> Response:
    async def parts():
        yield b"half"
        raise RuntimeError("too late for another status")

    return StreamingResponse(parts())


async def teapot(_: Request) -> Response:
    return PlainTextResponse("odd", status_code=418)


ROUTES = [
    Route("/echo", echo, methods=["POST"]),
    *(
        Route(f"/{handler.__name__}", handler, methods=["POST"])
        for handler in (invalid, unavailable, raises, hangs, swallows_cancellation, breaks_midway, teapot)
    ),
]


def call(method: str, path: str, **request) -> httpx.Response:
    app = ProblemMiddleware(Starlette(routes=ROUTES), max_body_bytes=100, timeout_s=0.2)

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://finml") as client:
            return await client.request(method, path, **request)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "kind"),
    [
        ("GET", "/nothing", {}, 404, "not-found"),
        ("GET", "/echo", {}, 405, "method-not-allowed"),
        ("POST", "/echo", {"content": b"x" * 101}, 413, "body-too-large"),
        ("POST", "/echo", {"data": {"form": "1"}}, 415, "unsupported-media-type"),
        ("POST", "/echo", {"content": b"\x80", "headers": {"content-type": "application/vnd.bentoml+pickle"}},
         415, "unsupported-media-type"),
        ("POST", "/invalid", {"json": {}}, 400, "invalid-request"),
        ("POST", "/unavailable", {"json": {}}, 503, "unavailable"),
        ("POST", "/raises", {"json": {}}, 500, "internal-error"),
        ("POST", "/hangs", {"json": {}}, 504, "timeout"),
        ("POST", "/swallows_cancellation", {"json": {}}, 504, "timeout"),
    ],
)  # fmt: skip
def test_every_error_is_a_problem_document(method, path, request_, status, kind):
    answer = call(method, path, **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:finml:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    assert document["request_id"] == answer.headers["x-request-id"]
    assert "/srv" not in answer.text


def test_a_status_without_a_kind_of_its_own_keeps_its_phrase():
    assert call("POST", "/teapot", json={}).json()["type"] == "about:blank"


def test_validation_errors_are_named_by_pointer():
    assert call("POST", "/invalid", json={}).json()["errors"] == [
        {"pointer": "#/inputs/0/user_id", "detail": "Field required"},
        {"pointer": "#/inputs/1", "detail": "give a/b"},
    ]


def test_an_unavailable_service_says_when_to_come_back():
    assert call("POST", "/unavailable", json={}).headers["retry-after"] == "1"


def test_allowed_methods_are_named():
    assert call("GET", "/echo").headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_request_id(given, kept):
    answer = call("POST", "/echo", json={"a": 1}, headers={"x-request-id": given})
    assert answer.status_code == 200
    assert answer.json() == {"a": 1}
    assert (answer.headers["x-request-id"] == given) is kept


def test_a_chunked_body_is_limited_too():
    async def parts():
        for _ in range(11):
            yield b"0123456789"

    assert (
        call("POST", "/echo", content=parts(), headers={"content-type": "application/json"}).status_code
        == 413
    )


def test_an_answer_that_breaks_midway_is_not_given_a_second_head():
    with pytest.raises(RuntimeError, match="too late"):
        call("POST", "/breaks_midway", json={})


def scope_of(path: str) -> dict:
    headers = [(b"content-type", b"application/json")]
    return {"type": "http", "method": "POST", "path": path, "headers": headers}


def exchange(receive, *, timeout_s: float = 0.2) -> list[dict]:
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    app = ProblemMiddleware(Starlette(routes=ROUTES), timeout_s=timeout_s)
    asyncio.run(app(scope_of("/echo"), receive, send))
    return sent


def test_a_body_that_never_ends_is_cut_off():
    async def receive():
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"{", "more_body": True}

    start, body = exchange(receive)
    assert start["status"] == 408
    assert json.loads(body["body"])["type"] == "urn:finml:problem:request-timeout"


def test_a_caller_who_hangs_up_gets_nothing():
    async def receive():
        return {"type": "http.disconnect"}

    assert exchange(receive) == []


def test_other_protocols_pass():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(ProblemMiddleware(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def test_pointer_escapes():
    assert json_pointer(["a/b", "~c", 0]) == "#/a~1b/~0c/0"


def test_problem_without_errors_has_no_list():
    assert "errors" not in json.loads(problem(400, "id"))
