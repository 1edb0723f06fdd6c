"""A server with the workers' HTTP protocol, in a thread, and connections to it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from bentos.protocol import PatientProtocol
from bentos.server import HOST, free_port


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
