"""What a load test sends."""

import random
from collections import Counter

import pytest

from finml.errors import UnknownModelError, UsageError
from finml.models.base import model_names
from finml.settings import Settings
from loadtests.plan import Plan, models_of, users_of_file, users_of_ledger
from loadtests.scenarios import load


@pytest.fixture
def plan() -> Plan:
    return Plan(name="steady", scenario=load()["steady"], models={"credit_risk": 1.0}, user_ids=["a", "b"])


def test_a_plan_survives_its_file(plan, tmp_path):
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan


def generator(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # no secret


def test_requests_follow_the_declared_shares(plan):
    rng = generator(1)
    sent = [plan.request(rng) for _ in range(4000)]
    paths = Counter(path for path, _ in sent)
    sizes = Counter(len(body["inputs"]) for _, body in sent)
    assert set(paths) == {"/predict/credit_risk", "/explain/credit_risk"}
    assert paths["/explain/credit_risk"] / 4000 == pytest.approx(plan.scenario.explain_share, abs=0.03)
    for size, share in plan.scenario.sizes.items():
        assert sizes[size] / 4000 == pytest.approx(share, abs=0.03)


def test_requests_ask_each_model_by_its_weight(plan):
    mixed = plan.model_copy(update={"models": {"credit_risk": 3.0, "intent": 1.0}})
    rng = generator(2)
    asked = Counter(mixed.request(rng)[0].rpartition("/")[2] for _ in range(4000))
    assert asked["intent"] / 4000 == pytest.approx(0.25, abs=0.03)


def test_a_scenario_asks_all_that_is_served_or_what_it_names(plan):
    scenario = plan.scenario.model_copy(update={"mix": {}})
    assert models_of(scenario, ["intent", "anomaly"]) == {"intent": 1.0, "anomaly": 1.0}
    named = scenario.model_copy(update={"mix": {"intent": 2.0, "spending": 1.0}})
    assert models_of(named, ["intent", "anomaly"]) == {"intent": 2.0}
    with pytest.raises(UsageError, match="serves none of the scenario's models"):
        models_of(named, ["anomaly"])
    with pytest.raises(UnknownModelError):
        models_of(scenario.model_copy(update={"mix": {"weather": 1.0}}), ["intent"])


def test_the_projects_mixes_ask_every_model():
    for scenario in load().values():
        assert set(models_of(scenario, list(model_names()))) == set(model_names())


def test_the_same_seed_sends_the_same(plan):
    assert plan.request(generator(3)) == plan.request(generator(3))


def test_user_ids_of_a_file(tmp_path):
    path = tmp_path / "ids"
    path.write_text("u1\nu2\n")
    assert users_of_file(path) == ["u1", "u2"]


def test_no_user_ids(tmp_path):
    (tmp_path / "empty").write_text("")
    with pytest.raises(UsageError, match="holds no user ids"):
        users_of_file(tmp_path / "empty")
    with pytest.raises(UsageError, match="cannot be read"):
        users_of_file(tmp_path / "missing")
    with pytest.raises(UsageError, match="no ledger was ingested"):
        users_of_ledger(Settings(home=tmp_path / "home"))
