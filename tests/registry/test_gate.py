import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import RegistryError
from finml.models.base import Evaluation, Interval
from finml.registry.gate import Gate, Verdict, judge
from tests.registry.runs import evaluation, gate, group

DECLARED = """
approval: human
thresholds:
  - {metric: auc, min: 0.65, bound: low}
  - {metric: ece, max: 0.05}
  - {metric: n, min: 50}
champion:
  - {metric: auc, min_delta: -0.01, bound: low}
fairness: {attributes: [sex], min_disparate_impact: 0.8, min_group: 100}
latency: {p95_ms: 50}
"""


def check_of(verdict: Verdict, name: str):
    return next(check for check in verdict.checks if name in check.name)


def test_a_gate_is_read_and_written_alike(tmp_path):
    (tmp_path / "gate.yaml").write_text(DECLARED)
    read = Gate.load(tmp_path / "gate.yaml")
    assert read.approval == "human"
    assert [rule.metric for rule in read.thresholds] == ["auc", "ece", "n"]
    assert Gate.parse(read.to_yaml(), "again") == read


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("min: 0.65", "minimum: 0.65", r"thresholds\.0\.minimum: unknown key"),
        ("latency:", "latencies:", "latencies: unknown key"),
        ("approval: human", "approval: maybe", "approval: .*'automatic' or 'human'"),
        ("max: 0.05", "max: .nan", r"thresholds\.1\.max: .*finite"),
        ("max: 0.05", "bound: low", r"thresholds\.1: .*needs min or max"),
        ("min_delta: -0.01, ", "", r"champion\.0: .*needs min_delta or max_delta"),
        ("{p95_ms: 50}", "{}", "latency: .*needs p50_ms"),
        ("min_disparate_impact: 0.8", "min_disparate_impact: 80", "min_disparate_impact"),
        ("{metric: n, min: 50}", "{", "not YAML"),
    ],
)
def test_a_bad_gate_is_refused_by_name(before, after, words):
    assert before in DECLARED
    with pytest.raises(RegistryError, match=words) as caught:
        Gate.parse(DECLARED.replace(before, after), "g.yaml")
    assert "g.yaml" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "approval: automatic", "approval: automatic\nthresholds: []"])
def test_a_gate_that_checks_nothing_is_refused(text):
    with pytest.raises(RegistryError, match="cannot be used"):
        Gate.parse(text, "g.yaml")


def test_a_missing_gate_is_named(tmp_path):
    with pytest.raises(RegistryError, match="cannot be read"):
        Gate.load(tmp_path / "gate.yaml")


def test_a_good_model_passes():
    verdict = judge(gate(), evaluation())
    assert verdict.approved
    assert verdict.summary == "approved: 4 checks passed"
    assert all(check.value is not None and check.limit is not None for check in verdict.checks)


def test_the_interval_decides_where_the_gate_says_so():
    narrow, wide = evaluation(0.66, width=0.005), evaluation(0.66, width=0.05)
    assert judge(gate(), narrow).approved
    verdict = judge(gate(), wide)
    assert not verdict.approved
    assert "low end of auc is 0.61, below 0.65 (0.66, 95 % interval 0.61 to 0.71)" in verdict.summary
    assert judge(gate(thresholds=[{"metric": "auc", "min": 0.65}]), wide).approved


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"metric": "ks", "min": 0.2}, "ks is missing from the evaluation"),
        ({"metric": "n", "min": 50, "bound": "low"}, "n has no interval"),
        ({"metric": "odd", "min": 0.2}, "odd is not a finite number"),
        ({"metric": "hole", "max": 0.2, "bound": "high"}, "high end of hole is not a finite number"),
        ({"metric": "n", "min": 401}, "n is 400, below 401"),
        ({"metric": "n", "max": 399}, "n is 400, above 399"),
    ],
)
def test_a_rule_that_cannot_be_kept_fails_in_words(rule, words):
    found = evaluation()
    found.scalars["odd"] = math.inf
    found.metrics["hole"] = Interval(value=0.1, low=0.0, high=math.nan)
    verdict = judge(gate(thresholds=[rule]), found)
    assert not verdict.approved
    assert words in verdict.summary


