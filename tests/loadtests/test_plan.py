"""What a load test sends."""

import random
from collections import Counter

import pytest

from finml.errors import UsageError
from finml.settings import Settings
from loadtests.plan import Plan, users_of_file, users_of_ledger
from loadtests.scenarios import load


@pytest.fixture
def plan() -> Plan:
    return Plan(name="steady", scenario=load()["steady"], user_ids=["a", "b"])


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
