"""The processes: how they share a port and their memory, how they are replaced, how they stop."""

import asyncio
import pickle
import socket
import subprocess
import sys
import threading

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from bentos.protocol import PatientProtocol
from bentos.server import HOST, free_port
from bentos.workers import OwnSocket, listen
from tests.bentos.patient import hello, until_closed
from tests.bentos.waiting import wait_for


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


def test_a_bento_that_cannot_be_loaded_ends_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    command = [sys.executable, "-m", "bentos.workers", "none:such", "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == STARTUP_FAILURE
    assert b"none:such" in done.stderr


def test_who_waits_at_the_door_when_it_closes_is_answered():
    port = free_port()
    listener = listen(HOST, port)
    config = uvicorn.Config(
        hello,
        http=PatientProtocol,
        loop="bentos.accepting:AcceptingLoop",
        ws="none",
        lifespan="off",
        log_config=None,
        backlog=64,
    )
    server = uvicorn.Server(config)

    def connect_then_stop() -> None:
        """In the loop's own thread, so that the loop cannot accept before the server stops."""
        for connection in waiting:
            connection.connect((HOST, port))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
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
    # and told that it was the last one, not only cut off later
    assert all(b"connection: close" in answer for answer in answers)
