"""A canary that breaks its limits is ended, everywhere, and a healthy one is left alone."""

import json
import random
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from finml.routing import file
from finml.routing.router import Router
from tests.routing.conftest import HELD, canary

MODEL = "credit_risk"


class Traffic:
    """Requests of many users, answered by whom the router says, with the challenger as it is told to be."""

    def __init__(self, seed, *, errors=0.0, slower=1.0, shifted=0.0, common_errors=0.0):
        self.random = random.Random(seed)  # noqa: S311  # no secret
        self.errors, self.slower, self.shifted, self.common = errors, slower, shifted, common_errors
        self.challenged = 0

    def send(self, router, count):
        for _ in range(count):
            variant = router.route(MODEL, f"u{self.random.randrange(10**6)}").variant
            new = variant == "challenger"
            self.challenged += new
            ok = self.random.random() >= self.common + (self.errors if new else 0)
            latency = self.random.lognormvariate(-6, 0.5) * (self.slower if new else 1)
            score = min(1.0, self.random.betavariate(2, 8) + (self.shifted if new else 0))
            router.observe(MODEL, variant, ok=ok, latency_s=latency, score=score if ok else None)


def until_rolled_back(router, traffic, requests, every=50):
    """Requests sent when the canary was ended, or `None`."""
    for sent in range(every, requests + 1, every):
        traffic.send(router, every)
        if router.check():
            return sent
    return None


@pytest.fixture
def on_canary(router, say):
    say(canary("10:10,50:30"))
    router.refresh()
    return router


@pytest.mark.parametrize(
    ("fault", "words", "challenged"),
    [
        ({"errors": 0.2}, "answers failed", 110),
        ({"slower": 3.0}, "95th percentile", 250),
        ({"shifted": 0.3}, "scores are", 110),
    ],
)
def test_a_broken_challenger_is_rolled_back_soon(on_canary, path, fault, words, challenged):
    traffic = Traffic(7, **fault)
    assert until_rolled_back(on_canary, traffic, 20_000)
    assert traffic.challenged <= challenged
    rule = file.read(path).rule(MODEL)
    assert (rule.to, words in rule.rolled_back.reason) == ("champion", True)
    figures = rule.rolled_back.figures
    assert figures["bound"] > figures["limit"]
    assert on_canary.route(MODEL, "ana").variant == "champion"
    assert on_canary.shown()["models"][MODEL]["rolled_back"]["reason"] == rule.rolled_back.reason
    (entry,) = map(json.loads, file.history_file(path).read_text().splitlines())
    assert (entry["by"], entry["action"], entry["model"]) == ("router", "rolled_back", MODEL)
    assert [step["percent"] for step in entry["before"]["canary"]["steps"]] == [10, 50]


@pytest.mark.parametrize("common_errors", [0.0, 0.05])
def test_a_healthy_challenger_survives(say, path, clock, common_errors):
    ended = 0
    say(canary("10:10,50:30"))
    for seed in range(10):
        router = Router(path, HELD, now=clock)
        ended += until_rolled_back(router, Traffic(seed, common_errors=common_errors), 10_000) is not None
    assert ended == 0


def test_one_error_among_few_answers_ends_nothing(on_canary):
    for place in range(20):
        on_canary.observe(MODEL, "challenger", ok=place != 7, latency_s=0.01, score=0.5)
    assert on_canary.check() == {}


def test_other_processes_follow_and_a_new_canary_begins_anew(on_canary, path, say, clock):
    other = Router(path, HELD, now=clock)
    assert until_rolled_back(on_canary, Traffic(7, errors=0.5), 5000)
    other.refresh()
    on_canary.refresh()
    for each in (on_canary, other):
        assert {each.route(MODEL, f"u{number}").variant for number in range(300)} == {"champion"}
    say(canary("50:10").replace("12:00", "11:59"))
    on_canary.refresh()
    assert {on_canary.route(MODEL, f"u{number}").variant for number in range(300)} == {
        "champion",
        "challenger",
    }
    assert on_canary.check() == {}


def test_a_canary_that_was_replaced_meanwhile_stays(on_canary, path, say):
    Traffic(7, errors=0.5).send(on_canary, 3000)
    replaced = canary("20:10").replace("12:00", "11:59")
    say(replaced)
    assert on_canary.check()
    assert path.read_text() == replaced
    on_canary.refresh()
    assert on_canary.shown()["models"][MODEL]["challenger_percent"] == 20


def test_where_the_file_cannot_be_written_the_process_ends_it_for_itself(on_canary, path, monkeypatch):
    before = path.read_text()

    def refuse(*_):
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    assert until_rolled_back(on_canary, Traffic(7, errors=0.5), 5000)
    on_canary.refresh()
    assert on_canary.route(MODEL, "ana").variant == "champion"
    assert "the file cannot say so" in on_canary.error
    assert path.read_text() == before
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(f".{path.name}.")] in (
        [],
        [f".{path.name}.lock"],
    )


def test_what_could_not_be_written_is_tried_again_until_it_can(on_canary, path, clock):
    tries = []

    def refuse(*_):
        tries.append(clock.now)
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
        patch.setattr(Path, "replace", refuse)
        assert until_rolled_back(on_canary, Traffic(7, errors=0.5), 5000)
        for _ in range(300):
            clock.forward(seconds=1)
            on_canary.check()
    # with pauses of up to a minute, and said once
    assert [(at - tries[0]).seconds for at in tries[1:]] == [1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert [line["event"] for line in logs] == ["canary_rolled_back", "routing_not_written"]
    clock.forward(minutes=1)
    on_canary.check()
    assert file.read(path).rule(MODEL).rolled_back
    assert on_canary.error == ""
    (entry,) = map(json.loads, file.history_file(path).read_text().splitlines())
    assert entry["by"] == "router"


def test_a_rollback_that_the_history_cannot_take_waits_for_it(on_canary, path, clock):
    history, before = file.history_file(path), path.read_text()
    # a device without room for a single character
    history.symlink_to("/dev/full")
    assert until_rolled_back(on_canary, Traffic(7, errors=0.5), 5000)
    on_canary.refresh()
    assert on_canary.route(MODEL, "ana").variant == "champion"
    # what is said is so: the file has still the canary
    assert "the file cannot say so" in on_canary.error
    assert path.read_text() == before
    history.unlink()
    clock.forward(seconds=1)
    on_canary.check()
    assert file.read(path).rule(MODEL).rolled_back
    assert on_canary.error == ""
    (entry,) = map(json.loads, history.read_text().splitlines())
    assert (entry["action"], entry["by"], entry["model"]) == ("rolled_back", "router", MODEL)


def test_what_could_not_be_written_gives_way_to_what_the_file_says_by_then(on_canary, path, say, clock):
    with file.locked(path):
        assert until_rolled_back(on_canary, Traffic(7, errors=0.5), 5000)
    assert "another process holds" in on_canary.error
    text = canary("20:10").replace("12:00", "11:59")
    say(text)
    clock.forward(seconds=1)
    on_canary.refresh()
    assert "another process holds" in on_canary.error
    on_canary.check()
    assert (path.read_text(), on_canary.error) == (text, "")
    assert on_canary.shown()["models"][MODEL]["challenger_percent"] == 20


def test_what_other_variants_do_counts_for_nothing(on_canary):
    for _ in range(500):
        on_canary.observe(MODEL, "previous", ok=False, latency_s=9, score=None)
        on_canary.observe("intent", "challenger", ok=False, latency_s=9, score=None)
    assert on_canary.shown()["models"][MODEL]["observed"] == {"champion": 0, "challenger": 0}
    assert on_canary.check() == {}
