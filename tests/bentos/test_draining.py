"""A server that is told to stop, once, twice, at once, or while it writes into its log."""

import signal
import subprocess
import sys
import threading
import time

import pytest

LONGEST_S = 40
"""After which a server that hangs is ended."""

SERVER = """
import signal
import sys
from contextlib import asynccontextmanager

import structlog
import uvicorn
from starlette.applications import Starlette

from bentos.draining import drain_on_sigterm

drain_s, way = float(sys.argv[1]), sys.argv[2]


class Log:
    def write(self, text):
        if text.startswith("first") and way == "told while logging":
            signal.raise_signal(signal.SIGTERM)
        sys.stdout.write(text)

    def flush(self):
        sys.stdout.flush()


say = structlog.PrintLogger(Log()).info


def begin():
    say("draining")
    if way == "begin fails":
        raise OSError("no more")


@asynccontextmanager
async def lifespan(app):
    drain_on_sigterm(begin, drain_s)
    say("started")
    if way == "told while logging":
        say("first")
    yield
    say("stopped")


uvicorn.run(Starlette(lifespan=lifespan), port=0, log_config=None)
"""


@pytest.mark.parametrize("signals", [1, 2, 3])
def test_a_server_drains_as_long_as_it_shall_however_often_it_is_told_to_stop(signals):
    said, seconds = told_to_stop("1.0", [signal.SIGTERM] * signals)
    assert said == ["draining", "stopped"]
    assert seconds >= 1.0


def test_an_interrupt_ends_the_draining():
    said, seconds = told_to_stop("60.0", [signal.SIGTERM, signal.SIGINT])
    assert said == ["draining", "stopped"]
    assert seconds < LONGEST_S - 10


def test_a_server_stops_that_could_not_begin_to_drain():
    said, seconds = told_to_stop("1.0", [signal.SIGTERM], "begin fails")
    assert said == ["draining", "stopped"]
    assert seconds >= 1.0


def test_a_server_stops_that_is_told_to_while_it_writes_into_its_log():
    said, _ = told_to_stop("0.1", [], "told while logging")
    assert said == ["first", "draining", "stopped"]


def told_to_stop(drain_s: str, signals: list[signal.Signals], way: str = "") -> tuple[list[str], float]:
    """What a server says that is sent signals, and how long it goes on after the first of them."""
    command = [sys.executable, "-c", SERVER, drain_s, way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout.readline() == "started\n"
        began = time.monotonic()
        last = threading.Timer(LONGEST_S, server.kill)
        last.start()
        said = []
        for number in signals:
            server.send_signal(number)
            if not said:
                # a signal that is not yet handled would swallow the next one of its kind
                said.append(server.stdout.readline().strip())
        rest = server.stdout.read()
        last.cancel()
        return [*said, *rest.split()], time.monotonic() - began
