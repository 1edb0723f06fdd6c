"""The real server's processes: what they share, and what happens when one of them is killed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.process_tree import gone, templates, workers
from bentos.server import HOST, answers, free_port, is_ready, start, stop
from tests.bentos.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]
WORKERS = 2
DRAIN_S = 4.0


@dataclass(frozen=True)
class Tree:
    """A server's processes: the supervisor, and what its workers are forked from.

    Attributes:
        port: where it listens.
        log: what it wrote.
    """

    supervisor: psutil.Process
    template: psutil.Process
    port: int
    log: Path

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        return workers(self.supervisor.pid)

    def answers_ten_times(self) -> bool:
        """On connections of their own, so that every worker is asked."""
        return all(
            httpx.get(f"http://{HOST}:{self.port}/livez", timeout=30).status_code == 200 for _ in range(10)
        )


@pytest.fixture
def tree(bank, bento, tmp_path, request) -> Iterator[Tree]:
    """A server of two workers that is ready; drains for the test's parameter, or not at all."""
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as output:
        drain_s = getattr(request, "param", 0.0)
        # what is waited for is said at this level
        settings = bank.settings.model_copy(update={"drain_s": drain_s, "log_level": "INFO"})
        process = start(settings, port, tag=bento.tag, workers=WORKERS, output=output.fileno())
    try:
        wait_for(lambda: log.read_text().count("warmed_up") == WORKERS and is_ready(f"http://{HOST}:{port}"))
        (template,) = templates(process.pid)
        yield Tree(psutil.Process(process.pid), template, port, log)
    finally:
        stop(process)


def test_workers_share_what_was_read_once(tree):
    assert tree.template.num_threads() == 1
    said = tree.log.read_text()
    assert "not_preloaded" not in said
    assert "forked_beside_threads" not in said
    assert len(tree.workers) == WORKERS
    for worker in tree.workers:
        memory = worker.memory_full_info()
        # its own share was all but a fifth of it when each worker read for itself
        assert memory.uss < memory.rss / 3


def test_a_worker_that_is_killed_is_replaced_within_moments(tree):
    first, second = tree.workers
    first.kill()
    wait_for(lambda: len(tree.workers) == WORKERS and first not in tree.workers, within_s=10)
    assert second in tree.workers
    assert wait_for(tree.answers_ten_times, within_s=10) < 10
    (new,) = set(tree.workers) - {second}
    new.terminate()
    wait_for(lambda: gone(new))


def test_workers_stop_when_their_supervisor_is_killed(tree):
    served = tree.workers
    tree.supervisor.kill()
    wait_for(lambda: all(map(gone, [*served, tree.template])), within_s=20)
    assert not answers(tree.port)


def test_workers_outlive_what_they_were_forked_from_until_others_are_there(tree):
    old = tree.workers
    tree.template.kill()

    def forked_anew() -> bool:
        assert answers(tree.port)
        return tree.template not in templates(tree.supervisor.pid) and len(tree.workers) == WORKERS

    wait_for(forked_anew)
    wait_for(lambda: all(map(gone, old)), within_s=30)
    wait_for(lambda: is_ready(f"http://{HOST}:{tree.port}"), within_s=30)


def test_a_signal_to_all_processes_ends_the_workers_before_the_supervisor(tree):
    served = tree.workers
    os.killpg(tree.supervisor.pid, signal.SIGTERM)
    wait_for(lambda: gone(tree.supervisor), within_s=30)
    assert all(map(gone, served))
    wait_for(lambda: gone(tree.template), within_s=10)


@pytest.mark.parametrize("tree", [DRAIN_S], indirect=True)
def test_a_signal_to_all_processes_lets_the_workers_drain(tree):
    began = time.monotonic()
    os.killpg(tree.supervisor.pid, signal.SIGTERM)
    wait_for(lambda: tree.log.read_text().count("draining") == WORKERS, within_s=10)
    answered = 0.0
    with suppress(httpx.TransportError):
        while tree.answers_ten_times():
            answered = time.monotonic() - began
    wait_for(lambda: gone(tree.supervisor), within_s=30)
    # the last round of questions ended a little before
    assert answered > DRAIN_S / 2
    assert time.monotonic() - began > DRAIN_S
