"""What goes on beside requests."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bentos import front
from finml.settings import Settings
from tests.bentos.edges import Desk, Logged


class Uncounted(Logged):
    """An inference log that cannot say how much waits until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.asked = 0
        super().__init__()

    @property
    def queued(self) -> int:
        self.asked += 1
        if self.broken:
            raise RuntimeError("cannot count")
        return 7

    @queued.setter
    def queued(self, _: int) -> None:
        pass


@pytest.fixture
def logged():
    return Uncounted()


@pytest.fixture
def desk(tmp_path, monkeypatch, logged):
    monkeypatch.setattr(front, "STATE_S", 0.01)
    return Desk(Settings(home=tmp_path, auth="open", inference_log="off"), logged=logged)


async def until(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


def shown(desk, line: bytes):
    return lambda: line in desk.metrics.page()[0]


def test_figures_that_could_not_be_read_are_read_again_and_said_once_each_time(desk, logged):
    async def figures(_) -> None:
        await until(lambda: logged.asked >= 5)
        logged.broken = False
        await until(shown(desk, b'finml_state{what="inference_log_queued"} 7.0'))
        logged.broken, logged.asked = True, 0
        await until(lambda: logged.asked >= 5)

    with capture_logs() as logs:
        desk.run(figures)
    assert [line["event"] for line in logs].count("state_not_reported") == 2


def test_requests_are_counted_while_a_figure_cannot_be_read(desk):
    async def counted(client) -> None:
        await client.post("/predict/doubling", json={"inputs": [{"number": 1}]})
        await until(shown(desk, b'finml_requests_total{route="/predict/doubling",status="200"} 1.0'))

    desk.run(counted)
