"""The processes: how they share a port, whom they cut off, how they stop."""

import asyncio
import contextlib
import json
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from uvicorn.config import STARTUP_FAILURE

from bentos import workers
from bentos.server import HOST, free_port
from bentos.workers import OwnSocket, PatientProtocol, listen
from tests.bentos.waiting import wait_for


async def hello(scope, receive, send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def patient(app=hello) -> Iterator[int]:
    """A server with the patient protocol, in a thread; gives its port."""
    port = free_port()
    config = uvicorn.Config(
        app, host=HOST, port=port, http=PatientProtocol, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    running = threading.Thread(target=server.run)
    running.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        running.join()


def connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port))
    connection.settimeout(10)
    return connection


def until_closed(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection; fails where it does not."""
    found = b""
    while part := connection.recv(4096):
        found += part
    return found


def test_two_processes_can_listen_on_one_port():
    port = free_port()
    with listen(HOST, port) as first, listen(HOST, port) as second:
        first.listen()
        second.listen()
        assert first.getsockname() == second.getsockname()


def test_a_workers_socket_is_opened_where_it_arrives():
    port = free_port()
    arrived = pickle.loads(pickle.dumps(OwnSocket(HOST, port)))  # noqa: S301  # our own bytes
    with arrived:
        assert arrived.getsockname() == (HOST, port)
        assert arrived.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"], ids=["silent", "half a head"])
def test_a_caller_that_does_not_finish_its_head_is_cut_off(monkeypatch, sent):
    monkeypatch.setattr(workers, "HEADERS_WITHIN_S", 0.2)
    with patient() as port, connect(port) as connection:
        connection.sendall(sent)
        assert until_closed(connection) == b""


def test_half_a_head_after_an_answered_request_is_cut_off_too(monkeypatch):
    monkeypatch.setattr(workers, "HEADERS_WITHIN_S", 0.2)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HT")
        assert b"200" not in until_closed(connection)


def test_an_endless_head_is_cut_off(monkeypatch):
    monkeypatch.setattr(workers, "MOST_HEADER_BYTES", 1000)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 2000)
        assert b"200" not in until_closed(connection)


def test_a_long_head_that_comes_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(workers, "MOST_HEADER_BYTES", 1000)
    with patient() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 2000 + b"\r\n\r\n")
        assert until_closed(connection).startswith(b"HTTP/1.1 400")


def test_who_leaves_its_answer_unread_is_cut_off(monkeypatch):
    monkeypatch.setattr(workers, "READ_WITHIN_S", 0.2)
    length = 50_000_000

    async def long(scope, receive, send) -> None:
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * length})

    with patient(long) as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.6)
        found = 0
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                found += len(part)
    assert found < length


def test_who_is_answered_before_its_body_has_come_can_go_on(monkeypatch):
    monkeypatch.setattr(workers, "MOST_HEADER_BYTES", 1000)
    body = b"a" * 5000
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    with patient() as port, connect(port) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(body)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert until_closed(connection).endswith(b"ok")


def test_a_body_that_trickles_in_after_its_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(workers, "HEADERS_WITHIN_S", 0.2)
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


def test_a_bento_that_cannot_be_loaded_ends_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    command = [sys.executable, "-m", "bentos.workers", "none:such", "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == STARTUP_FAILURE
    assert b"none:such" in done.stderr


def test_idle_connections_do_not_keep_others_out(monkeypatch):
    monkeypatch.setattr(workers, "HEADERS_WITHIN_S", 30.0)
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
    monkeypatch.setattr(workers, "MOST_HEADER_BYTES", 200)
    with patient() as port, connect(port) as connection:
        for _ in range(20):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok"):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")


def test_who_waits_at_the_door_when_it_closes_is_answered():
    port = free_port()
    listener = listen(HOST, port)
    config = uvicorn.Config(
        hello, loop="bentos.accepting:AcceptingLoop", ws="none", lifespan="off", log_config=None, backlog=64
    )
    server = uvicorn.Server(config)

    def connect_then_stop() -> None:
        """In the loop's own thread, so that the loop cannot accept before the server stops."""
        for connection in waiting:
            connection.connect((HOST, port))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for one in server.servers:
            one.close()
        server.should_exit = True
        stopped.set()

    stopped = threading.Event()
    waiting = [socket.socket() for _ in range(20)]
    for connection in waiting:
        connection.settimeout(10)
    loops = []

    async def notify() -> None:
        loops.append(asyncio.get_running_loop())

    config.callback_notify = notify
    config.timeout_notify = 0
    running = threading.Thread(target=server.run, args=([listener],))
    running.start()
    wait_for(lambda: loops, within_s=10)
    loops[0].call_soon_threadsafe(connect_then_stop)
    assert stopped.wait(10)
    answers = [until_closed(connection) for connection in waiting]
    running.join()
    for connection in waiting:
        connection.close()
    assert all(answer.endswith(b"ok") for answer in answers)
