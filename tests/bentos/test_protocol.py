"""What a caller may leave unfinished, and for how long."""

import asyncio
import contextlib
import json
import threading

import pytest
import uvicorn

from bentos import protocol
from bentos.server import HOST, free_port
from tests.bentos.patient import connect, hello, patient, until_closed


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"], ids=["silent", "half a head"])
def test_a_caller_that_does_not_finish_its_head_is_cut_off(monkeypatch, sent):
    monkeypatch.setattr(protocol, "HEADERS_WITHIN_S", 0.2)
    with patient() as port, connect(port) as connection:
        connection.sendall(sent)
        assert until_closed(connection) == b""


def test_half_a_head_after_an_answered_request_is_cut_off_too(monkeypatch):
    monkeypatch.setattr(protocol, "HEADERS_WITHIN_S", 0.2)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HT")
        assert b"200" not in until_closed(connection)


def test_an_endless_head_is_cut_off(monkeypatch):
    monkeypatch.setattr(protocol, "MOST_HEADER_BYTES", 1000)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 2000)
        assert b"200" not in until_closed(connection)


def test_a_long_head_that_comes_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(protocol, "MOST_HEADER_BYTES", 1000)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 2000 + b"\r\n\r\n")
        assert until_closed(connection).startswith(b"HTTP/1.1 400")


def test_who_leaves_its_answer_unread_is_cut_off(monkeypatch):
    monkeypatch.setattr(protocol, "READ_WITHIN_S", 0.2)
    length = 50_000_000
    cut_off = threading.Event()

    async def long(scope, receive, send) -> None:
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * (length - 1), "more_body": True})
        # waits until the caller has read the rest, which it does not, or is gone
        await send({"type": "http.response.body", "body": b"a"})
        cut_off.set()

    with patient(long) as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert cut_off.wait(10)
        found = 0
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                found += len(part)
    assert found < length


def test_who_is_answered_before_its_body_has_come_can_go_on(monkeypatch):
    monkeypatch.setattr(protocol, "MOST_HEADER_BYTES", 1000)
    body = b"a" * 5000
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    with patient() as port, connect(port) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(body)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert until_closed(connection).endswith(b"ok")


def test_a_body_that_trickles_in_after_its_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(protocol, "HEADERS_WITHIN_S", 0.2)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"a")
        assert until_closed(connection) in (b"", b"ok")


def test_what_is_no_http_is_a_problem_too():
    with patient() as port, connect(port) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        head, body = until_closed(connection).split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in head
    document = json.loads(body)
    assert document["status"] == 400
    assert document["request_id"].encode() in head


def test_idle_connections_do_not_keep_others_out(monkeypatch):
    monkeypatch.setattr(protocol, "HEADERS_WITHIN_S", 30.0)
    with patient() as port:
        idle = [connect(port) for _ in range(200)]
        try:
            with connect(port) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert until_closed(connection).endswith(b"ok")
        finally:
            for connection in idle:
                connection.close()


def test_many_requests_on_one_connection_are_answered(monkeypatch):
    monkeypatch.setattr(protocol, "MOST_HEADER_BYTES", 200)
    with patient() as port, connect(port) as connection:
        for _ in range(20):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok"):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")


REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.asynccontextmanager
async def idle_connection():
    """A server in this loop, so that it reads nothing meanwhile, and a connection that it answered once."""
    port = free_port()
    config = uvicorn.Config(
        hello,
        host=HOST,
        port=port,
        http=protocol.PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        # else it would close idle connections by itself
        timeout_keep_alive=60,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(REQUEST)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
    try:
        yield server, reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("arrives", ["before the server stops", "just after"])
def test_a_request_on_an_idle_connection_is_answered_though_the_server_stops(arrives):
    async def run() -> None:
        async with idle_connection() as (server, reader, writer):
            if arrives == "before the server stops":
                # sent at once, and read by the server in the loop's next turn at the earliest
                writer.write(REQUEST)
            stopping = asyncio.create_task(server.shutdown())
            await asyncio.sleep(0)
            if arrives == "just after":
                writer.write(REQUEST)
            last = await asyncio.wait_for(reader.read(), 10)
            await stopping
        assert last.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in last

    asyncio.run(run())


def test_an_idle_connection_does_not_hold_a_server_that_stops(monkeypatch):
    monkeypatch.setattr(protocol, "LAST_HEAD_WITHIN_S", 0.05)

    async def run() -> None:
        async with idle_connection() as (server, reader, _):
            await asyncio.wait_for(server.shutdown(), 10)
            assert await asyncio.wait_for(reader.read(), 10) == b""

    asyncio.run(run())


def test_a_long_head_is_refused_of_a_server_that_stops_too(monkeypatch):
    monkeypatch.setattr(protocol, "MOST_HEADER_BYTES", 2000)

    async def run() -> None:
        async with idle_connection() as (server, reader, writer):
            stopping = asyncio.create_task(server.shutdown())
            await asyncio.sleep(0)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
            # in pieces, as far as the server takes them
            for number in range(40):
                await asyncio.sleep(0.001)
                if not reader.at_eof() and reader.exception() is None:
                    writer.write(b"X-%d: %s\r\n" % (number, b"x" * 100))
            writer.write(b"\r\n")
            answer = b""
            with contextlib.suppress(ConnectionError):
                answer = await asyncio.wait_for(reader.read(), 10)
            await stopping
        assert not answer.startswith(b"HTTP/1.1 200")

    asyncio.run(run())
