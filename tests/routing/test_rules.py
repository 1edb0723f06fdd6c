"""The contract of the routing file."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finml.errors import RoutingError
from finml.routing import file
from finml.routing.rules import Canary, Limits, Routing, Rule, Split, Step
from tests.routing.conftest import HELD, START, canary

percents = st.floats(0.01, 100).map(lambda value: round(value, 2))
steps = st.lists(st.tuples(percents, st.floats(0.1, 1000)), min_size=1, max_size=5).map(
    lambda pairs: tuple(
        Step(percent=percent, minutes=minutes)
        for percent, (_, minutes) in zip(sorted(each for each, _ in pairs), pairs, strict=True)
    )
)
limits = st.builds(
    Limits,
    error_rate=st.floats(0, 0.9),
    latency_ratio=st.none() | st.floats(1, 9),
    p95_ms=st.none() | st.floats(0.1, 1e5),
    score_shift=st.none() | st.floats(0, 0.9),
)
rules = st.one_of(
    st.sampled_from(["champion", "previous"]).map(lambda to: Rule(to=to)),
    st.sampled_from(["challenger", "previous"]).map(lambda shadow: Rule(shadow=shadow)),
    percents.map(lambda share: Rule(split=Split(challenger=share, previous=100 - share))),
    st.builds(
        lambda steps, limits, least: Rule(
            canary=Canary(steps=steps, limits=limits, min_requests=least, started_at=START)
        ),
        steps,
        limits,
        st.integers(20, 10_000),
    ),
)


@given(st.builds(Routing, salt=st.text(max_size=8), models=st.dictionaries(st.sampled_from([*HELD]), rules)))
@example(Routing(salt="\x85"))
def test_a_routing_survives_its_file(routing):
    assert file.parse(file.written(routing)) == routing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file"),
        ("[]", "the file"),
        ("models: {credit_risk: both}", "models.credit_risk"),
        ("models: {credit_risk: {to: champion, shadow: challenger}}", "routed in one way"),
        ("models: {credit_risk: {}}", "routed in one way"),
        ("models: {credit_risk: {split: {challenger: 60, previous: 50}}}", "more than 100 percent"),
        ("models: {credit_risk: {split: {challenger: -1}}}", "greater than or equal to 0"),
        ("models: {credit_risk: {split: {challenger: .nan}}}", "finite"),
        ("models: {credit_risk: {split: {champion: 10}}}", "Extra inputs"),
        ("modles: {}", "Extra inputs"),
        (canary("50:10,5:10"), "would take users back"),
        (canary(limits="{error_rate: null, latency_ratio: null, score_shift: null}"), "without a limit"),
        (canary(min_requests=3), "min_requests"),
        (canary().replace("Z", ""), "timezone"),
        ("models: {credit_risk: champion", "no YAML"),
    ],
)
def test_what_breaks_the_contract_is_refused_and_named(text, words):
    with pytest.raises(RoutingError, match=words):
        file.parse(text)


def test_without_a_file_champions_answer(tmp_path):
    assert file.read(tmp_path / "none.yaml").rule("credit_risk").to == "champion"


def test_what_the_bento_does_not_hold_is_named():
    routing = file.parse("models: {spending: previous, intnt: champion, intent: {shadow: challenger}}")
    assert file.misfits(routing, HELD) == {
        "spending": "the Bento holds no previous of spending",
        "intnt": "the Bento holds no model intnt",
    }


@given(steps, st.floats(-10, 5000))
def test_a_canary_only_grows_and_its_last_step_stays(steps, minutes):
    made = Canary(steps=steps, started_at=START)
    then = START + timedelta(minutes=minutes)
    assert made.percent_at(then) <= made.percent_at(then + timedelta(minutes=1))
    assert made.percent_at(START - timedelta(seconds=1)) == 0
    assert made.percent_at(START) == steps[0].percent
    total = sum(step.minutes for step in steps)
    assert made.percent_at(START + timedelta(minutes=total + 1)) == steps[-1].percent


def test_rules_in_words():
    text = canary("5:10,50:30").replace("models:\n", "models:\n  intent: {split: {challenger: 10}}\n")
    found = file.parse(text + "  spending: {shadow: previous}\n")
    assert [rule.words for rule in found.models.values()] == [
        "split: 10 % challenger",
        "canary: 5 % for 10 min, 50 % for 30 min",
        "champion, previous in its shadow",
    ]
