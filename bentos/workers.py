"""Serves a Bento by processes that share the load evenly: `python -m bentos.workers BENTO`.

`bentoml serve` serves the same Bento with the same answers. Its workers wait on one socket, of which the
quickest takes nearly all connections; here each worker has a socket of its own on the same port, and the
kernel deals the connections out. Workers are forked from one process that has read the models, see
`bentos.preloaded`. A worker that dies is replaced; one that is to stop finishes what it took, and one whose
supervisor has died stops.
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import uvicorn
import uvicorn._subprocess
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from bentos.listening import check_address, listen
from bentos.preloaded import BENTO_VARIABLE, SINGLE_THREADED, served
from bentos.protocol import PatientProtocol
from finml.errors import ServeError

if TYPE_CHECKING:
    from bentos.asgi import App

BACKLOG = 2048
KEEP_ALIVE_S = 30
# in which the requests that were taken are answered; the edge answers every one within ten
FINISH_WITHIN_S = 15
HUNG_AFTER_S = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns 0, or `STARTUP_FAILURE` where a worker could not start."""
    options = parser().parse_args(arguments)
    try:
        check_address(options.host, options.port, shared=True)
    except ServeError as error:
        sys.stderr.write(f"error: {error}\ntry: {error.hint}\n")
        return STARTUP_FAILURE
    os.environ |= SINGLE_THREADED | {BENTO_VARIABLE: options.bento}
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
    from bentos.fronted import outermost

    stop_with_supervisor()
    try:
        service = served()
        app: App = outermost(service, service.to_asgi(is_main=True))
    except Exception:
        # with another status the supervisor would try again for ever
        traceback.print_exc()
        sys.stderr.write(f"the Bento {os.environ[BENTO_VARIABLE]} cannot be loaded\n")
        sys.exit(STARTUP_FAILURE)
    return app


def stop_with_supervisor() -> None:
    """Send this worker SIGTERM when its supervisor is gone, so that it drains and stops as if told to."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return

    def watch() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor", daemon=True).start()


class Supervisor(Multiprocess):
    """uvicorn's, which forks its workers and notices at once that one has died."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["bentos.preloaded"])
        # what uvicorn makes its workers with; there is no other way in
        uvicorn._subprocess.spawn = context  # type: ignore[assignment]

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


if __name__ == "__main__":
    sys.exit(main())
