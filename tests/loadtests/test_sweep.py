"""Which settings a sweep recommends, and in what order it measures."""

import random

import pytest

from finml.errors import UsageError
from loadtests.ending import Break, Step
from loadtests.judging import judge
from loadtests.plan import Plan
from loadtests.recording import Recording
from loadtests.run import Outcome
from loadtests.scenarios import load
from loadtests.sweep import (
    TRIED,
    Trial,
    carried,
    combinations_of,
    fragment,
    recommended,
    sweep,
    table,
    tried_of,
)


def trial(rates, p95s=(50,), passed=None, **combination) -> Trial:
    return Trial(combination, list(rates), list(p95s), len(rates) if passed is None else passed)


def outcome(*, steps=()) -> Outcome:
    scenario = load()["breakpoint" if steps else "steady"]
    plan = Plan(name="x", scenario=scenario, models={"intent": 1.0}, user_ids=["u"])
    recording = Recording()
    for second in range(scenario.seconds):
        for _ in range(25):
            recording.send("/predict/intent", second, 1)
            recording.answer("/predict/intent", second, 40)
    verdict = judge(plan, recording)
    return Outcome(plan, recording, [], verdict.model_copy(update={"steps": list(steps)}))


def step(rate: float, p95_ms: float, *broken: Break) -> Step:
    return Step(0, 1, rate, rate, p95_ms, "/predict/intent", broken)


def test_the_strongest_is_recommended():
    assert recommended([trial([50], batch_rows=16), trial([90], batch_rows=32)]).combination == {
        "batch_rows": 32
    }


def test_the_median_of_the_repetitions_counts():
    lucky, steady = trial([50, 200, 52], batch_rows=16), trial([80, 81, 82], batch_rows=32)
    assert recommended([lucky, steady]) is steady


def test_among_equals_the_fastest_is_recommended():
    slow, fast = trial([100], [80], batch_rows=64), trial([98], [40], batch_rows=16)
    assert recommended([slow, fast]) is fast


def test_among_equals_that_are_equally_fast_fewer_workers_are_recommended():
    two, one = trial([100], [40], batch_rows=16, workers=2), trial([99], [41], batch_rows=32, workers=1)
    assert recommended([two, one]) is one


def test_what_broke_its_budget_is_not_recommended():
    broken, kept = trial([100], passed=0, batch_rows=16), trial([50], batch_rows=32)
    assert recommended([broken, kept]) is kept


def test_every_combination_is_measured_as_often_and_in_turns():
    combinations = combinations_of({"batch_rows": (16, 32), "workers": (1, 2)})
    asked = []
    trials = sweep(
        combinations,
        3,
        lambda combination: asked.append(combination) or outcome(),
        random.Random(1),  # noqa: S311  # no secret
        lambda _: None,
    )
    assert len(combinations) == 4
    assert [trial.combination for trial in trials] == combinations
    for repetition in range(3):
        turn = asked[4 * repetition : 4 * repetition + 4]
        assert sorted(map(str, turn)) == sorted(map(str, combinations))
    assert all(len(trial.rates) == 3 for trial in trials)


def test_a_steady_scenario_carries_what_was_answered():
    assert carried(outcome()) == (pytest.approx(25), pytest.approx(40, rel=0.011))


def test_a_rising_rate_carries_the_last_before_the_break():
    broken = Break("failures", "failures: all")
    assert carried(outcome(steps=[step(10, 5), step(20, 8), step(40, 900, broken)])) == (20, 8)
    assert carried(outcome(steps=[step(10, 700, broken)])) == (0, 700)


def test_the_table_and_the_settings_name_the_recommended():
    chosen = trial([90, 100, 95], batch_rows=32, queue_wait_s=0.5, workers=2)
    said = table([trial([10], batch_rows=16, queue_wait_s=5, workers=1), chosen], chosen)
    assert said.splitlines()[1].split() == ["32", "0.5", "2", "95", "90", "to", "100", "50", "recommended"]
    assert fragment(chosen) == "# finml serve --workers 2\nFINML_BATCH_ROWS=32\nFINML_QUEUE_WAIT_S=0.5\n"


def test_what_is_tried_can_be_named():
    assert tried_of([]) == TRIED
    assert tried_of(["batch_rows=8,16", "workers=1"]) == {"batch_rows": (8, 16), "workers": (1,)}
    with pytest.raises(UsageError, match="says not what to try"):
        tried_of(["batch_rows=many"])
    with pytest.raises(UsageError, match="is not swept"):
        tried_of(["colour=1"])
