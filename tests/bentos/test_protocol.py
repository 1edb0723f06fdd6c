"""What a caller may leave unfinished, and for how long."""

import contextlib
import json
import threading

import pytest

from bentos import protocol
from tests.bentos.patient import connect, patient, until_closed


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
