"""When a run is over, and what breaks a step."""

import pytest

from loadtests.arrivals import profile
from loadtests.ending import DRAIN_S, OTHERS, is_over, judged, steps
from loadtests.plan import Plan
from loadtests.recording import Recording
from loadtests.scenarios import Scenario

ROUTE = "/predict/intent"


def plan(**changes) -> Plan:
    given = {
        "users": 4,
        "seconds": 40,
        "rate_per_s": 10,
        "sizes": {1: 1.0},
        "explain_share": 0,
        "budget": {"p95_ms": 100, "failure_share": 0.01, "requests_per_s": 1},
    }
    scenario = Scenario.model_validate(given | changes)
    return Plan(name="x", scenario=scenario, models={"intent": 1.0}, user_ids=["u"])


STEPS = {"steps": {"every_s": 10, "factor": 2}}


def recorded(start: int, end: int, *, ms: float | None = 10, lag_ms: float = 1, per_s: int = 30) -> Recording:
    recording = Recording()
    for second in range(start, end):
        for _ in range(per_s):
            recording.send(ROUTE, second, lag_ms)
            if ms is not None:
                recording.answer(ROUTE, second, ms)
    return recording


def over(of: Plan, recording: Recording, now: float, report_s: float = 0) -> bool:
    return is_over(of, profile(of.scenario), recording, now, report_s)


def test_a_run_ends_when_all_is_answered():
    assert not over(plan(), recorded(0, 40), 39)
    assert over(plan(), recorded(0, 40), 42)


def test_a_run_waits_for_answers_but_not_for_ever():
    waiting = recorded(0, 40, ms=None)
    assert not over(plan(), waiting, 42)
    assert over(plan(), waiting, 40 + DRAIN_S)


def test_reports_of_other_processes_are_waited_for():
    assert not over(plan(), recorded(0, 40), 42, report_s=4)
    assert over(plan(), recorded(0, 40), 46, report_s=4)


def test_a_step_within_budget_goes_on():
    assert not over(plan(**STEPS), recorded(0, 12), 12)


@pytest.mark.parametrize(
    ("bad", "measure"),
    [
        ({"ms": 500}, f"latency of {ROUTE}"),
        ({"ms": None}, "failures"),
        ({"lag_ms": 80}, "generator"),
    ],
)
def test_a_step_that_breaks_the_budget_ends_the_run(bad, measure):
    of = plan(**STEPS)
    recording = recorded(0, 10)
    recording.merge(recorded(10, 20, **bad))
    assert not over(of, recording, 20)
    assert over(of, recording, 22)
    first, second = steps(of.scenario, profile(of.scenario), recording, 22)
    assert first.broken == ()
    assert (first.rate_per_s, second.rate_per_s) == (10, 20)
    assert second.broken[0].measure == measure


def test_refusals_break_a_step_by_a_share_of_their_own():
    of = plan(**STEPS)
    recording = recorded(0, 10)
    recording.send(ROUTE, 5, 1)
    recording.shed(ROUTE, 5)
    (step,) = steps(of.scenario, profile(of.scenario), recording, 12)
    assert [each.measure for each in step.broken] == ["refusals"]


def test_routes_that_were_seldom_asked_are_judged_together():
    recording = recorded(0, 1)
    for route, ms in (("/explain/intent", 900), ("/explain/anomaly", 1)):
        recording.send(route, 0, 1)
        recording.answer(route, 0, ms)
    found = judged(recording.span(0, 1))
    assert [(each.route, each.sent) for each in found] == [(OTHERS, 2), (ROUTE, 30)]


def test_a_rate_without_steps_has_none():
    assert list(steps(plan().scenario, profile(plan().scenario), recorded(0, 40), 40)) == []
