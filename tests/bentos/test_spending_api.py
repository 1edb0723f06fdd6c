"""The HTTP answers of `spending`, by its API class in this process over a trained model."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from bentos.spending import API, SpendingScorer
from finml.features.online import FeatureRow
from finml.models.base import TrainOptions, get_model
from finml.models.spending.contract import SpendingInput
from tests.bentos.alone import alone
from tests.bentos.waiting import wait_for
from tests.models.spending.months import daily, monthly, people

pytestmark = pytest.mark.xdist_group("bento")

MONTHS = [f"2023-{month:02}" for month in range(1, 7)]
NOW = datetime(2023, 7, 4, tzinfo=UTC)


class StoredHistories:
    """Histories of the users u0 to u9; others are unknown."""

    def read(
        self, user_ids: Sequence[str], request_rows: Sequence[Mapping[str, float | None]] | None = None
    ) -> list[FeatureRow]:
        """One row a user."""
        return [self.row(user_id) for user_id in user_ids]

    def row(self, user_id: str) -> FeatureRow:
        """The row of a user who spent ten times as much as the number in the name says."""
        if user_id not in {f"u{number}" for number in range(10)}:
            return FeatureRow({"spending": None}, {"spending_history": None}, "missing")
        spent = {"groceries": [10.0 * int(user_id[1:])] * 6}
        stored = {"months": MONTHS, "spent": spent, "month_to_date": {}, "first_month": "2022-01"}
        return FeatureRow({"spending": json.dumps(stored)}, {"spending_history": NOW}, "fresh")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    model = get_model("spending")
    folder = tmp_path_factory.mktemp("spending") / "model"
    rows = pd.concat([monthly("groceries", 28), monthly("rent", 28), daily(80), people(8, 28)])
    model.train(model.training_frame(rows), folder, TrainOptions(seed=3, params={"processes": 1}))
    return folder


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    with alone(API, trained, tmp_path_factory.mktemp("alone"), features="spending_v1") as served:
        yield served


@pytest.fixture
def histories(served, monkeypatch):
    """The service with users' histories in place of a store that is not there."""
    monkeypatch.setattr(served.scorer, "features", StoredHistories())


def test_an_answer_has_forecasts_that_add_up_and_its_version(served):
    (answer,) = served.ask({"category": "groceries", "horizon": 2}).json()
    assert answer["model_version"] == "spending@4"
    assert (answer["user_id"], answer["feature_status"], answer["feature_timestamps"]) == (
        None,
        "not_needed",
        {},
    )
    (groceries,) = answer["forecasts"]
    assert groceries["trained_until"] == "2023-04-01"
    assert (groceries["subject"], groceries["method"], groceries["pooling"]) == (
        "population",
        "prophet",
        None,
    )
    assert [point["ds"] for point in groceries["forecast"]] == ["2023-05-01", "2023-06-01"]
    for point in groceries["forecast"]:
        assert point["low"] < point["yhat"] < point["high"]
        assert sum(point["decomposition"].values()) == pytest.approx(point["yhat"])


def test_without_a_category_all_are_answered(served):
    (answer,) = served.ask({}).json()
    assert [one["category"] for one in answer["forecasts"]] == ["coffee", "groceries", "rent"]
    assert {len(one["forecast"]) for one in answer["forecasts"]} == {3}


@pytest.mark.usefixtures("histories")
def test_a_user_s_stored_history_is_read_and_told(served):
    few, many, unknown = served.ask(
        *({"user_id": user, "category": "groceries", "horizon": 1} for user in ("u1", "u9", "stranger")),
    ).json()
    assert (few["feature_status"], unknown["feature_status"]) == ("fresh", "missing")
    assert few["feature_timestamps"] == {"spending_history": "2023-07-04T00:00:00Z"}
    (low,), (high,), (mean,) = (one["forecasts"] for one in (few, many, unknown))
    assert low["forecast"][0]["yhat"] < 25
    assert high["forecast"][0]["yhat"] > 70
    assert low["forecast"][0]["ds"] == "2023-07-01"
    assert (low["pooling"]["months"], mean["pooling"]["months"], mean["pooling"]["weight"]) == (6, 0, 0)
    assert mean["notes"][0].startswith("no history says which month comes next")
    assert mean["notes"][-1] == "the user has no history, so this is what the mean user spends"


