"""A server that is told to stop, once, twice, or at once."""

import signal
import subprocess
import sys
import time

import pytest

SERVER = """
import sys
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from bentos.draining import drain_on_sigterm


def say(word):
    print(word, flush=True)


@asynccontextmanager
async def lifespan(app):
    drain_on_sigterm(lambda: say("draining"), float(sys.argv[1]))
    say("started")
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
    assert seconds < 30


def told_to_stop(drain_s: str, signals: list[signal.Signals]) -> tuple[list[str], float]:
    """What a server says that is sent signals, and how long it goes on after the first of them."""
    command = [sys.executable, "-c", SERVER, drain_s]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout.readline() == "started\n"
        began = time.monotonic()
        said = []
        for number in signals:
            server.send_signal(number)
            if not said:
                # a signal that is not yet handled would swallow the next one of its kind
                said.append(server.stdout.readline().strip())
        rest = server.stdout.read()
        return [*said, *rest.split()], time.monotonic() - began
