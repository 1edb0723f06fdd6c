"""The verdict: what it says first, and what each kind of scenario is judged by."""

import json
import os
from pathlib import Path

import pytest

from loadtests.judging import judge
from loadtests.memory import MIB, MemoryWatch, Sample, growth, sample
from loadtests.plan import Plan
from loadtests.recording import Recording
from loadtests.scenarios import Scenario

BUDGET = {"p95_ms": 100, "failure_share": 0.01, "requests_per_s": 10}


def plan(*, budget=(), **changes) -> Plan:
    given = {
        "users": 4,
        "seconds": 60,
        "rate_per_s": 30,
        "sizes": {1: 1.0},
        "explain_share": 0,
        "budget": BUDGET | dict(budget),
    }
    scenario = Scenario.model_validate(given | changes)
    return Plan(name="steady", scenario=scenario, models={"intent": 1.0}, user_ids=["u"])


class Service:
    """Writes the recording of a service that answers 30 requests a second, and of what went wrong."""

    def __init__(self, seconds: int = 60, start: int = 0) -> None:
        self.recording = Recording(started_at=1000.0)
        self.answered(range(start, seconds), 10)

    def answered(self, seconds, ms: float, route: str = "/predict/intent", count: int = 30) -> "Service":
        for second in seconds:
            for _ in range(count):
                self.recording.send(route, second, 1)
                self.recording.answer(route, second, ms)
        return self

    def failed(self, seconds, count: int) -> "Service":
        for second in seconds:
            for _ in range(count):
                self.recording.send("/predict/intent", second, 1)
                self.recording.fail("/predict/intent", second, "status 500")
        return self

    def shed(self, seconds, count: int) -> "Service":
        for second in seconds:
            for _ in range(count):
                self.recording.send("/predict/intent", second, 1)
                self.recording.shed("/predict/intent", second)
        return self


def headline(of: Plan, service: Service) -> str:
    verdict = judge(of, service.recording)
    text = verdict.to_text()
    assert len(text.splitlines()) <= 24
    json.dumps(verdict.document(), allow_nan=False)
    return text.splitlines()[0]


def test_within_budget():
    assert headline(plan(), Service()) == "steady: within budget"


def test_the_slowest_latency_within_budget_is_told():
    service = Service().answered(range(60), 40, "/explain/intent")
    lines = judge(plan(), service.recording).to_text().splitlines()
    words = [line for line in lines if "latency of" in line]
    assert words == ["ok     latency of /explain/intent: p95 40 ms, at most 100 ms"]


def test_routes_within_budget_are_not_told_beside_one_that_is_not():
    service = Service().answered(range(60), 300, "/explain/intent")
    lines = judge(plan(), service.recording).to_text().splitlines()
    words = [line for line in lines[1:] if "latency of" in line]
    assert words == ["BROKEN latency of /explain/intent: p95 300 ms, at most 100 ms"]


def test_nothing_sent_is_no_success():
    assert headline(plan(), Service(0)) == "steady: BROKEN, first by failures: nothing was sent"


@pytest.mark.parametrize(
    ("service", "first"),
    [
        (Service().failed(range(20, 22), 20),
         "failures: 40 of 1840 requests (2.17%), at most 1.00%, from second 20 on"),
        (Service().shed([33], 1), "refusals: 1 of 1801 requests (0.06%), at most 0.00%, from second 30 on"),
        (Service().answered(range(40, 60), 300, "/explain/intent", 3),
         "latency of /explain/intent: p95 300 ms, at most 100 ms, from second 40 on"),
        (Service(15), "throughput: 7.5 answers a second, at least 10"),
    ],
)  # fmt: skip
def test_what_broke_is_named(service, first):
    assert headline(plan(), service) == f"steady: BROKEN, first by {first}"


def test_what_broke_first_is_named_first():
    service = Service().failed(range(40, 50), 20).answered(range(25, 30), 400, "/explain/intent", 30)
    assert "first by latency of /explain/intent" in headline(plan(), service)


def test_the_warm_up_is_not_judged():
    assert headline(plan(warmup_s=10), Service().failed(range(10), 20)) == "steady: within budget"


SPIKE = {"spike": {"after_s": 20, "for_s": 10, "factor": 4}, "budget": {"shed_share": 0.3, "recovery_s": 6}}


@pytest.mark.parametrize(
    ("slow_until", "said"),
    [
        (30, "recovery: 0 s after the spike, at most 6 s"),
        (34, "recovery: 4 s after the spike, at most 6 s"),
        (40, "recovery: 10 s after the spike, at most 6 s"),
        (60, "recovery: not within the run, at most 6 s"),
    ],
)
def test_a_spike_is_judged_by_recovery(slow_until, said):
    service = Service().answered(range(20, slow_until), 900, count=60).shed(range(20, 30), 40)
    verdict = judge(plan(**SPIKE), service.recording)
    found = next(each for each in verdict.findings if each.measure == "recovery")
    assert found.words == said
    assert found.passed == (slow_until <= 36)
    # nothing that was due in the spike, or while it was recovered from, counts as slow
    assert verdict.passed == (slow_until <= 36)


def test_refusals_in_a_spike_have_a_limit():
    assert "first by refusals" in headline(plan(**SPIKE), Service().shed(range(20, 30), 120))