def test_a_history_in_the_request_needs_no_store(served):
    history = {"months": MONTHS, "spent": {"groceries": [90.0] * 6}}
    (answer,) = served.ask({"user_id": "u1", "history": history, "category": "groceries"}).json()
    assert answer["feature_status"] == "provided"
    assert answer["forecasts"][0]["forecast"][0]["yhat"] > 60


@pytest.mark.parametrize("month", ["2016-01", "2020-12", "2021-12", "2028-12", "2030-09"])
def test_a_history_within_the_calendar_is_answered(served, month):
    history = {"months": [month], "spent": {"groceries": [90.0]}}
    answer = served.ask({"history": history, "category": "groceries"})
    assert answer.status_code == 200
    assert answer.json()[0]["forecasts"][0]["pooling"]["months"] == 1


def test_a_start_frees_the_months_after_a_history(served):
    asked = {"history": {"months": ["2030-12"], "spent": {}}, "start": "2024-06-01", "category": "rent"}
    assert served.ask(asked).status_code == 200


def test_a_store_that_cannot_be_read_is_503_where_it_is_needed(served):
    answer = served.ask({"user_id": "u1"})
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:finml:problem:unavailable"
    assert answer.headers["retry-after"] == "1"
    wait_for(lambda: not served.works())
    answer = served.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["failing"] == ["model:spending", "online_store:spending"]
    assert served.ask({"category": "rent"}).status_code == 200


@pytest.mark.usefixtures("histories")
def test_it_works_once_a_history_can_be_read(served):
    wait_for(served.works)


def test_an_explanation_is_in_words(served):
    (answer,) = served.ask({"category": "groceries"}, action="explain").json()
    (found,) = answer["explanations"]
    assert found["text"][0].startswith("The trend alone says")
    assert found["how"].startswith("Prophet, ")
    assert all({"ds", "before", "after", "text"} == set(turn) for turn in found["changepoints"])
    assert answer["forecasts"][0]["category"] == "groceries"


@pytest.mark.usefixtures("histories")
@pytest.mark.parametrize("action", ["predict", "explain"])
def test_a_hundred_answers_equal_those_in_process(served, trained, action):
    categories = [None, "groceries", "rent", "coffee"]
    asked = [
        {
            "user_id": f"u{number % 12}" if number % 3 else None,
            "category": categories[number % 4],
            "horizon": 1 + number % 24,
            "start": "2024-06-01" if number % 5 == 0 else None,
        }
        for number in range(100)
    ]
    scorer = SpendingScorer(get_model("spending").load(trained), StoredHistories(), "spending@4")
    expected = getattr(scorer, action)([SpendingInput.model_validate(one) for one in asked])
    answers = [
        answer
        for start in range(0, 100, 25)
        for answer in served.ask(*asked[start : start + 25], action=action).json()
    ]
    assert answers == [json.loads(one.model_dump_json()) for one in expected]


