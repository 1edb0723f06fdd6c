"""From a prediction over HTTP to what the comparison of versions says of it, nothing replaced in between."""

import json
from collections import defaultdict
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest

from bentos.server import running
from finml.access.key_store import KeyStore
from finml.routing.changes import set_rule
from finml.routing.rules import Rule, Split
from pipelines.cli.app import run_command

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]

TOGETHER = 4


@pytest.fixture
def settings(bank, tmp_path):
    return bank.settings.model_copy(
        update={
            "auth": "required",
            "keys_file": str(tmp_path / "keys.json"),
            "routing_file": str(tmp_path / "routing.yaml"),
        }
    )


def test_outcomes_reach_the_comparison_of_versions(bank, bento_of_three, settings, monkeypatch, capfd):
    keys = KeyStore(settings)
    shop, collections, stranger = (
        {"x-api-key": keys.create(name, [f"credit_risk:{action}" for action in actions]).text}
        for name, actions in (
            ("shop", ("predict", "feedback")),
            ("collections", ("feedback-all",)),
            ("stranger", ("feedback",)),
        )
    )
    held = {"credit_risk": ["champion", "challenger", "previous"]}
    set_rule(settings.routing, held, "credit_risk", Rule(split=Split(challenger=50)), who="test")
    since = datetime.now(UTC).isoformat(timespec="seconds")
    users = bank.users[:240]
    losses: dict[str, list[float]] = defaultdict(list)
    with (
        running(settings, tag=bento_of_three.tag) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):

        def tell(items: list[dict], who: dict[str, str]) -> None:
            body = {"items": [{"model": "credit_risk"} | item for item in items]}
            assert client.post("/feedback", json=body, headers=who).json() == {"taken": len(items)}

        for at in range(0, len(users), TOGETHER):
            inputs = [{"user_id": user, "loan_amount": 1000.0} for user in users[at : at + TOGETHER]]
            answer = client.post("/predict/credit_risk", json={"inputs": inputs}, headers=shop)
            known = {"request_id": answer.headers["x-request-id"]}
            places = range(len(inputs))
            right = [at % 3 == 0] * TOGETHER
            tell([known | {"position": n, "defaulted": right[n]} for n in places], shop)
            if at % 8 == 0:
                right[1] = not right[1]
                tell([known | {"position": 1, "defaulted": right[1]}], collections)
            tell([known | {"position": n, "defaulted": not right[n]} for n in places], stranger)
            for said, defaulted in zip(answer.json(), right, strict=True):
                losses[said["model_version"]].append((said["probability"] - defaulted) ** 2)
    # the server has stopped, so all that it answered is written
    monkeypatch.setattr("finml.settings.get_settings", lambda: settings)
    capfd.readouterr()
    assert run_command(["ab", "report", "--model", "credit_risk", "--since", since, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    variants = {one["version"]: one for one in found["variants"]}
    assert {one["variant"] for one in found["variants"]} == {"champion", "challenger"}
    assert {version: one["n"] for version, one in variants.items()} == {
        version: len(each) for version, each in losses.items()
    }
    for version, each in losses.items():
        assert variants[version]["with_outcome"] == 1
        assert variants[version]["loss"] == pytest.approx(np.mean(each))
    assert found["split"]["users"] == len(users)
    assert found["sample_ratio"] == found["sample_ratio"] | {"declared": 0.5, "mismatch": False}
