"""What the HTTP API of `intent` answers, from its class in this process over a small model."""

import shutil
from pathlib import Path

import bentoml
import pytest
from starlette.testclient import TestClient

from bentos import release
from bentos.intent import API, IntentScorer
from bentos.problems import ProblemMiddleware
from bentos.quiet import quieten_bentoml
from bentos.release import MODEL_FILES, Release, ReleasedModel
from finml.errors import IntegrityError
from finml.models.base import TrainOptions, get_model
from finml.models.intent.contract import IntentExplanation, IntentInput, IntentOutput
from finml.models.intent.explain import MOST_WORDS
from finml.models.intent.runtime import IntentPredictor
from finml.registry.manifest import write_manifest
from tests.models.intent.messages import messages

pytestmark = pytest.mark.xdist_group("bento")

SPEC = "intent@3"
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
def service(trained, tmp_path_factory):
    """The service as a Bento with this one model would run it."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    home = tmp_path_factory.mktemp("bento")
    patch = pytest.MonkeyPatch()
    patch.setattr(release, "SERVING", home)
    (home / "store").mkdir()
    BentoMLContainer.model_store.set(ModelStore(home / "store"))
    with bentoml.models.create("intent:3") as stored:
        files = Path(stored.path_of(MODEL_FILES))
        shutil.copytree(trained, files)
        digest = write_manifest(files)
    model = ReleasedModel(
        name="intent", version=3, manifest_sha256=digest, run_id="r", git_commit="c", data_hash="d", gate=[]
    )
    Release(project="test", models=[model]).write(home)

    @bentoml.service(name="intent_only", logging={"access": {"enabled": False}}, metrics={"enabled": False})
    class IntentOnly(API):
        """Intents and nothing else."""

        def __init__(self) -> None:
            quieten_bentoml()
            super().__init__()
            self.warm_up()

    IntentOnly.add_asgi_middleware(ProblemMiddleware)
    yield IntentOnly, home
    BentoMLContainer.model_store.reset()
    patch.undo()


@pytest.fixture(scope="module")
def client(service):
    with TestClient(service[0].to_asgi(), raise_server_exceptions=False) as client:
        yield client


def ask(client, *texts: object, action: str = "predict"):
    return client.post(f"/{action}/intent", json={"inputs": [{"text": text} for text in texts]})


def test_an_answer_says_all_there_is_to_say(client):
    (answer,) = ask(client, "  block my credit card ").json()
    assert answer["intent"] == "card_block"
    assert answer["intents"] == ([] if answer["out_of_scope"] else ["card_block"])
    assert answer["alternatives"][0] == {"intent": "card_block", "confidence": answer["confidence"]}
    assert len(answer["alternatives"]) == 3
    assert answer["out_of_scope"] == (answer["scope_score"] < 0)
    assert answer["model_version"] == SPEC


@pytest.mark.parametrize(("action", "kind"), [("predict", IntentOutput), ("explain", IntentExplanation)])
def test_a_hundred_answers_are_those_of_this_process(client, scorer, action, kind):
    texts = messages()["text"].sample(100, random_state=1).tolist()
    answers = [
        kind.model_validate(answer)
        for start in range(0, 100, 32)
        for answer in ask(client, *texts[start : start + 32], action=action).json()
    ]
    assert answers == getattr(scorer, action)([IntentInput(text=text) for text in texts])


def test_an_explanation_points_at_the_stripped_text(client):
    (answer,) = ask(client, "  please block my credit card  ", action="explain").json()
    text = "please block my credit card"
    assert [text[word["start"] : word["end"]] for word in answer["words"]] == text.split()
    assert not answer["capped"]
    (long,) = ask(client, "card " * 30, action="explain").json()
    assert long["capped"]
    assert len(long["words"]) == MOST_WORDS


def test_it_is_ready_and_alive(client):
    assert client.get("/readyz").status_code == client.get("/livez").status_code == 200


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
def test_a_text_that_cannot_be_meant_is_named(client, action, text, detail):
    answer = ask(client, "a good one", text, action=action)
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
def test_a_request_of_another_shape_is_named(client, body, pointer, detail):
    answer = client.post("/predict/intent", json=body)
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
def test_a_body_that_cannot_be_read_is_refused(client, body, status):
    answer = client.post("/predict/intent", content=body, headers={"content-type": "application/json"})
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
def test_what_people_write_is_answered(client, text):
    (answer,) = ask(client, text).json()
    assert 0 <= answer["confidence"] <= 1


def test_a_bad_text_spoils_nobody_else_s_answer(client):
    assert ask(client, "\0\0\0").status_code == 400
    assert ask(client, "block my credit card").status_code == 200


def test_a_service_whose_model_was_changed_does_not_start(client, service):
    alone, home = service
    (file,) = home.rglob("head.npz")
    before = file.read_bytes()
    file.write_bytes(before + b"\0")
    try:
        with pytest.raises(IntegrityError, match=r"head\.npz was changed"):
            alone.inner()
    finally:
        file.write_bytes(before)
