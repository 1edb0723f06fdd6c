"""A real service under load: it is stopped, a worker is killed, a version is taken back."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil
import pytest

from benchmarks.process_tree import workers
from bentos.server import HOST, free_port, is_ready, start, stop
from finml.routing.changes import roll_back, set_rule
from finml.routing.rules import Rule
from finml.settings import Settings
from tests.bentos.callers import calling
from tests.bentos.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]


@dataclass(frozen=True)
class Service:
    url: str
    process: subprocess.Popen[bytes]
    settings: Settings

    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        return workers(self.process.pid)


@pytest.fixture
def two_workers(bank, bento_of_three, tmp_path) -> Iterator[Service]:
    settings = bank.settings.model_copy(
        update={"drain_s": 0.5, "routing_file": str(tmp_path / "routing.yaml")}
    )
    port = free_port()
    url = f"http://{HOST}:{port}"
    process = start(settings, port, tag=bento_of_three.tag, workers=2, output=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_ready(url))
        yield Service(url, process, settings)
    finally:
        stop(process)


def bodies(bank, callers: int) -> list[dict]:
    return [{"inputs": [{"user_id": user, "loan_amount": 1000.0}]} for user in bank.users[:callers]]


def test_no_accepted_request_fails_when_the_service_is_stopped(two_workers, bank):
    with calling(two_workers.url, bodies(bank, 8)) as callers:
        seen = callers.answers
        two_workers.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_ready(two_workers.url))
        assert two_workers.process.wait(30) == 0
        wait_for(lambda: callers.turned_away)
    assert callers.answers > seen
    assert set(callers.statuses) == {200}
    assert callers.broken == []


def test_a_killed_worker_is_replaced_while_the_other_answers(two_workers, bank):
    wait_for(lambda: len(two_workers.workers()) == 2)
    killed = two_workers.workers()[0]
    with calling(two_workers.url, bodies(bank, 8)) as callers:
        killed.kill()
        seen = callers.answers
        wait_for(lambda: callers.answers > seen + 50)
        wait_for(lambda: len([one for one in two_workers.workers() if one.pid != killed.pid]) == 2)
    assert set(callers.statuses) == {200}
    # what the dead worker had taken is lost, and who was at its door: at most two requests a caller
    assert len(callers.broken) <= 16


HELD = {"credit_risk": ["champion", "challenger", "previous"]}


def test_a_rollback_reaches_every_worker_within_two_seconds_and_fails_no_request(
    two_workers, bank, other_version
):
    with calling(two_workers.url, bodies(bank, 16)) as callers:
        assert set(callers.last_version.values()) == {bank.version.spec}
        roll_back(two_workers.settings.routing, HELD, "credit_risk", who="test")
        seconds = wait_for(lambda: set(callers.last_version.values()) == {other_version.spec})
        since = callers.answers
        wait_for(lambda: callers.answers > since + 100)
        assert set(callers.last_version.values()) == {other_version.spec}
    assert seconds < 2
    assert set(callers.statuses) == {200}
    assert callers.broken == []


def test_a_split_keeps_each_user_at_one_version_in_every_worker(two_workers, bank, other_version):
    rule = Rule.model_validate({"split": {"challenger": 50}})
    set_rule(two_workers.settings.routing, HELD, "credit_risk", rule, who="test")

    def followed() -> bool:
        # a connection each, so that both workers are asked
        rules = [httpx.get(f"{two_workers.url}/routing").json()["models"]["credit_risk"] for _ in range(12)]
        return all(rule["challenger_percent"] == 50 for rule in rules)

    wait_for(followed)

    def versions() -> list[str]:
        answers = [httpx.post(f"{two_workers.url}/predict/credit_risk", json=body) for body in asked]
        return [answer.json()[0]["model_version"] for answer in answers]

    asked = bodies(bank, 40)
    first = versions()
    assert set(first) == {bank.version.spec, other_version.spec}
    assert versions() == first


def test_a_broken_routing_file_changes_nothing(two_workers, bank):
    with calling(two_workers.url, bodies(bank, 4)) as callers:
        two_workers.settings.routing.write_text("models: [")
        with httpx.Client(base_url=two_workers.url) as client:
            wait_for(lambda: client.get("/routing").json()["error"])
        since = callers.answers
        wait_for(lambda: callers.answers > since + 20)
    assert set(callers.versions) == {bank.version.spec}
    assert set(callers.statuses) == {200}