def test_a_soak_is_judged_by_drift():
    of = plan(budget={"drift": 1.5})
    assert headline(of, Service()) == "steady: within budget"
    slower = Service(40).answered(range(40, 60), 20)
    assert headline(of, slower).startswith("steady: BROKEN, first by drift: p95 of the last third 20 ms, 2.0")


def memory(mib_per_hour: float, seconds: int) -> list[Sample]:
    return [Sample(at=1000 + t, mib=500 + mib_per_hour * t / 3600, processes=2) for t in range(seconds)]


@pytest.mark.parametrize(("grows", "passed"), [(0, True), (59, True), (61, False), (-500, True)])
def test_a_soak_is_judged_by_memory(grows, passed):
    of = plan(seconds=300, budget={"memory_mib_per_hour": 60})
    verdict = judge(of, Service(300).recording, memory(grows, 300))
    assert verdict.passed == passed
    assert verdict.memory.mib_per_hour == pytest.approx(grows)


def test_memory_that_was_not_watched_for_long_is_not_judged_and_said_so():
    of = plan(budget={"memory_mib_per_hour": 60})
    verdict = judge(of, Service().recording, memory(10_000, 60))
    assert verdict.passed
    assert any("memory was not judged" in each for each in verdict.cautions)


def test_a_jump_is_no_leak():
    samples = [
        each.model_copy(update={"mib": each.mib + (100 if each.at > 1290 else 0)}) for each in memory(0, 300)
    ]
    assert growth(samples, 1000, 1300).mib_per_hour == pytest.approx(0)


@pytest.mark.parametrize("leaked", [0.0, 120.0])
def test_what_is_given_back_is_no_leak_and_hides_none(leaked):
    # more and more is taken, for 20 of every 25 seconds
    samples = [
        each.model_copy(update={"mib": each.mib + (t / 3 if t % 25 < 20 else 0)})
        for t, each in enumerate(memory(leaked, 300))
    ]
    assert growth(samples, 1000, 1300).mib_per_hour == pytest.approx(leaked, abs=10)


def test_a_jump_in_the_middle_counts():
    samples = [
        each.model_copy(update={"mib": each.mib + (30 if each.at > 1150 else 0)}) for each in memory(0, 300)
    ]
    assert growth(samples, 1000, 1300).mib_per_hour > 60


def test_the_moments_at_which_a_worker_is_replaced_hide_no_leak_and_are_said():
    samples = [
        each.model_copy(update={"mib": each.mib - 200, "processes": 1}) if t > 150 and t % 30 == 0 else each
        for t, each in enumerate(memory(600, 300))
    ]
    of = plan(seconds=300, budget={"memory_mib_per_hour": 60})
    verdict = judge(of, Service(300).recording, samples)
    assert not verdict.passed
    assert verdict.memory.mib_per_hour == pytest.approx(600, abs=10)
    assert any("process" in each for each in verdict.cautions)


def test_the_most_that_was_taken_is_said():
    samples = [
        each.model_copy(update={"mib": 900.0 if t % 25 == 3 else 500.0})
        for t, each in enumerate(memory(0, 300))
    ]
    of = plan(seconds=300, budget={"memory_mib_per_hour": 60})
    (found,) = [
        each for each in judge(of, Service(300).recording, samples).findings if each.measure == "memory"
    ]
    assert "500 to 500 MiB and 900 at times" in found.words


def test_memory_of_this_process_is_seen():
    import psutil

    ours = psutil.Process()
    found = sample([ours], 3.0)
    assert found.at == 3.0
    assert found.mib * MIB > 1 << 20
    assert found.processes >= 1
    with MemoryWatch([], lambda: 0.0) as watch:
        pass
    assert watch.samples == []


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not say what is shared")
def test_what_processes_share_is_counted_once():
    import psutil

    shared = bytearray(b"x") * (64 * MIB)
    ours = psutil.Process()
    alone = sample([ours], 0.0)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        both = sample([ours], 0.0)
    finally:
        os.close(writing)
        os.waitpid(child, 0)
        os.close(reading)
    assert both.processes == alone.processes + 1
    assert both.mib < 1.3 * alone.mib
    assert len(shared) == 64 * MIB


STEPS = {"rate_per_s": 10, "steps": {"every_s": 10, "factor": 2}}


def test_a_breakpoint_names_the_highest_rate_and_what_broke_next():
    service = Service(30).answered(range(30, 40), 500, "/explain/intent", 5)
    service.recording.stopped_s = 42.3
    of = plan(**STEPS)
    assert headline(of, service) == (
        "steady: within budget, capacity: 40 requests a second, at least 10; at 80 first "
        "latency of /explain/intent: p95 502 ms, at most 100 ms"
    )
    assert not judge(plan(**STEPS, budget={"requests_per_s": 41}), service.recording).passed


def test_a_breakpoint_that_nothing_broke_says_so():
    assert "the highest rate that was tried" in headline(plan(**STEPS), Service())


def test_a_late_generator_is_a_caution():
    service = Service()
    for second in range(60):
        service.recording.send("/predict/intent", second, 90)
        service.recording.answer("/predict/intent", second, 95)
    verdict = judge(plan(), service.recording)
    assert verdict.passed
    assert "the load generator was late by 9" in verdict.cautions[0]


def test_a_model_that_is_not_served_is_named():
    of = plan(mix={"intent": 1, "spending": 1})
    assert judge(of, Service().recording).cautions == ["not served, so not asked: spending"]
