"""What goes on beside requests."""

import asyncio

from structlog.testing import capture_logs

from bentos import front
from finml.settings import Settings
from tests.bentos.edges import Desk, Logged


class FailsOnce(Logged):
    """An inference log that at first cannot say how much waits."""

    def __init__(self) -> None:
        self.failures = 0
        super().__init__()

    @property
    def queued(self) -> int:
        if not self.failures:
            self.failures += 1
            raise RuntimeError("cannot count")
        return 7

    @queued.setter
    def queued(self, _: int) -> None:
        pass


def test_figures_that_could_not_be_read_once_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(front, "STATE_S", 0.01)
    desk = Desk(Settings(home=tmp_path, auth="open", inference_log="off"), logged=FailsOnce())

    async def figures(_) -> None:
        while b'finml_state{what="inference_log_queued"} 7.0' not in desk.metrics.page()[0]:
            await asyncio.sleep(0)

    with capture_logs() as logs:
        desk.run(lambda client: asyncio.wait_for(figures(client), 10))
    assert "state_not_reported" in {line["event"] for line in logs}
