"""The HTTP answers of `entities`, by its API class in this process over a trained model."""

import json

import pytest

from bentos.entities import API, EntitiesReader
from finml.errors import IntegrityError
from finml.models.base import TrainOptions, get_model
from finml.models.entities.contract import EntitiesInput
from tests.bentos.alone import alone
from tests.models.entities.sentences import messages

pytestmark = pytest.mark.xdist_group("bento")

NOW = "2026-05-20T12:00:00+05:30"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model = get_model("entities")
    folder = tmp_path_factory.mktemp("entities") / "model"
    model.train(model.training_frame(messages(250)), folder, TrainOptions(seed=3, params={"epochs": 3}))
    return folder


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    with alone(API, trained, tmp_path_factory.mktemp("alone")) as served:
        yield served


def test_an_answer_has_offsets_values_and_its_version(served):
    text = "pay ₹1.5 lakh by 12/05/2026 from 4111 1111 1111 1111 at 8.5%"
    (answer,) = served.ask({"text": text, "now": NOW}).json()
    assert answer["model_version"] == "entities@4"
    found = {entity["type"]: entity for entity in answer["entities"]}
    for entity in answer["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
    assert found["MONEY"]["value"] == {
        "kind": "money",
        "amount": "150000",
        "currency": "INR",
        "assumed": False,
    }
    assert found["DATE"]["value"] == {
        "kind": "date",
        "start": None,
        "end": "2026-05-13T00:00:00+05:30",
        "grain": "span",
        "relation": "until",
        "alternatives": [],
    }
    assert found["CARD"]["value"]["last4"] == "1111"
    assert found["PERCENT"]["value"] == {"kind": "percent", "fraction": "0.085"}


def test_an_explanation_names_rules_and_readings(served):
    (answer,) = served.ask({"text": "kal ₹500", "now": NOW}, action="explain").json()
    kal = next(found for found in answer["found"] if found["rule"] == "kal")
    assert "either way" in kal["reading"]
    assert [one for one in answer["found"] if one["kept"]]
    assert {entity["text"] for entity in answer["entities"]} == {
        one["text"] for one in answer["found"] if one["kept"]
    }


def test_a_hundred_answers_equal_those_in_process(served, trained):
    texts = list(messages(100, seed=9)["text"][:100])
    asked = [{"text": text, "now": NOW, "time_zone": "Asia/Kolkata"} for text in texts]
    reader = EntitiesReader(get_model("entities").load(trained), "entities@4")
    inputs = [EntitiesInput.model_validate(one) for one in asked]
    for action in ("predict", "explain"):
        answers = [
            answer
            for start in range(0, 100, 25)
            for answer in served.ask(*asked[start : start + 25], action=action).json()
        ]
        expected = [json.loads(one.model_dump_json()) for one in getattr(reader, action)(inputs)]
        assert answers == expected


AT = "#/inputs/0"
BAD = [
    ({}, f"{AT}/text", "Field required"),
    ({"text": ""}, f"{AT}/text", "String should have at least 1 character"),
    ({"text": "   "}, f"{AT}/text", "must hold more than blanks"),
    ({"text": "x" * 513}, f"{AT}/text", "String should have at most 512 characters"),
    ({"text": None}, f"{AT}/text", "Input should be a valid string"),
    ({"text": 500}, f"{AT}/text", "Input should be a valid string"),
    ({"text": ["a"]}, f"{AT}/text", "Input should be a valid string"),
    ({"text": "a\u0000b"}, f"{AT}/text", "must not hold control characters"),
    ({"text": "a\u007fb"}, f"{AT}/text", "must not hold control characters"),
    ({"text": "a\u0085b"}, f"{AT}/text", "must not hold control characters"),
    (
        {"text": "hi", "now": "yesterday"},
        f"{AT}/now",
        "Input should be a valid datetime, input is too short",
    ),
    ({"text": "hi", "now": "2026-05-20T12:00:00"}, f"{AT}/now", "Input should have timezone info"),
    ({"text": "hi", "now": "9999-01-01T00:00:00Z"}, f"{AT}/now", "must lie in the years 1900 to 2199"),
    (
        {"text": "hi", "time_zone": "India"},
        f"{AT}/time_zone",
        "is no time zone of the IANA database, as Asia/Kolkata is",
    ),
    ({"text": "hi", "currency": "rupees"}, f"{AT}/currency", "String should match pattern '^[A-Z]{3}$'"),
    ({"text": "hi", "user_id": "u1"}, f"{AT}/user_id", "Extra inputs are not permitted"),
    ("hi", AT, "Input should be an object"),
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
        ({"inputs": [{"text": "a"}], "more": 1}, "#/more", "Extra inputs are not permitted"),
        (
            {"inputs": [{"text": "a"}] * 33},
            "#/inputs",
            "List should have at most 32 items after validation, not 33",
        ),
    ],
)
def test_a_bad_list_is_answered_400(served, body, pointer, detail):
    answer = served.client.post("/predict/entities", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": detail}]


def test_only_the_failing_input_is_named(served):
    answer = served.ask({"text": "ok"}, {"text": ""})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/inputs/1/text"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"inputs": [{"text": NaN}]}', 400), (b"{", 400), (b"x" * 10_000_000, 413)],
)
def test_a_body_that_cannot_be_read(served, body, status):
    answer = served.send(body)
    assert answer.status_code == status
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("😀😀😀", []),
        ("-500 rupees", ["500 rupees"]),
        ("pay\r\n\t₹500\nplease", ["₹500"]),
        ("₹५०० 🎉 भेजो", ["₹५००"]),
        ("pay ₹500 on 31/12/2150", ["₹500", "31/12/2150"]),
        ("\u202e₹500", ["₹500"]),
        ("e\u0301\u0301 ₹500", ["₹500"]),
    ],
)
def test_odd_texts_are_answered(served, text, expected):
    answer = served.ask({"text": text, "now": NOW})
    assert answer.status_code == 200
    found = [entity["text"] for entity in answer.json()[0]["entities"] if entity["type"] in {"MONEY", "DATE"}]
    assert found == expected


def test_ready_once_a_text_was_read(served):
    assert served.client.get("/readyz").status_code == 200


def test_a_changed_model_is_not_served(served):
    with (
        served.changed("catalogue.json"),
        pytest.raises(IntegrityError, match=r"catalogue\.json was changed"),
    ):
        served.service.inner()