def test_both_limits_of_a_rule_are_checked():
    verdict = judge(gate(thresholds=[{"metric": "n", "min": 50, "max": 300}]), evaluation())
    assert [check.passed for check in verdict.checks if check.name == "n"] == [True, False]


RULE = [{"metric": "auc", "min_delta": -0.01, "bound": "low"}]


def test_without_a_champion_its_rule_is_skipped_and_said_so():
    verdict = judge(gate(champion=RULE), evaluation())
    check = check_of(verdict, "champion")
    assert verdict.approved
    assert check.skipped
    assert "there is no champion yet" in check.words
    assert verdict.summary == "approved: 4 checks passed, 1 skipped"


@pytest.mark.parametrize(("low", "approved"), [(-0.009, True), (-0.02, False)])
def test_a_champion_must_be_held_up_to(low, approved):
    delta = Interval(value=low + 0.01, low=low, high=low + 0.02)
    found = evaluation(champion="credit_risk@1", versus_champion={"auc": delta})
    assert judge(gate(champion=RULE), found).approved is approved


def test_where_no_figure_can_compare_a_person_decides():
    found = evaluation(champion="credit_risk@1", incomparable="it was trained on other columns")
    verdict = judge(gate(champion=RULE), found)
    assert (verdict.approved, verdict.approval) == (True, "human")
    assert check_of(verdict, "champion").skipped
    assert "it was trained on other columns" in check_of(verdict, "champion").words
    # without a rule on the champion there is nothing to compare
    assert judge(gate(), found).approval == "automatic"


def test_a_champion_without_a_comparison_fails():
    verdict = judge(gate(champion=RULE), evaluation(champion="credit_risk@1"))
    assert not verdict.approved
    assert "auc less the champion's is missing" in verdict.summary


def test_lower_is_better_has_its_own_limit():
    rule = [{"metric": "brier", "max_delta": 0.001}]
    delta = Interval(value=0.002, low=0.001, high=0.003)
    found = evaluation(champion="credit_risk@1", versus_champion={"brier": delta})
    assert "above 0.001" in judge(gate(champion=rule), found).summary


def test_the_least_favoured_group_decides():
    found = evaluation(groups=[group("sex", "female", 200, 0.7), group("sex", "male", 200, 1.0)])
    verdict = judge(gate(), found)
    assert not verdict.approved
    assert "disparate impact by sex is 0.7 for female, below 0.8" in verdict.summary


def test_small_groups_are_left_out_and_named():
    groups = [
        group("sex", "female", 200, 0.72),
        group("sex", "male", 200, 0.75),
        group("sex", "other", 3, 1.0),
    ]
    verdict = judge(gate(), evaluation(groups=groups))
    check = check_of(verdict, "sex")
    assert (
        verdict.approved
    )  # the one most favoured by chance does not make the large groups look treated badly
    assert check.value == pytest.approx(0.72 / 0.75)
    assert "other (3)" in check.words


@pytest.mark.parametrize(("unmeasured", "approved"), [("skip", True), ("fail", False)])
@pytest.mark.parametrize("groups", [[], [group("sex", "female", 200, 1.0), group("sex", "male", 20, 0.1)]])
def test_an_attribute_that_cannot_be_measured_is_said_to_be(unmeasured, approved, groups):
    rule = {"attributes": ["sex"], "min_disparate_impact": 0.8, "min_group": 100, "unmeasured": unmeasured}
    verdict = judge(gate(fairness=rule), evaluation(groups=groups))
    assert verdict.approved is approved
    assert "disparate impact by sex is not measured" in check_of(verdict, "sex").words
    assert check_of(verdict, "sex").skipped is approved