AT = "#/inputs/0"
KNOWN = "it knows: coffee, groceries, rent"
HISTORY = {"months": ["2023-01", "2023-02"], "spent": {"rent": [1, 2]}}
BAD = [
    ({"category": "moon"}, f"{AT}/category", f"the model knows no series 'moon'; {KNOWN}"),
    ({"category": "🛒"}, f"{AT}/category", f"the model knows no series '🛒'; {KNOWN}"),
    ({"category": ""}, f"{AT}/category", "String should have at least 1 character"),
    ({"category": "x" * 65}, f"{AT}/category", "String should have at most 64 characters"),
    ({"category": 5}, f"{AT}/category", "Input should be a valid string"),
    ({"category": "a\u0000b"}, f"{AT}/category", "must not hold control characters"),
    ({"horizon": 0}, f"{AT}/horizon", "Input should be greater than or equal to 1"),
    ({"horizon": -3}, f"{AT}/horizon", "Input should be greater than or equal to 1"),
    ({"horizon": 366}, f"{AT}/horizon", "Input should be less than or equal to 365"),
    ({"horizon": 25}, f"{AT}/horizon", "must be at most 24: a series is forecast by the month"),
    (
        {"horizon": 25, "category": "rent"},
        f"{AT}/horizon",
        "must be at most 24: rent is forecast by the month",
    ),
    ({"horizon": 1.5}, f"{AT}/horizon", "Input should be a valid integer"),
    ({"horizon": "3"}, f"{AT}/horizon", "Input should be a valid integer"),
    ({"horizon": None}, f"{AT}/horizon", "Input should be a valid integer"),
    (
        {"start": "soon"},
        f"{AT}/start",
        "Input should be a valid date in the format YYYY-MM-DD, input is too short",
    ),
    (
        {"start": "2023-01-01", "category": "rent"},
        f"{AT}/start",
        "must lie from 2023-05-01, after the training, to 2030-10-01, for which the calendar is known",
    ),
    (
        {"start": "2099-01-01", "category": "rent"},
        f"{AT}/start",
        "must lie from 2023-05-01, after the training, to 2030-10-01, for which the calendar is known",
    ),
    ({"user_id": ""}, f"{AT}/user_id", "String should have at least 1 character"),
    ({"user_id": "u" * 65}, f"{AT}/user_id", "String should have at most 64 characters"),
    ({"user_id": 7}, f"{AT}/user_id", "Input should be a valid string"),
    ({"user_id": "a\nb"}, f"{AT}/user_id", "must not hold control characters"),
    ({"history": {"spent": {}}}, f"{AT}/history/months", "Field required"),
    (
        {"history": HISTORY | {"months": []}},
        f"{AT}/history/months",
        "List should have at least 1 item after validation, not 0",
    ),
    (
        {"history": HISTORY | {"months": ["2023-01", "2023-13"]}},
        f"{AT}/history/months/1",
        "must be a month, as in 2026-05",
    ),
    (
        {"history": HISTORY | {"months": ["2023-02", "2023-01"]}},
        f"{AT}/history",
        "months must follow each other without gaps, the oldest first",
    ),
    (
        {"history": HISTORY | {"spent": {"rent": [1]}}},
        f"{AT}/history",
        "spent.rent has 1 amounts for 2 months",
    ),
    (
        {"history": HISTORY | {"spent": {"rent": [1, -2]}}},
        f"{AT}/history/spent/rent/1",
        "Input should be greater than or equal to 0",
    ),
    (
        {"history": HISTORY | {"spent": {"rent": [1, 1e14]}}},
        f"{AT}/history/spent/rent/1",
        "Input should be less than or equal to 10000000000000",
    ),
    *(
        (
            {"history": {"months": [month], "spent": {"groceries": [5.0]}}},
            f"{AT}/history/months",
            "must lie from 2016-01 to 2030-09, for which the calendar is known",
        )
        for month in ("1970-01", "2010-05", "2015-12", "2030-10", "2099-12")
    ),
    ({"amount": 5}, f"{AT}/amount", "Extra inputs are not permitted"),
    ("groceries", AT, "Input should be an object"),
]


@pytest.mark.parametrize("action", ["predict", "explain"])
@pytest.mark.parametrize(("asked", "pointer", "detail"), BAD)
def test_a_bad_input_is_answered_400_with_its_field(served, asked, pointer, detail, action):
    answer = served.ask(asked, action=action)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": detail}]


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({}, "#/inputs", "Field required"),
        ({"inputs": []}, "#/inputs", "List should have at least 1 item after validation, not 0"),
        ({"inputs": [{}], "more": 1}, "#/more", "Extra inputs are not permitted"),
        (
            {"inputs": [{}] * 33},
            "#/inputs",
            "List should have at most 32 items after validation, not 33",
        ),
    ],
)
def test_a_bad_list_is_answered_400(served, body, pointer, detail):
    answer = served.client.post("/predict/spending", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": detail}]


def test_only_the_failing_input_is_named(served):
    answer = served.ask({"category": "rent"}, {"category": "moon"})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/inputs/1/category"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"inputs": [{"horizon": NaN}]}', 400),
        (b'{"inputs": [{"history": {"months": ["2023-01"], "spent": {"rent": [Infinity]}}}]}', 400),
        (b"{", 400),
        (b"x" * 10_000_000, 413),
    ],
)
def test_a_body_that_cannot_be_read(served, body, status):
    answer = served.send(body)
    assert answer.status_code == status
