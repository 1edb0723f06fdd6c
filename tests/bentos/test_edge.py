"""The edge in front of a model, and of small applications that misbehave in every way it must handle."""

import asyncio
import json
import re
import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bentos.access_log import AccessLog
from bentos.batching import Limits
from bentos.ids import BLOCK, Ids
from bentos.problems import MOST_ERRORS, Refusal, json_pointer, problem
from finml.access.key_store import KeyStore
from finml.audit import AuditLog
from finml.errors import DataError, FeatureError
from finml.settings import Settings
from pipelines.cli.app import run_command
from tests.bentos.doubling import decided
from tests.bentos.edges import Desk

OWN_ID = re.compile("[0-9a-f]{32}")


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")


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


BEHIND = Starlette(
    routes=[
        Route(f"/{handler.__name__}", handler, methods=["POST"])
        for handler in (echo, unavailable, raises, hangs, swallows_cancellation, breaks_midway, teapot)
    ]
)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, auth="open", inference_log="off")


@pytest.fixture
def desk(settings) -> Desk:
    return Desk(settings, app=BEHIND, max_body_bytes=200, timeout_s=0.3)


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "kind"),
    [
        ("GET", "/nothing", {}, 404, "not-found"),
        ("GET", "/echo", {}, 405, "method-not-allowed"),
        ("POST", "/echo", {"content": b"x" * 201}, 413, "body-too-large"),
        ("POST", "/echo", {"data": {"form": "1"}}, 415, "unsupported-media-type"),
        ("POST", "/echo", {"content": b"\x80", "headers": {"content-type": "application/vnd.bentoml+pickle"}},
         415, "unsupported-media-type"),
        ("POST", "/unavailable", {"json": {}}, 503, "unavailable"),
        ("POST", "/raises", {"json": {}}, 500, "internal-error"),
        ("POST", "/hangs", {"json": {}}, 504, "timeout"),
        ("POST", "/swallows_cancellation", {"json": {}}, 503, "unavailable"),
        ("POST", "/predict/doubling", {"content": b"{"}, 400, "invalid-request"),
        ("POST", "/predict/doubling", {"content": b"x" * 201}, 413, "body-too-large"),
        ("POST", "/predict/doubling", {"data": {"form": "1"}}, 415, "unsupported-media-type"),
        ("POST", "/predict/doubling", {"json": {"inputs": [{"number": -1}]}}, 422, "cannot-be-scored"),
        ("POST", "/predict/doubling", {"json": {"inputs": [{"number": -2}]}}, 503, "unavailable"),
        ("POST", "/predict/nothing", {"json": {}}, 404, "not-found"),
        # no two paths are one route, and nobody is sent elsewhere
        ("POST", "/predict/doubling/", {"json": {}}, 404, "not-found"),
        ("POST", "/echo/", {"json": {}}, 404, "not-found"),
        ("GET", "/docs/", {}, 404, "not-found"),
    ],
)  # fmt: skip
def test_every_error_is_a_problem_document(desk, method, path, request_, status, kind):  # noqa: PLR0917
    answer = desk.call(method, path, **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:finml:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    assert document["request_id"] == answer.headers["x-request-id"]
    assert "/srv" not in answer.text


def test_an_empty_body_is_named(desk):
    answer = desk.call("POST", "/predict/doubling", content=b"", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "#", "detail": "The body is empty"}]


def test_a_model_answers_item_by_item(desk):
    answer = desk.ask(1, 2, 3)
    assert answer.status_code == 200
    assert answer.json() == [{"doubled": 2 * n, "model_version": "doubling@1"} for n in (1, 2, 3)]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("#/inputs", "Field required")]),
        ({"inputs": []}, [("#/inputs", "List should have at least 1 item after validation, not 0")]),
        ({"inputs": [{}]}, [("#/inputs/0/number", "Field required")]),
        ({"inputs": [{"number": "1"}]}, [("#/inputs/0/number", "Input should be a valid integer")]),
        ({"inputs": [{"number": True}]}, [("#/inputs/0/number", "Input should be a valid integer")]),
        ({"inputs": [{"number": 1}], "more": 1}, [("#/more", "Extra inputs are not permitted")]),
    ],
)
def test_a_bad_request_names_the_field(desk, body, errors):
    answer = desk.call("POST", "/predict/doubling", json=body)
    assert answer.status_code == 400
    assert [(one["pointer"], one["detail"]) for one in answer.json()["errors"]] == errors
    assert desk.model.batches == []


def test_deep_nesting_is_a_bad_request(settings):
    body = b'{"inputs": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    answer = Desk(settings).call(
        "POST", "/predict/doubling", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400


def test_a_model_that_raises_is_a_500_that_tells_nothing(desk, capsys):
    desk.model.error = RuntimeError("secret path /srv/model")
    answer = desk.ask(1)
    assert answer.status_code == 500
    assert "/srv" not in answer.text
    assert answer.json()["request_id"] in capsys.readouterr().err


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


