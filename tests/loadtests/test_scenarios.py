"""The declared scenarios, and the ways in which a file of them can be wrong."""

import pytest
import yaml

from finml.errors import UsageError
from loadtests.scenarios import load


def body(**changes) -> dict:
    scenario = {
        "users": 2,
        "seconds": 10,
        "rate_per_s": 5,
        "sizes": {1: 0.5, 32: 0.5},
        "explain_share": 0.1,
        "budget": {"p95_ms": 100, "failure_share": 0, "requests_per_s": 1},
    }
    return {"scenarios": {"one": scenario | changes}}


def test_the_projects_own_scenarios_can_be_used():
    assert set(load()) == {"smoke", "steady", "spike", "soak", "breakpoint"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": 0}, "users"),
        ({"sizes": {33: 1.0}}, "between 1 and 32"),
        ({"sizes": {1: 0.5}}, "sum to 1"),
        ({"sizes": {1: 2.0, 2: -1.0}}, "must be positive"),
        ({"explain_share": 1.5}, "explain_share"),
        ({"think": 1}, "think"),
        ({"budget": {"p95_ms": 100}}, "budget.failure_share"),
        ({"think_s": [0, 1]}, "either rate_per_s"),
        ({"rate_per_s": None}, "either rate_per_s"),
        ({"rate_per_s": None, "think_s": [2, 1]}, "the shorter first"),
        ({"warmup_s": 10}, "shorter than the run"),
        ({"spike": {"after_s": 5, "for_s": 6, "factor": 2}}, "until the spike is over"),
        ({"spike": {"after_s": 5, "for_s": 2, "factor": 1}}, "spike.factor"),
        (
            {"steps": {"every_s": 2, "factor": 2}, "bursts": {"on_s": 1, "off_s": 1, "factor": 2}},
            "steps want",
        ),
    ],
)
def test_a_wrong_scenario_is_named(tmp_path, changes, message):
    path = tmp_path / "budgets.yaml"
    path.write_text(yaml.safe_dump(body(**changes)))
    with pytest.raises(UsageError, match=message):
        load(path)


@pytest.mark.parametrize("text", ["", "a: [", "scenarios: 3", "other: {}"])
def test_a_file_without_scenarios(tmp_path, text):
    path = tmp_path / "budgets.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="holds no scenarios"):
        load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="holds no scenarios"):
        load(tmp_path / "none.yaml")
