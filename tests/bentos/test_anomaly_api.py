"""The HTTP answers of `anomaly`, by its API class in this process over a trained model."""

import json
import random
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bentoml
import pandas as pd
import pytest
from starlette.testclient import TestClient

from bentos import release
from bentos.anomaly import API, AnomalyScorer, ServedAnomalyInput
from bentos.problems import ProblemMiddleware
from bentos.quiet import quieten_bentoml
from bentos.release import MODEL_FILES, Release, ReleasedModel
from finml.features.online import FeatureRow
from finml.ledger.contracts import CATEGORIES
from finml.models.anomaly.behaviour import TOPICS, behaviour
from finml.models.anomaly.contract import AnomalyInput, Served
from finml.models.anomaly.example import MERCHANTS, busy_habits
from finml.models.anomaly.habits import NO_HABITS, Habits
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import TrainOptions, get_model
from finml.registry.manifest import write_manifest
from tests.models.anomaly.payments import numbers, payments

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
CLASSES: dict[str, type] = {}


class Stored:
    """Habits as the online store answers them: of one busy user, and of nobody else."""

    as_of = AS_OF

    def read(self, user_ids: Sequence[str]) -> list[FeatureRow]:
        """One row a user."""
        return [
            FeatureRow({"habits": busy_habits()}, {"transaction_habits": self.as_of}, "fresh")
            if user == "busy"
            else FeatureRow({"habits": None}, {"transaction_habits": None}, "missing")
            for user in user_ids
        ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A model of transactions and one of a table."""
    model, home = get_model("anomaly"), tmp_path_factory.mktemp("trained")
    payments(12, each=5).to_parquet(home / "payments.parquet")
    numbers(1500, anomalies=20).to_csv(home / "table.csv")
    for name, file in (("behaviour", "payments.parquet"), ("table", "table.csv")):
        frame = model.training_frame(model.read(home / file))
        model.train(frame, home / name, TrainOptions(seed=3, params=PARAMS))
    return {name: home / name for name in ("behaviour", "table")}


def service(trained: Path, home: Path, *, features: bool) -> type:
    """A service of the API class over a store that holds the model, as in a Bento."""
    (home / "models").mkdir()
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    BentoMLContainer.model_store.set(ModelStore(home / "models"))
    with bentoml.models.create("anomaly:4") as stored:
        shutil.copytree(trained, stored.path_of(MODEL_FILES))
        manifest = write_manifest(Path(stored.path_of(MODEL_FILES)))
    if features:
        (home / "features").mkdir()
    model = ReleasedModel(
        name="anomaly",
        version=4,
        manifest_sha256=manifest,
        feature_service="anomaly_v1",
        run_id="r",
        git_commit="c",
        data_hash="d",
        gate=[],
    )
    Release(project="test", models=[model]).write(home)

    # two services in one process would register the same metrics
    @bentoml.service(name="anomaly_alone", logging={"access": {"enabled": False}}, metrics={"enabled": False})
    class Alone(API):
        """Anomalies and nothing else."""

        def __init__(self) -> None:
            quieten_bentoml()
            super().__init__()
            self.warm_up()

    Alone.add_asgi_middleware(ProblemMiddleware)
    return Alone


def clients(trained: Path, home: Path, *, features: bool):
    from bentoml._internal.configuration.containers import BentoMLContainer

    patch = pytest.MonkeyPatch()
    patch.setattr(release, "SERVING", home)
    patch.setattr(ServedAnomalyInput, "served", Served())
    alone = service(trained, home, features=features)
    with TestClient(alone.to_asgi(), raise_server_exceptions=False) as client:
        yield client
    BentoMLContainer.model_store.reset()
    patch.undo()


@pytest.fixture(scope="module")
def client(folders, tmp_path_factory):
    """Of a model of transactions; the store that its Bento names is not there until a test gives it one."""
    yield from clients(folders["behaviour"], tmp_path_factory.mktemp("serving"), features=True)


@pytest.fixture
def stored(client, monkeypatch) -> None:
    monkeypatch.setattr(bentoml.get_current_service().anomaly, "features", Stored())


def ask(client, *inputs: dict, action: str = "predict"):
    return client.post(f"/{action}/anomaly", json={"inputs": list(inputs)})


@pytest.mark.parametrize("action", ["predict", "explain"])
def test_an_answer_says_how_unusual_why_and_by_which_version(client, stored, action):
    answer = ask(client, PAYMENT, PAYMENT | {"amount": 90_000.0}, action=action)
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


def test_the_caller_can_tell_what_the_habits_do_not_know_yet(client, stored):
    before = {key: PAYMENT[key] for key in ("amount", "category", "merchant")}
    recent = [before | {"occurred_at": f"2025-06-15T14:{minute}:00Z"} for minute in (10, 20, 25)]
    alone, third = ask(client, PAYMENT, PAYMENT | {"recent": recent}).json()
    assert third["score"] > alone["score"]
    assert "fourth payment of the same amount to this merchant within an hour" in [
        reason["text"] for reason in third["reasons"]
    ]


@pytest.mark.parametrize("seconds", [0, 90])
def test_a_payment_that_the_habits_hold_already_is_not_compared_with_itself(client, monkeypatch, seconds):
    newest = json.loads(busy_habits())["recent"][0]
    moment = datetime.fromtimestamp(newest[0], UTC)
    asked = {"occurred_at": moment.isoformat(), "amount": newest[1] / 100, "merchant": newest[3]}
    reader = Stored()
    reader.as_of = moment + timedelta(seconds=seconds)
    monkeypatch.setattr(bentoml.get_current_service().anomaly, "features", reader)
    (answer,) = ask(client, PAYMENT | asked, action="explain").json()
    assert answer["features"]["same_payment_1h"] == 0
    assert answer["features"]["count_1h"] == 0
    assert "repetition" not in [reason["topic"] for reason in answer["reasons"]]
    # a second one is one
    (answer,) = ask(
        client,
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


def test_an_unknown_user_gets_an_answer_that_says_so(client, stored):
    unknown, nobody = ask(client, PAYMENT | {"user_id": "who"}, {**PAYMENT, "user_id": None}).json()
    assert (unknown["history"], unknown["feature_status"]) == ("none", "missing")
    assert (nobody["history"], nobody["feature_status"], nobody["feature_timestamps"]) == (
        "none",
        "not_used",
        {},
    )
    assert unknown["score"] == nobody["score"]


def test_the_http_answers_equal_those_in_process_for_a_hundred_rows(client, stored, folders):
    rng = random.Random(3)  # noqa: S311
    model = get_model("anomaly")
    inputs = [model.example(rng, ["busy", "who"]) for _ in range(100)]
    predictor = AnomalyPredictor.load(folders["behaviour"])
    asked = [AnomalyInput.model_validate(one) for one in inputs]
    habits = {"busy": Habits.read(busy_habits()), "who": NO_HABITS}
    expected = predictor.judge(
        [(one.transaction(), behaviour(one.transaction(), habits[one.user_id])) for one in asked]
    )
    scorer = AnomalyScorer(predictor, Stored(), "anomaly@4")
    served = [
        answer for start in range(0, 100, 25) for answer in ask(client, *inputs[start : start + 25]).json()
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
def test_a_store_that_cannot_be_read_is_503(client, action):
    answer = ask(client, PAYMENT, action=action)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:finml:problem:unavailable"
    assert client.get("/readyz").status_code == 503
    # who names no user needs no store
    assert ask(client, PAYMENT | {"user_id": None}, action=action).status_code == 200


def test_ready_once_the_store_answers(client, stored):
    assert client.get("/readyz").status_code == 200


@pytest.mark.slow
def test_habits_are_read_from_the_real_online_store(bank, folders):
    from finml.features.online import OnlineFeatures
    from finml.features.store import feature_store

    reader = OnlineFeatures(feature_store(bank.settings, bank.repo), "anomaly_v1")
    scorer = AnomalyScorer(AnomalyPredictor.load(folders["behaviour"]), reader, "anomaly@4")
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
def test_a_bad_field_is_named(client, stored, change, pointer, detail):
    answer = ask(client, PAYMENT, PAYMENT | change)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "urn:finml:problem:invalid-request"
    error = problem["errors"][0]
    assert error["pointer"] == f"#/inputs/1{pointer}"
    if detail is not None:
        assert error["detail"] == detail


def test_more_than_fifty_recent_debits_are_too_many(client, stored):
    recent = [{key: PAYMENT[key] for key in ("occurred_at", "amount", "category")}] * 51
    (error,) = ask(client, PAYMENT | {"recent": recent}).json()["errors"]
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
        (b'{"inputs": [{"amount": NaN}]}', 400, "#/inputs/0/amount"),
        (b'{"inputs": [{"amount": Infinity}]}', 400, "#/inputs/0/amount"),
        (b'{"inputs": "' + b"x" * 10_000_000 + b'"}', 413, None),
    ],
)
def test_a_body_that_is_no_request(client, stored, body, status, pointer):
    answer = client.post("/predict/anomaly", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("merchant", ["Café ☕️🥐", "चाय की दुकान", "a'; DROP TABLE users;--", "x" * 256])
def test_odd_merchants_are_merchants(client, stored, merchant):
    (answer,) = ask(client, PAYMENT | {"merchant": merchant}, action="explain").json()
    assert answer["features"]["new_merchant"] > 0
    assert (
        "first payment to this merchant" in [reason["text"] for reason in answer["reasons"]]
        or answer["score"] > 0
    )


def test_a_model_of_a_table_takes_its_columns(folders, tmp_path):
    for client in clients(folders["table"], tmp_path, features=False):
        row = {"a": 0.1, "b": 0.1, "c": 0.2, "d": None}
        usual, odd = ask(client, {"values": row}, {"values": row | {"b": -3.0}}, action="explain").json()
        assert not usual["flagged"]
        assert odd["flagged"]
        assert (odd["history"], odd["feature_status"]) == ("none", "not_used")
        assert odd["reasons"][0]["topic"] in {"a", "b"}
        assert client.get("/readyz").status_code == 200
        # what one process serves is no matter of the contract
        assert AnomalyInput.served == Served()
        for change, pointer, words in (
            ({"values": {"a": 1.0}}, "/values", "lacks columns of the model: b, c, d"),
            ({"values": row | {"x": 1.0}}, "/values", "has columns that the model does not know: 'x'"),
            ({"values": row | {"a": "one"}}, "/values/a", "Input should be a valid number"),
            ({"values": row | {"a": 1e31}}, "/values/a", "Input should be less than or equal to 1"),
            ({"values": row, "user_id": "u"}, "", "only values is taken"),
            (PAYMENT, "", "values is needed"),
        ):
            answer = ask(client, change)
            assert answer.status_code == 400
            (error,) = answer.json()["errors"]
            assert error["pointer"] == f"#/inputs/0{pointer}"
            assert words in error["detail"]


def test_merchants_of_the_example_are_of_known_categories():
    assert set(MERCHANTS) <= set(CATEGORIES)
    assert not pd.Series([name for names, _ in MERCHANTS.values() for name in names]).duplicated().any()