def test_what_is_answered_is_logged_with_its_request(settings):
    desk = Desk(settings)
    answer = desk.ask(1, 2)
    given = answer.headers["x-request-id"]
    logged = [(one.request_id, one.position, one.version, one.variant) for one in desk.logged.predictions]
    assert logged == [
        (given, 0, "doubling@1", "champion"),
        (given, 1, "doubling@1", "champion"),
    ]
    (line,) = [json.loads(line) for line in "".join(desk.lines).splitlines()]
    assert (line["path"], line["status"], line["request_id"]) == ("/predict/doubling", 200, given)


def test_the_subject_is_what_the_routing_went_by(settings):
    desk = Desk(settings)
    inputs = [{"number": 1, "user_id": "u7"}, {"number": 2}]
    answer = desk.call("POST", "/predict/doubling", json={"inputs": inputs})
    given = answer.headers["x-request-id"]
    assert [one.subject for one in desk.logged.predictions] == ["u7", f"{given}/1"]


def test_an_input_that_a_version_could_not_answer_is_logged_as_such(settings):
    desk = Desk(settings)
    desk.model.error = RuntimeError("boom")
    assert desk.ask(1).status_code == 500
    (failed,) = desk.logged.predictions
    assert (failed.variant, failed.error, failed.output) == ("champion", "RuntimeError", None)
    assert failed.latency_ms > 0


def test_an_input_whose_time_ran_out_is_logged_as_such(settings):
    desk = Desk(settings, timeout_s=0.2)

    async def calls(client):
        desk.model.free.clear()
        answer = await client.post("/predict/doubling", json={"inputs": [{"number": 1}]})
        desk.model.free.set()
        return answer.status_code

    assert desk.run(calls) == 504
    assert [one.error for one in desk.logged.predictions] == ["TimeoutError"]


def test_a_path_that_does_not_exist_does_not_reach_the_log_or_the_metrics(settings):
    desk = Desk(settings)
    desk.call("GET", "/secret@example.com")
    assert "example.com" not in "".join(desk.lines)
    assert b"example.com" not in desk.metrics.page()[0]


def test_requests_are_counted(settings):
    desk = Desk(settings)
    desk.ask(1)
    desk.call("POST", "/predict/doubling", json={})
    page = desk.metrics.page()[0].decode()
    assert 'finml_requests_total{route="/predict/doubling",status="200"} 1.0' in page
    assert 'finml_requests_total{route="/predict/doubling",status="400"} 1.0' in page


def store_away(desk: Desk) -> None:
    desk.model.error = FeatureError("the store is away", hint="wait")


def broken_model(desk: Desk) -> None:
    desk.model.error = RuntimeError("boom")


def slow_model(desk: Desk) -> None:
    desk.model.free.clear()


def odd_input(desk: Desk) -> None:
    desk.model.error = DataError("not today")


@pytest.mark.parametrize(
    ("harm", "status", "then"),
    [
        (store_away, 503, 200),
        (broken_model, 500, 200),
        (slow_model, 504, 200),
        # the caller's own doing
        (odd_input, 422, 429),
        (lambda desk: None, 200, 429),
    ],
)
def test_what_gets_no_answer_by_a_fault_of_the_service_costs_no_quota(tmp_path, harm, status, then):
    settings = Settings(home=tmp_path, auth="required", inference_log="off", keys_file="", keys_secret="")
    key = KeyStore(settings).create("a caller", ["*:predict"], daily_quota=5)
    desk = Desk(settings, timeout_s=0.2)

    async def calls(client):
        async def ask():
            body = {"inputs": [{"number": number} for number in range(3)]}
            answer = await client.post("/predict/doubling", json=body, headers={"x-api-key": key.text})
            return answer.status_code

        harm(desk)
        first = await ask()
        desk.model.error = None
        desk.model.free.set()
        return first, await ask(), await ask()

    assert desk.run(calls) == (status, then, 429)


class BrokenAudit:
    """An audit log whose disk is full."""

    def append(self, decisions) -> None:
        from finml.errors import AuditError

        raise AuditError("no space left", hint="make room")

    def close(self) -> None:
        pass


def test_a_decision_that_cannot_be_recorded_is_not_made(settings):
    desk = Desk(settings, audit=BrokenAudit(), decision=decided)
    answer = desk.ask(1)
    assert answer.status_code == 503
    assert "doubled" not in answer.text
    assert desk.logged.predictions == []


def test_a_decision_is_found_by_its_id_and_by_its_callers(settings, monkeypatch, capfd):
    desk = Desk(settings, audit=AuditLog.of(settings), decision=decided)
    given = desk.ask(21, headers={"x-correlation-id": "order-66"}).headers["x-request-id"]
    monkeypatch.setattr("finml.settings.get_settings", lambda: settings)
    capfd.readouterr()
    for name in (given, "order-66"):
        assert run_command(["audit", "show", name, "--json"]) == 0
        (entry,) = json.loads(capfd.readouterr().out)
        assert (entry["request_id"], entry["correlation_id"]) == (given, "order-66")
        assert entry["decision"] == {"doubled": 42}


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


