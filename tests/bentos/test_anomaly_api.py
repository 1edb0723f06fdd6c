"""The HTTP answers of `anomaly`, by its API class in this process over a trained model."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from bentos.anomaly import API, AnomalyScorer
from finml.features.online import FeatureRow
from finml.ledger.contracts import CATEGORIES
from finml.models.anomaly.behaviour import TOPICS, behaviour
from finml.models.anomaly.contract import AnomalyInput
from finml.models.anomaly.example import MERCHANTS, busy_habits
from finml.models.anomaly.habits import NO_HABITS, Habits
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import TrainOptions, get_model
from tests.bentos.alone import alone
from tests.bentos.waiting import wait_for
from tests.models.anomaly.payments import payments

pytestmark = pytest.mark.xdist_group("bento")

PARAMS = {"trees": 30, "max_samples": 512, "category_rows": 700, "alert_budget": 0.02}
AS_OF = datetime(2025, 6, 15, tzinfo=UTC)
PAYMENT = {
    "user_id": "busy",
    "occurred_at": "2025-06-15T20:00:00+05:30",
    "amount": 450.0,
    "category": "dining",
    "merchant": "merchant 003",
}


class Stored:
    """Habits as the online store answers them: of one busy user, and of nobody else."""

    as_of = AS_OF

    def read(self, user_ids: Sequence[str], request_rows: object = None) -> list[FeatureRow]:
        """One row a user."""
        return [
            FeatureRow({"habits": busy_habits()}, {"transaction_habits": self.as_of}, "fresh")
            if user == "busy"
            else FeatureRow({"habits": None}, {"transaction_habits": None}, "missing")
            for user in user_ids
        ]

    def cached(self, user_ids: Sequence[str]) -> bool:
        """Never, as of a store that has to be asked."""
        return False


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    model, home = get_model("anomaly"), tmp_path_factory.mktemp("trained")
    payments(12, each=5).to_parquet(home / "payments.parquet")
    rows = model.training_frame(model.read(home / "payments.parquet"))
    model.train(rows, home / "model", TrainOptions(seed=3, params=PARAMS))
    return home / "model"


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    """Of a model of transactions; the store that its Bento names is not there until a test gives it one."""
    with alone(API, trained, tmp_path_factory.mktemp("alone"), features="anomaly_v1") as served:
        yield served


@pytest.fixture
def stored(served, monkeypatch) -> None:
    monkeypatch.setattr(served.scorer, "features", Stored())


@pytest.mark.parametrize("action", ["predict", "explain"])
def test_an_answer_says_how_unusual_why_and_by_which_version(served, stored, action):
    answer = served.ask(PAYMENT, PAYMENT | {"amount": 90_000.0}, action=action)
    assert answer.status_code == 200
    usual, large = answer.json()
    assert not usual["flagged"]
    assert large["flagged"]
    assert usual["score"] < large["threshold"] <= large["score"] <= 1
    assert "200 times your usual dining amount" in [reason["text"] for reason in large["reasons"]]
    assert {reason["topic"] for reason in large["reasons"]} <= set(TOPICS)
    assert usual["history"] == "ok"
    assert usual["feature_status"] == "fresh"
    assert usual["feature_timestamps"] == {"transaction_habits": "2025-06-15T00:00:00Z"}
    assert usual["model_version"] == "anomaly@4"
    if action == "explain":
        assert large["contributions"]["amount_vs_own"] > usual["contributions"]["amount_vs_own"]
        assert set(large["features"]) == set(large["contributions"])


def test_the_caller_can_tell_what_the_habits_do_not_know_yet(served, stored):
    before = {key: PAYMENT[key] for key in ("amount", "category", "merchant")}
    recent = [before | {"occurred_at": f"2025-06-15T14:{minute}:00Z"} for minute in (10, 20, 25)]
    alone, third = served.ask(PAYMENT, PAYMENT | {"recent": recent}).json()
    assert third["score"] > alone["score"]
    assert "fourth payment of the same amount to this merchant within an hour" in [
        reason["text"] for reason in third["reasons"]
    ]


@pytest.mark.parametrize("seconds", [0, 90])
def test_a_payment_that_the_habits_hold_already_is_not_compared_with_itself(served, monkeypatch, seconds):
    newest = json.loads(busy_habits())["recent"][0]
    moment = datetime.fromtimestamp(newest[0], UTC)
    asked = {"occurred_at": moment.isoformat(), "amount": newest[1] / 100, "merchant": newest[3]}
    reader = Stored()
    reader.as_of = moment + timedelta(seconds=seconds)
    monkeypatch.setattr(served.scorer, "features", reader)
    (answer,) = served.ask(PAYMENT | asked, action="explain").json()
    assert answer["features"]["same_payment_1h"] == 0
    assert answer["features"]["count_1h"] == 0
    assert "repetition" not in [reason["topic"] for reason in answer["reasons"]]
    # a second one is one
    (answer,) = served.ask(
        PAYMENT
        | asked
        | {
            "amount": 450.0,
            "recent": [
                {
                    "occurred_at": (moment - timedelta(seconds=30)).isoformat(),
                    "amount": 450.0,
                    "category": "dining",
                    "merchant": newest[3],
                }
            ],
        },
        action="explain",
    ).json()
    assert answer["features"]["same_payment_1h"] > 0


def test_an_unknown_user_gets_an_answer_that_says_so(served, stored):
    unknown, nobody = served.ask(PAYMENT | {"user_id": "who"}, {**PAYMENT, "user_id": None}).json()
    assert (unknown["history"], unknown["feature_status"]) == ("none", "missing")
    assert (nobody["history"], nobody["feature_status"], nobody["feature_timestamps"]) == (
        "none",
        "not_used",
        {},
    )
    assert unknown["score"] == nobody["score"]


def test_the_http_answers_equal_those_in_process_for_a_hundred_rows(served, stored, trained):
    rng = random.Random(3)  # noqa: S311
    model = get_model("anomaly")
    inputs = [model.example(rng, ["busy", "who"]) for _ in range(100)]
    predictor = AnomalyPredictor.load(trained)
    asked = [AnomalyInput.model_validate(one) for one in inputs]
    habits = {"busy": Habits.read(busy_habits()), "who": NO_HABITS}
    expected = predictor.judge(
        [(one.transaction(), behaviour(one.transaction(), habits[one.user_id])) for one in asked]
    )
    scorer = AnomalyScorer(predictor, Stored(), "anomaly@4")
    served = [
        answer for start in range(0, 100, 25) for answer in served.ask(*inputs[start : start + 25]).json()
    ]
    assert [one["score"] for one in served] == pytest.approx([one.score for one in expected], abs=1e-7)
    assert [one["flagged"] for one in served] == [one.flagged for one in expected]
    whole = [json.loads(answer.model_dump_json()) for answer in scorer.predict(asked)]
    for one, other in zip(served, whole, strict=True):
        assert {**one, "score": 0, "reasons": 0} == {**other, "score": 0, "reasons": 0}
        assert [reason["text"] for reason in one["reasons"]] == [
            reason["text"] for reason in other["reasons"]
        ]
    assert sum(one["flagged"] for one in served) > 0


@pytest.mark.parametrize("action", ["predict", "explain"])
def test_a_store_that_cannot_be_read_is_503(served, action):
    answer = served.ask(PAYMENT, action=action)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:finml:problem:unavailable"
    wait_for(lambda: not served.works())
    answer = served.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["failing"] == ["model:anomaly", "online_store:anomaly"]
    # who names no user needs no store
    assert served.ask(PAYMENT | {"user_id": None}, action=action).status_code == 200


def test_it_works_once_habits_can_be_read(served, stored):
    wait_for(served.works)


@pytest.mark.slow
def test_habits_are_read_from_the_real_online_store(bank, trained):
    from finml.features.online import OnlineFeatures
    from finml.features.store import feature_store

    reader = OnlineFeatures(feature_store(bank.settings, bank.repo), "anomaly_v1")
    scorer = AnomalyScorer(AnomalyPredictor.load(trained), reader, "anomaly@4")
    asked = [AnomalyInput.model_validate(PAYMENT | {"user_id": user}) for user in [*bank.users[:8], "who"]]
    *known, unknown = scorer.predict(asked)
    assert {answer.history for answer in known} <= {"ok", "short"}
    assert all(answer.feature_timestamps["transaction_habits"] for answer in known)
    assert (unknown.history, unknown.feature_status) == ("none", "missing")


SOON = (datetime.now(UTC) + timedelta(days=3)).isoformat()
KNOWN = "is not one of " + ", ".join(CATEGORIES)
TIMEZONE = "Input should have timezone info"


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"amount": 0}, "/amount", "Input should be greater than or equal to 0.01"),
        ({"amount": -20.5}, "/amount", "Input should be greater than or equal to 0.01"),
        ({"amount": 1e12}, "/amount", "Input should be less than or equal to 100000000000"),
        ({"amount": "450"}, "/amount", "Input should be a valid number"),
        ({"amount": True}, "/amount", "Input should be a valid number"),
        ({"amount": None}, "", "amount is needed"),
        ({"category": "yachts"}, "/category", KNOWN),
        ({"category": ""}, "/category", "String should have at least 1 character"),
        ({"category": "🍕"}, "/category", KNOWN),
        ({"category": 3}, "/category", "Input should be a valid string"),
        ({"occurred_at": "today"}, "/occurred_at", None),
        ({"occurred_at": "2025-06-15T20:00:00"}, "/occurred_at", TIMEZONE),
        ({"occurred_at": SOON}, "/occurred_at", "must not be more than a day in the future"),
        ({"occurred_at": "1700-01-01T00:00:00Z"}, "/occurred_at", "must not be before 1900"),
        ({"user_id": ""}, "/user_id", "String should have at least 1 character"),
        ({"user_id": "u" * 65}, "/user_id", "String should have at most 64 characters"),
        ({"user_id": 7}, "/user_id", "Input should be a valid string"),
        ({"user_id": "a\u0000b"}, "/user_id", "must not hold control characters"),
        ({"merchant": "x" * 257}, "/merchant", "String should have at most 256 characters"),
        ({"merchant": "tab\there"}, "/merchant", "must not hold control characters"),
        ({"channel": "pigeon"}, "/channel", None),
        ({"recent": [{}]}, "/recent/0/occurred_at", "Field required"),
        ({"recent": "none"}, "/recent", "Input should be a valid array"),
        (
            {"recent": [{"occurred_at": SOON, "amount": 1.0, "category": "dining"}]},
            "/recent/0/occurred_at",
            "must not be more than a day in the future",
        ),
        ({"values": {"a": 1.0}}, "", None),
        ({"note": "hello"}, "/note", "Extra inputs are not permitted"),
    ],
)
def test_a_bad_field_is_named(served, stored, change, pointer, detail):
    answer = served.ask(PAYMENT, PAYMENT | change)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "urn:finml:problem:invalid-request"
    error = problem["errors"][0]
    assert error["pointer"] == f"#/inputs/1{pointer}"
    if detail is not None:
        assert error["detail"] == detail


def test_more_than_fifty_recent_debits_are_too_many(served, stored):
    recent = [{key: PAYMENT[key] for key in ("occurred_at", "amount", "category")}] * 51
    (error,) = served.ask(PAYMENT | {"recent": recent}).json()["errors"]
    assert error["pointer"] == "#/inputs/0/recent"
    assert error["detail"].startswith("List should have at most 50 items")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"", 400, None),
        (b"{}", 400, "#/inputs"),
        (b"not json", 400, None),
        (b'{"inputs": []}', 400, "#/inputs"),
        (json.dumps({"inputs": [PAYMENT] * 33}).encode(), 400, "#/inputs"),
        (json.dumps({"inputs": [PAYMENT], "more": 1}).encode(), 400, "#/more"),
        (b'{"inputs": [{"amount": NaN}]}', 400, "#/inputs/0/amount"),
        (b'{"inputs": [{"amount": Infinity}]}', 400, "#/inputs/0/amount"),
        (b'{"inputs": "' + b"x" * 10_000_000 + b'"}', 413, None),
    ],
)
def test_a_body_that_is_no_request(served, stored, body, status, pointer):
    answer = served.send(body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("merchant", ["Café ☕️🥐", "चाय की दुकान", "a'; DROP TABLE users;--", "x" * 256])
def test_odd_merchants_are_merchants(served, stored, merchant):
    (answer,) = served.ask(PAYMENT | {"merchant": merchant}, action="explain").json()
    assert answer["features"]["new_merchant"] > 0
    assert (
        "first payment to this merchant" in [reason["text"] for reason in answer["reasons"]]
        or answer["score"] > 0
    )


def test_merchants_of_the_example_are_of_known_categories():
    assert set(MERCHANTS) <= set(CATEGORIES)
    assert not pd.Series([name for names, _ in MERCHANTS.values() for name in names]).duplicated().any()
