"""What commands do to the file: set, take back, remember."""

import json
import threading
from contextlib import nullcontext
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from finml.errors import RoutingError, UsageError
from finml.routing import file
from finml.routing.changes import canary, roll_back, set_rule
from finml.routing.rules import RolledBack, Rule, Split
from tests.routing.conftest import HELD, START
from tests.routing.test_rules import rules


def put(path, model="credit_risk", **rule):
    return set_rule(path, HELD, model, Rule(**rule), who="ana", why="to see")


def test_set_and_roll_back_go_round(path):
    assert (
        put(path, split={"challenger": 10}).words == "credit_risk: split: 10 % challenger (before: champion)"
    )
    assert put(path, split={"challenger": 10}).changed is False
    assert roll_back(path, HELD, "credit_risk", who="ana").after == "champion"
    assert roll_back(path, HELD, "credit_risk", who="ana").after == "previous"
    with pytest.raises(RoutingError, match="previous champion of credit_risk already") as caught:
        roll_back(path, HELD, "credit_risk", who="ana")
    assert "finml route set credit_risk champion" in caught.value.hint
    assert put(path, to="champion").before == "previous"
    assert put(path, to="champion").changed is False
    assert file.read(path).models == {}


@pytest.mark.parametrize(
    ("minutes", "to"),
    [(0, "champion"), (10, "champion"), (-10, "champion"), (11, "previous"), (-11, "previous")],
)
def test_a_canary_that_ended_by_itself_is_what_a_rollback_means_for_ten_minutes(path, minutes, to):
    trial = canary(["5:10"], {}, 100, START).canary
    note = RolledBack(at=START, reason="errors", figures={}, canary=trial)
    put(path, to="champion", rolled_back=note)
    with nullcontext() if to == "previous" else pytest.raises(RoutingError, match="nothing was changed"):
        roll_back(path, HELD, "credit_risk", who="ana", now=START + timedelta(minutes=minutes))
    assert file.read(path).rule("credit_risk").to == to


def test_what_is_said_of_such_an_end_is_so(path):
    """Its time is UTC wherever it was noted, and only what the Bento holds is advised."""
    trial = canary(["5:10"], {}, 100, START).canary
    at = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    put(path, to="champion", rolled_back=RolledBack(at=at, reason="errors", figures={}, canary=trial))
    with pytest.raises(RoutingError, match="at 2026-03-01 12:00 UTC: errors") as caught:
        roll_back(path, HELD, "credit_risk", who="ana", now=START)
    assert "--to previous" in caught.value.hint
    with pytest.raises(RoutingError, match="nothing was changed") as caught:
        roll_back(path, {"credit_risk": ["champion", "challenger"]}, "credit_risk", who="ana", now=START)
    assert "--to previous" not in caught.value.hint
    assert "holds no previous of credit_risk" in caught.value.hint


@given(rules)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_trial_goes_back_to_the_champion(path, rule):
    path.unlink(missing_ok=True)
    set_rule(path, HELD, "intent", Rule(split=Split(challenger=1)), who="ana")
    set_rule(path, HELD, "credit_risk", rule, who="ana")
    assert file.read(path).rule("credit_risk") == rule
    if rule.to != "previous":
        roll_back(path, HELD, "credit_risk", who="ana")
        expected = "previous" if rule.to == "champion" else "champion"
        assert file.read(path).rule("credit_risk").to == expected
    assert file.read(path).rule("intent").split.challenger == 1


def test_what_the_bento_does_not_hold_is_refused_with_the_reason(path):
    with pytest.raises(RoutingError, match="holds no previous of spending"):
        roll_back(path, HELD, "spending", who="ana")
    with pytest.raises(RoutingError, match="holds no challenger of spending"):
        put(path, "spending", shadow="challenger")
    with pytest.raises(RoutingError, match="holds no model nope"):
        put(path, "nope", to="champion")
    assert not path.exists()


def test_a_model_that_the_bento_has_lost_can_leave_the_file(path, say):
    say("models: {nope: previous, intent: previous}")
    assert put(path, "credit_risk", to="previous").changed
    assert put(path, "nope", to="champion").changed
    assert set(file.read(path).models) == {"intent", "credit_risk"}


def test_the_history_tells_who_why_and_what(path):
    put(path, split={"challenger": 10})
    roll_back(path, HELD, "credit_risk", who="ben", why="complaints")
    first, second = map(json.loads, file.history_file(path).read_text().splitlines())
    assert (first["by"], first["why"], first["action"]) == ("ana", "to see", "set")
    assert first["after"] == {"split": {"challenger": 10.0}}
    assert (second["by"], second["action"], second["before"]) == ("ben", "rollback", first["after"])


def test_the_history_tells_of_no_change_that_failed(path, monkeypatch):
    put(path, split={"challenger": 10})
    before, history = path.read_text(), file.history_file(path).read_text()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match="No space left"):
            put(path, split={"challenger": 20})
    assert (path.read_text(), file.history_file(path).read_text()) == (before, history)
    assert put(path, split={"challenger": 20}).changed
    assert len(file.history_file(path).read_text().splitlines()) == 2


@pytest.mark.parametrize("renamed", [False, True])
def test_the_history_tells_of_a_change_that_was_interrupted_only_once_it_was_made(path, monkeypatch, renamed):
    replace = Path.replace

    def interrupted(beside, target):
        if renamed:
            replace(beside, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(path, to="previous")
    assert file.read(path).rule("credit_risk").to == ("previous" if renamed else "champion")
    noted = [json.loads(line)["after"] for line in file.history_file(path).read_text().splitlines()]
    assert noted == ([{"to": "previous"}] if renamed else [])
    assert not list(path.parent.glob(".routing.yaml.????????????????????????????????"))


def test_a_broken_file_is_not_written_over(path, say):
    say("models: [")
    with pytest.raises(RoutingError, match="no YAML"):
        put(path, to="previous")
    assert path.read_text() == "models: ["


def test_changes_at_the_same_time_are_all_kept(path):
    def work(model):
        for percent in range(1, 11):
            put(path, model, split={"challenger": percent})

    threads = [threading.Thread(target=work, args=(model,)) for model in ("credit_risk", "intent")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {rule.split.challenger for rule in file.read(path).models.values()} == {10}
    assert len(file.history_file(path).read_text().splitlines()) == 20


def test_a_lock_that_is_held_is_said(path, monkeypatch):
    monkeypatch.setattr(file, "LOCK_TIMEOUT_S", 0.01)
    with file.locked(path), pytest.raises(RoutingError, match="another process holds"):
        put(path, to="previous")


@pytest.mark.parametrize("steps", [["5"], ["5:0"], ["x:10"], ["101:10"], ["50:10", "5:10"], ["0:5"]])
def test_steps_that_cannot_be_meant(steps):
    with pytest.raises(UsageError):
        canary(steps, {}, 100, START)


def test_a_limit_that_there_is_none_of():
    with pytest.raises(UsageError, match="no canary"):
        canary(["5:10"], {"auc": 0.5}, 100, START)
    with pytest.raises(UsageError, match="error_rate: Input should be greater"):
        canary(["5:10"], {"error_rate": -1}, 100, START)
    assert canary(["5:10"], {"score_shift": None}, 100, START).canary.limits.score_shift is None
