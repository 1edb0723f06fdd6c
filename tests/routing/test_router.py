"""Who answers: by the file as it stands, by the clock, and without the file's mistakes."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from finml.routing import file
from finml.routing.router import Router
from tests.routing.conftest import HELD, canary

USERS = [f"u{number}" for number in range(4000)]


def shares(router, model="credit_risk"):
    found = [router.route(model, user).variant for user in USERS]
    return {variant: found.count(variant) / len(found) for variant in sorted(set(found))}


def wait_until(condition, within_s=60.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        threading.Event().wait(0.01)


def test_without_a_file_and_for_unknown_models_the_champion_answers(router):
    assert router.route("credit_risk", "ana") == ("champion", None)
    assert router.route("nope", "ana") == ("champion", None)
    assert router.error == ""


def test_each_rule(router, say):
    say("models: {credit_risk: previous, intent: {shadow: challenger}, spending: champion}")
    router.refresh()
    assert router.route("credit_risk", "ana") == ("previous", None)
    assert router.route("intent", "ana") == ("champion", "challenger")
    assert router.route("spending", "ana") == ("champion", None)


def test_a_split_is_sticky_and_keeps_its_shares(router, say, path):
    say("models: {credit_risk: {split: {challenger: 20, previous: 10}}}")
    router.refresh()
    assert shares(router) == pytest.approx({"challenger": 0.2, "champion": 0.7, "previous": 0.1}, abs=0.03)
    again = Router(path, HELD)
    assert [router.route("credit_risk", user) for user in USERS] == [
        again.route("credit_risk", user) for user in USERS
    ]


def test_shares_that_make_a_whole_leave_the_champion_nobody(router, say):
    say("models: {credit_risk: {split: {challenger: 30, previous: 70}}}")
    router.refresh()
    assert set(shares(router)) == {"challenger", "previous"}
    say("models: {credit_risk: {split: {challenger: 100}}}")
    router.refresh()
    assert shares(router) == {"challenger": 1.0}


def test_nobody_is_drawn_by_chance(router, say):
    say("models: {credit_risk: {split: {challenger: 50}}}")
    router.refresh()
    found = [router.route("credit_risk", "").variant for _ in range(2000)]
    assert 0.4 < found.count("challenger") / len(found) < 0.6


def test_another_salt_draws_anew(router, say):
    say("models: {credit_risk: {split: {challenger: 50}}}")
    router.refresh()
    before = [router.route("credit_risk", user).variant for user in USERS]
    say("salt: other\nmodels: {credit_risk: {split: {challenger: 50}}}")
    router.refresh()
    after = [router.route("credit_risk", user).variant for user in USERS]
    same = sum(one == other for one, other in zip(before, after, strict=True)) / len(USERS)
    assert same == pytest.approx(0.5, abs=0.05)


def test_a_canary_grows_by_the_clock_and_keeps_who_was_in(router, say, clock):
    say(canary("5:10,50:30,100:1"))
    clock.forward(minutes=-1)
    router.refresh()
    assert shares(router) == {"champion": 1.0}
    inside = set()
    for minutes, share in ((1, 0.05), (10, 0.5), (30, 1.0), (600, 1.0)):
        clock.forward(minutes=minutes)
        router.refresh()
        now = {user for user in USERS if router.route("credit_risk", user).variant == "challenger"}
        assert len(now) / len(USERS) == pytest.approx(share, abs=0.03)
        assert inside <= now
        inside = now


def test_a_broken_file_is_refused_and_the_last_good_one_kept(router, say):
    say("models: {credit_risk: previous}")
    router.refresh()
    with capture_logs() as logs:
        say("models: {credit_risk: nonsense}")
        router.refresh()
    assert router.route("credit_risk", "ana").variant == "previous"
    assert "models.credit_risk" in router.error
    assert [entry["event"] for entry in logs] == ["routing_refused"]
    say("models: {credit_risk: champion}")
    router.refresh()
    assert (router.error, router.route("credit_risk", "ana").variant) == ("", "champion")


def test_a_rule_that_the_bento_cannot_follow_is_refused_alone(router, say, path):
    say("models: {spending: champion, credit_risk: {shadow: previous}}")
    router.refresh()
    say("models: {spending: previous, nope: champion, intent: previous, credit_risk: {shadow: previous}}")
    router.refresh()
    assert router.route("spending", "ana").variant == "champion"
    assert router.route("intent", "ana").variant == "previous"
    assert router.error == "the Bento holds no previous of spending; the Bento holds no model nope"
    assert Router(path, HELD).route("intent", "ana").variant == "previous"


def test_a_file_that_is_gone_leaves_all_to_champions(router, say, path):
    say("models: {credit_risk: previous}")
    router.refresh()
    path.unlink()
    router.refresh()
    assert router.route("credit_risk", "ana").variant == "champion"


def test_a_file_that_cannot_be_read_changes_nothing(router, say, path):
    say("models: {credit_risk: previous}")
    router.refresh()
    path.unlink()
    path.mkdir()
    router.refresh()
    assert router.route("credit_risk", "ana").variant == "previous"
    assert "cannot be read" in router.error


def test_a_change_is_taken_within_two_seconds(path, say):
    router = Router(path, HELD)
    router.start()
    try:
        began = time.monotonic()
        say("models: {credit_risk: previous}")
        wait_until(lambda: router.route("credit_risk", "ana").variant == "previous")
        assert time.monotonic() - began < 2
    finally:
        router.close()


def test_the_watch_outlives_a_fault(path, say, monkeypatch):
    router = Router(path, HELD)
    read = file.read

    def fail(_):
        raise ZeroDivisionError

    monkeypatch.setattr(file, "read", fail)
    with capture_logs() as logs:
        router.start()
        try:
            say("models: {credit_risk: champion}")
            wait_until(lambda: any(entry["event"] == "routing_not_followed" for entry in logs))
            monkeypatch.setattr(file, "read", read)
            say("models: {credit_risk: previous}")
            wait_until(lambda: router.route("credit_risk", "ana").variant == "previous")
        finally:
            router.close()


def test_what_is_shown(router, say):
    say(canary())
    router.refresh()
    router.observe("credit_risk", "challenger", ok=True, latency_s=0.01, score=0.5)
    shown = router.shown()
    assert shown["error"] is None
    assert shown["models"]["credit_risk"] == {
        "rule": "canary: 5 % for 10 min, 50 % for 30 min",
        "challenger_percent": 5.0,
        "previous_percent": 0.0,
        "shadow": None,
        "held": ["champion", "challenger", "previous"],
        "observed": {"champion": 0, "challenger": 1},
        "rolled_back": None,
    }