def test_a_status_without_a_kind_of_its_own_keeps_its_phrase(desk):
    assert desk.call("POST", "/teapot", json={}).json()["type"] == "about:blank"


def test_an_unavailable_service_says_when_to_come_back(desk):
    assert desk.call("POST", "/unavailable", json={}).headers["retry-after"] == "1"


def test_allowed_methods_are_named(desk):
    assert desk.call("GET", "/echo").headers["allow"] == "POST"


@pytest.mark.parametrize("header", ["x-request-id", "x-correlation-id"])
@pytest.mark.parametrize("path", ["/echo", "/predict/doubling"])
@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_a_callers_id_comes_back_beside_the_requests_own(desk, header, path, given, kept):
    body = {"inputs": [{"number": 1}]}
    answer = desk.call("POST", path, json=body, headers={header: given})
    assert answer.status_code == 200
    assert OWN_ID.fullmatch(answer.headers["x-request-id"])
    assert answer.headers.get("x-correlation-id") == (given if kept else None)
    (line,) = map(json.loads, desk.lines)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line.get("correlation_id") == (given if kept else None)


def test_an_id_is_never_used_twice(desk):
    """Not even where the caller sends its own again, and beyond what is asked of the system at once."""

    async def calls(client):
        headers = {"x-request-id": "order-66"}
        answers = [await client.post("/nothing", json={}, headers=headers) for _ in range(BLOCK + 10)]
        return [answer.headers["x-request-id"] for answer in answers]

    assert len(set(desk.run(calls))) == BLOCK + 10


def test_a_line_in_plain_words_has_the_ids_too():
    lines = []

    async def add():
        access_log = AccessLog(as_json=False, write=lines.append)
        for ids in (Ids("1" * 32), Ids("2" * 32, "order-66", TRACE)):
            access_log.add(method="GET", path="/models", status=200, seconds=0.001, ids=ids, caller="me")
        access_log.flush()

    asyncio.run(add())
    first, second = "".join(lines).splitlines()
    assert first.endswith(f"[info] GET /models 200 1.00 ms {'1' * 32} me")
    assert second.endswith(f"1.00 ms {'2' * 32} correlation_id=order-66 trace_id={TRACE} me")


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-{PARENT}-01", TRACE),
        (f"01-{TRACE}-{PARENT}-01-what-comes-later", TRACE),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("path", ["/raises", "/predict/doubling"])
def test_the_trace_of_a_request_is_in_its_lines(desk, capsys, path, traceparent, trace):
    desk.model.error = RuntimeError("boom")
    body = {"inputs": [{"number": 1}]}
    answer = desk.call("POST", path, json=body, headers={"traceparent": traceparent})
    assert answer.status_code == 500
    (line,) = map(json.loads, desk.lines)
    assert line.get("trace_id") == trace
    problems = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "request_failed" in line]
    assert [problem.get("trace_id") for problem in problems] == [trace]


@pytest.mark.parametrize("path", ["/echo", "/predict/doubling"])
def test_a_chunked_body_is_limited_too(desk, path):
    async def parts():
        for _ in range(21):
            yield b"0123456789"

    assert (
        desk.call("POST", path, content=parts(), headers={"content-type": "application/json"}).status_code
        == 413
    )


def test_an_answer_that_breaks_midway_is_not_given_a_second_head(desk):
    with pytest.raises(RuntimeError, match="too late"):
        desk.call("POST", "/breaks_midway", json={})


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
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"{", "more_body": True}

    start, body = exchange(Desk(settings, app=BEHIND, timeout_s=0.2), path, receive)
    assert start["status"] == 408
    assert json.loads(body["body"])["type"] == "urn:finml:problem:request-timeout"
    # the rest of the body would pass for the next request
    assert (b"connection", b"close") in start["headers"]


@pytest.mark.parametrize("path", ["/echo", "/predict/doubling"])
def test_a_caller_who_hangs_up_gets_nothing(settings, path):
    async def receive():
        return {"type": "http.disconnect"}

    assert exchange(Desk(settings, app=BEHIND), path, receive) == []


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


def test_of_very_many_errors_the_first_are_told(settings):
    body = {"inputs": [{"number": 1}]} | {f"more{place}": 1 for place in range(1000)}
    assert len(Desk(settings).call("POST", "/predict/doubling", json=body).json()["errors"]) == MOST_ERRORS


def test_pointer_escapes():
    assert json_pointer(["a/b", "~c", 0]) == "#/a~1b/~0c/0"


def test_problem_without_errors_has_no_list():
    assert "errors" not in json.loads(problem(Refusal(400), "id"))


def test_a_forked_process_does_not_go_on_with_the_ids_of_the_one_that_it_came_from():
    script = """
import os
from bentos.ids import new_id
new_id()
child = os.fork()
os.write(1, "".join(new_id() + " " for _ in range(5)).encode())
os._exit(0) if child == 0 else os.waitpid(child, 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 10
