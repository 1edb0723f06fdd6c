"""The ids of requests: in answers, and in the lines of logs."""

import asyncio
import json
import re
import subprocess
import sys

import pytest

from bentos.access_log import AccessLog
from bentos.ids import BLOCK, Ids

OWN_ID = re.compile("[0-9a-f]{32}")


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


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