@pytest.mark.parametrize("impact", [None, math.nan])
def test_a_group_without_a_figure_fails(impact):
    groups = [group("sex", "female", 200, impact), group("sex", "male", 200, 1.0)]
    assert "no figure for female" in judge(gate(), evaluation(groups=groups)).summary


def test_nobody_favoured_fails():
    groups = [group("sex", "female", 200, 0.0), group("sex", "male", 200, 0.0)]
    assert not judge(gate(), evaluation(groups=groups)).approved


def test_the_latency_budget_is_checked():
    slow = evaluation(scalars={"n": 400.0, "latency_p95_ms": 51.0})
    assert "latency_p95_ms is 51, above 50" in judge(gate(), slow).summary
    unmeasured = evaluation(scalars={"n": 400.0})
    assert "latency_p95_ms is missing" in judge(gate(), unmeasured).summary


def test_the_page_has_a_row_a_check_and_no_broken_cells():
    groups = [group("sex", "a|b", 200, 0.5), group("sex", "male", 200, 1.0)]
    page = judge(gate(champion=RULE), evaluation(groups=groups)).to_markdown()
    assert page.startswith("# Gate of credit_risk: rejected")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 5
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)
    for words in ("skipped", "passed", "**failed**"):
        assert words in page


FIGURES = st.floats(-2, 2) | st.sampled_from([math.nan, math.inf])
INTERVALS = st.builds(lambda value, low, high: Interval(value=value, low=low, high=high), *[FIGURES] * 3)
BOUNDS = st.sampled_from(["low", "value", "high"])


def moved(interval: Interval, by: float) -> Interval:
    return Interval(value=interval.value + by, low=interval.low + by, high=interval.high + by)


@given(INTERVALS, INTERVALS, st.tuples(st.floats(-2, 2), BOUNDS, st.booleans()), st.floats(0, 1))
def test_a_better_figure_never_turns_approval_into_rejection(metric, delta, rule, gain):
    limit, bound, high_is_good = rule
    side, sign = ("min", 1) if high_is_good else ("max", -1)
    strict = gate(
        thresholds=[{"metric": "m", side: limit, "bound": bound}],
        champion=[{"metric": "m", f"{side}_delta": limit, "bound": bound}],
    )
    found = evaluation(metrics={"m": metric}, champion="credit_risk@1", versus_champion={"m": delta})
    better = found.model_copy(
        update={
            "metrics": {"m": moved(metric, sign * gain)},
            "versus_champion": {"m": moved(delta, sign * gain)},
        }
    )
    assert not judge(strict, found).approved or judge(strict, better).approved


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.data())
def test_treating_the_worst_group_better_never_turns_approval_into_rejection(impacts, data):
    groups = [group("sex", str(index), 200, impact) for index, impact in enumerate(impacts)]
    worst = min(range(len(impacts)), key=impacts.__getitem__)
    better = list(groups)
    better[worst] = group("sex", str(worst), 200, data.draw(st.floats(impacts[worst], max(impacts))))
    before, after = (judge(gate(), evaluation(groups=rows)).approved for rows in (groups, better))
    assert not before or after


@given(st.dictionaries(st.sampled_from(["auc", "ece", "ks"]), INTERVALS), FIGURES)
def test_a_verdict_can_be_computed_again_from_what_was_stored(metrics, scalar):
    found = evaluation(metrics=metrics, scalars={"latency_p95_ms": scalar})
    verdict = judge(gate(), found)
    stored = Evaluation.model_validate(json.loads(json.dumps(found.model_dump())))
    assert judge(Gate.parse(gate().to_yaml(), "stored"), stored) == verdict
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert verdict.approved == all(check.passed for check in verdict.checks)


def test_any_change_of_the_evaluation_changes_the_verdict():
    assert judge(gate(), evaluation()) != judge(gate(), evaluation(data_hash="other"))
