"""What the HTTP API of `intent` answers, from its class in this process over a small model."""

import pytest

from bentos.intent import API, IntentScorer
from finml.errors import IntegrityError
from finml.models.base import TrainOptions, get_model
from finml.models.intent.contract import IntentInput
from finml.models.intent.explain import MOST_WORDS
from finml.models.intent.runtime import IntentPredictor
from tests.bentos.alone import alone
from tests.models.intent.messages import messages

pytestmark = pytest.mark.xdist_group("bento")

SPEC = "intent@4"
LENGTH = "String should have at {} characters"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model = get_model("intent")
    if lacking := model.missing_weights():
        pytest.skip(lacking[0])
    folder = tmp_path_factory.mktemp("intent") / "model"
    params = {"epochs": 2, "batch": 16, "learning_rate": 3e-4, "refit": False}
    model.train(model.training_frame(messages(40, outside=20)), folder, TrainOptions(params=params))
    return folder


@pytest.fixture(scope="module")
def scorer(trained) -> IntentScorer:
    return IntentScorer(IntentPredictor.load(trained), SPEC)


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    with alone(API, trained, tmp_path_factory.mktemp("alone")) as served:
        yield served


def ask(served, *texts: object, action: str = "predict"):
    return served.ask(*({"text": text} for text in texts), action=action)


def leaves(answer: object) -> list:
    """All that an answer says, in order, to be compared within a tolerance."""
    if isinstance(answer, dict):
        return [leaf for key in sorted(answer) for leaf in leaves(answer[key])]
    if isinstance(answer, list):
        return [leaf for one in answer for leaf in leaves(one)]
    return [answer]


def test_an_answer_says_all_there_is_to_say(served):
    (answer,) = ask(served, "  block my credit card ").json()
    assert answer["intent"] == "card_block"
    assert answer["intents"] == ([] if answer["out_of_scope"] else ["card_block"])
    assert answer["alternatives"][0] == {"intent": "card_block", "confidence": answer["confidence"]}
    assert len(answer["alternatives"]) == 3
    assert answer["out_of_scope"] == (answer["scope_score"] < 0)
    assert answer["model_version"] == SPEC


@pytest.mark.parametrize("action", ["predict", "explain"])
def test_a_hundred_answers_are_those_of_this_process(served, scorer, action):
    texts = messages()["text"].sample(100, random_state=1).tolist()
    answers = [
        answer
        for start in range(0, 100, 32)
        for answer in ask(served, *texts[start : start + 32], action=action).json()
    ]
    expected = getattr(scorer, action)([IntentInput(text=text) for text in texts])
    # the rounding of the encoder depends on the batch; what is decided does not
    assert leaves(answers) == pytest.approx(
        leaves([one.model_dump(mode="json") for one in expected]), abs=1e-5
    )


def test_an_explanation_points_at_the_stripped_text(served):
    (answer,) = ask(served, "  please block my credit card  ", action="explain").json()
    text = "please block my credit card"
    assert [text[word["start"] : word["end"]] for word in answer["words"]] == text.split()
    assert not answer["capped"]
    (long,) = ask(served, "pin " * 30, action="explain").json()
    assert long["capped"]
    assert len(long["words"]) == MOST_WORDS


def test_it_is_ready_and_alive(served):
    assert served.client.get("/readyz").status_code == served.client.get("/livez").status_code == 200


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", LENGTH.format("least 3")),
        ("ab", LENGTH.format("least 3")),
        ("  a \n ", LENGTH.format("least 3")),
        ("x" * 513, LENGTH.format("most 512")),
        (None, "Input should be a valid string"),
        (42, "Input should be a valid string"),
        (True, "Input should be a valid string"),
        (["my card"], "Input should be a valid string"),
        ({"text": "my card"}, "Input should be a valid string"),
        ("null \0 byte", "must not hold control characters"),
        ("bell \a here", "must not hold control characters"),
        ("escape \x1b[31m", "must not hold control characters"),
        ("delete \x7f", "must not hold control characters"),
    ],
)
@pytest.mark.parametrize("action", ["predict", "explain"])
def test_a_text_that_cannot_be_meant_is_named(served, action, text, detail):
    answer = ask(served, "a good one", text, action=action)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"pointer": "#/inputs/1/text", "detail": detail}]


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({}, "#/inputs", "Field required"),
        ({"inputs": None}, "#/inputs", "Input should be a valid array"),
        ({"inputs": {"text": "my card"}}, "#/inputs", "Input should be a valid array"),
        ({"inputs": []}, "#/inputs", "List should have at least 1 item after validation, not 0"),
        ({"inputs": [{"text": "my card"}], "more": 1}, "#/more", "Extra inputs are not permitted"),
        (
            {"inputs": [{"text": "my card"}] * 33},
            "#/inputs",
            "List should have at most 32 items after validation, not 33",
        ),
        (
            {"inputs": ["my card"]},
            "#/inputs/0",
            "Input should be an object",
        ),
        ({"inputs": [{}]}, "#/inputs/0/text", "Field required"),
        (
            {"inputs": [{"text": "my card", "user_id": "u1"}]},
            "#/inputs/0/user_id",
            "Extra inputs are not permitted",
        ),
    ],
)
def test_a_request_of_another_shape_is_named(served, body, pointer, detail):
    answer = served.client.post("/predict/intent", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": detail}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b'{"inputs": [{"text": NaN}]}', 400),
        (b'{"inputs": [{"text": "half \\ud800 pair"}]}', 400),
        (b'{"inputs": [{"text": "\xff\xfe my card"}]}', 400),
        (b'{"inputs": [{"text": "' + b"x" * 10_000_000 + b'"}]}', 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(served, body, status):
    answer = served.send(body)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "text",
    [
        "\N{MONEY BAG}\N{MONEY BAG}\N{MONEY BAG}",
        "???",
        "मेरा बैलेंस कितना है?",
        "mera balance kitna hai",
        "x" * 512,
        "a\nb\tc",
    ],
)
def test_what_people_write_is_answered(served, text):
    (answer,) = ask(served, text).json()
    assert 0 <= answer["confidence"] <= 1


def test_a_bad_text_spoils_nobody_else_s_answer(served):
    assert ask(served, "\0\0\0").status_code == 400
    assert ask(served, "block my credit card").status_code == 200


def test_a_service_whose_model_was_changed_does_not_start(served):
    with served.changed("head.npz"), pytest.raises(IntegrityError, match=r"head\.npz was changed"):
        served.service.inner()
