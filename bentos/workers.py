"""Serves a Bento by processes that share the load evenly: `python -m bentos.workers BENTO`.

`bentoml serve` serves the same Bento with the same answers. Its workers wait on one socket, of which the
quickest takes nearly all connections; here each worker has a socket of its own on the same port, and the
kernel deals the connections out. A worker that dies is replaced; one that is to stop finishes what it took.
"""

import argparse
import asyncio
import os
import shutil
import socket
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from bentos.ids import new_id
from bentos.problems import Refusal, problem

if TYPE_CHECKING:
    from bentos.asgi import App

BENTO_VARIABLE = "FINML_SERVED_BENTO"
BACKLOG = 2048
KEEP_ALIVE_S = 30
HEADERS_WITHIN_S = 10.0
# the same for who has connected to a server that stops
LAST_HEAD_WITHIN_S = 1.0
# for a caller that is sent more than it reads
READ_WITHIN_S = 30.0
# in which the requests that were taken are answered; the edge answers every one within ten
FINISH_WITHIN_S = 15
HUNG_AFTER_S = 60
MOST_HEADER_BYTES = 32 << 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns 0, or `STARTUP_FAILURE` where a worker could not start."""
    options = parser().parse_args(arguments)
    os.environ[BENTO_VARIABLE] = options.bento
    # chosen before any worker imports the library that reads it
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="finml-metrics-")
    config = uvicorn.Config(
        "bentos.workers:application",
        factory=True,
        http=PatientProtocol,
        ws="none",
        loop="bentos.accepting:AcceptingLoop",
        workers=options.workers,
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_WITHIN_S,
        timeout_worker_healthcheck=HUNG_AFTER_S,
    )
    supervisor = Supervisor(config, sockets=[OwnSocket(options.host, options.port)])  # type: ignore[list-item]
    try:
        supervisor.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    failed = any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes)
    return STARTUP_FAILURE if failed else 0


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(prog="python -m bentos.workers", description="Serve a Bento.")
    options.add_argument("bento", help="its tag, or its folder")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=3000)
    options.add_argument("--workers", type=int, default=1)
    return options


def application() -> "App":
    """The Bento's ASGI application, in a worker."""
    import bentoml

    bento = os.environ[BENTO_VARIABLE]
    try:
        service = bentoml.load(bento, standalone_load=True)
        app: App = service.to_asgi(is_main=True)
    except Exception:
        # with another status the supervisor would try again for ever
        traceback.print_exc()
        sys.stderr.write(f"the Bento {bento} cannot be loaded\n")
        sys.exit(STARTUP_FAILURE)
    return app


def listen(host: str, port: int) -> socket.socket:
    """A socket on a port that other processes listen on as well."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    return listener


class Supervisor(Multiprocess):
    """uvicorn's, which notices at once that a worker has died."""

    def keep_subprocess_alive(self) -> None:
        """Replace who has died."""
        for worker in self.processes:
            # while the worker's end is open here too, a dead one is waited for as long as one that hangs
            worker.child_conn.close()
        super().keep_subprocess_alive()


class OwnSocket:
    """Stands for a socket until it reaches the worker that it is for, where it becomes one."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the call that opens it: a worker's arguments are pickled on their way to it."""
        return listen, (self.host, self.port)


class PatientProtocol(HttpToolsProtocol):
    """HTTP with limits on a request's head, its time and size, and on how long answers may be left unread.

    uvicorn waits for ever for both, so that a few hundred idle connections would hold a server.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self.head_bytes, self.in_body = 0, False
        self.unread_timer: asyncio.TimerHandle | None = None
        self.head_timer: asyncio.TimerHandle | None = self.loop.call_later(HEADERS_WITHIN_S, self.hang_up)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too long."""
        if self.head_timer is None and (self.cycle is None or self.cycle.response_complete):
            # the first bytes of the next request on this connection, or the rest of an answered one's body
            self.head_bytes = 0
            self.head_timer = self.loop.call_later(HEADERS_WITHIN_S, self.hang_up)
        if self.head_timer is not None and not self.in_body:
            self.head_bytes += len(data)
        super().data_received(data)
        if self.head_timer is not None and self.head_bytes > MOST_HEADER_BYTES:
            self.hang_up()

    def on_headers_complete(self) -> None:
        """The head is there: stop the clock."""
        self.stop_clock()
        if self.head_bytes > MOST_HEADER_BYTES and self.head_length() > MOST_HEADER_BYTES:
            # all of it came at once; uvicorn answers 400 and closes
            raise ValueError("the request's head is too long")
        self.in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there, whether it was read or not."""
        self.in_body = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Start the clock of a caller that leaves its answers unread."""
        self.unread_timer = self.loop.call_later(READ_WITHIN_S, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """The caller reads on."""
        if self.unread_timer:
            self.unread_timer.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the form of every other refusal."""
        given = new_id()
        body = problem(Refusal(400, detail=msg), given)
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nx-request-id: {given}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: stop the clocks."""
        self.stop_clock()
        if self.unread_timer:
            self.unread_timer.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: answer what is under way, and what a caller who has just come is sending."""
        if self.cycle is None:
            self.stop_clock()
            self.head_timer = self.loop.call_later(LAST_HEAD_WITHIN_S, self.hang_up)
        else:
            super().shutdown()

    def head_length(self) -> int:
        """Bytes of the present head, but for what stands between its parts."""
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def stop_clock(self) -> None:
        """Forget the limit until the next request."""
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def hang_up(self) -> None:
        """Close the connection."""
        self.stop_clock()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()


if __name__ == "__main__":
    sys.exit(main())
