"""What callers tell by `POST /feedback`: who may, of which models, and when it cannot be kept."""

import asyncio
import threading

import pytest
from starlette.applications import Starlette

from bentos.edge import Edge
from bentos.pages import PATHS, pages
from finml.access.key_store import KeyStore
from finml.errors import MonitoringError
from finml.monitoring.inference_log import InferenceLog
from finml.monitoring.sinks import SinkUnavailableError
from finml.settings import Settings
from tests.bentos.edges import Desk

ONE, OTHER = "1" * 32, "2" * 32
LOAN = {"request_id": ONE, "model": "credit_risk", "defaulted": True}
MESSAGE = {"request_id": OTHER, "model": "intent", "intent": "balance"}


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, auth="required", keys_file="", keys_secret="", inference_log="off")


def with_pages(settings, **options) -> Desk:
    desk = Desk(settings, **options)
    desk.edge = Edge(Starlette(), pages=pages(lambda: desk.front), page_paths=PATHS, front=lambda: desk.front)
    return desk


def tell(settings, scope: str, items, *, harm=lambda desk: None):
    """The answer to outcomes told by a key of that scope, and how many are stored then."""
    key = KeyStore(settings).create("a caller", [scope])
    desk = with_pages(settings)
    harm(desk)
    answer = desk.call("POST", "/feedback", json={"items": items}, headers={"x-api-key": key.text})
    stored = sum(len(desk.front.feedback.latest(model)) for model in ("credit_risk", "intent"))
    return answer, stored


@pytest.mark.parametrize(
    ("scope", "items", "status", "stored"),
    [
        ("credit_risk:feedback", [LOAN], 202, 1),
        ("*:feedback", [LOAN, MESSAGE], 202, 2),
        ("credit_risk:feedback-all", [LOAN], 202, 1),
        ("credit_risk:feedback-all", [LOAN, MESSAGE], 403, 0),
        ("intent:*", [MESSAGE], 202, 1),
        ("intent:feedback", [LOAN], 403, 0),
        ("intent:feedback", [MESSAGE, LOAN], 403, 0),
        ("*:predict", [LOAN], 403, 0),
        ("*:feedback", [LOAN | {"defaulted": "yes"}], 400, 0),
        ("*:feedback", [], 400, 0),
    ],
)
def test_outcomes_are_taken_of_the_models_that_the_key_is_for(settings, scope, items, status, stored):
    answer, found = tell(settings, scope, items)
    assert (answer.status_code, found) == (status, stored)
    assert answer.json().get("taken") == (stored or None)


@pytest.mark.parametrize(
    ("scopes", "of_anybody"),
    [
        (["*:*"], False),
        (["credit_risk:*"], False),
        (["*:feedback"], False),
        (["intent:feedback-all", "credit_risk:*"], False),
        (["*:feedback-all"], True),
        (["*:*", "credit_risk:feedback-all"], True),
    ],
)
def test_outcomes_of_what_others_asked_need_a_scope_that_names_it(settings, scopes, of_anybody):
    key = KeyStore(settings).create("a caller", scopes)
    desk = with_pages(settings)
    answer = desk.call("POST", "/feedback", json={"items": [LOAN]}, headers={"x-api-key": key.text})
    assert answer.status_code == 202
    assert desk.front.feedback.latest("credit_risk").of_anybody.tolist() == [of_anybody]


def test_outcomes_that_cannot_be_stored_are_not_taken(settings):
    def harm(desk):
        def add(items, caller, of_anybody):
            raise MonitoringError("secret host is away")

        desk.front.feedback.add = add

    answer, _ = tell(settings, "*:feedback", [LOAN], harm=harm)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "secret host" not in answer.text


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"request_id": ONE, "model": "credit_risk"}, "#/items/0/defaulted"),
        ({"request_id": ONE, "model": "entities"}, "#/items/0"),
        ({"request_id": ONE}, "#/items/0"),
        (LOAN | {"request_id": "order-66"}, "#/items/0/request_id"),
    ],
)
def test_a_bad_outcome_is_named_at_its_place_in_the_request(settings, item, pointer):
    answer, stored = tell(settings, "*:feedback", [item])
    assert (answer.status_code, stored) == (400, 0)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


class Away:
    """A sink that takes nothing until it is back."""

    def __init__(self):
        self.back = threading.Event()

    def write(self, rows):
        if not self.back.is_set():
            raise SinkUnavailableError("the disk is full")

    def close(self):
        pass


def test_an_inference_log_that_cannot_be_written_is_said(settings, monkeypatch):
    monkeypatch.setattr("bentos.front.STATE_S", 0.01)
    settings = settings.model_copy(update={"auth": "open"})
    sink = Away()
    desk = with_pages(settings, logged=InferenceLog(settings, sink=sink, flush_s=0.01))

    async def calls(client):
        async def until(path: str, *words: str):
            async with asyncio.timeout(30):
                while True:
                    answer = await client.get(path)
                    if all(word in answer.text for word in words):
                        return answer
                    await asyncio.sleep(0.01)

        await client.post("/predict/doubling", json={"inputs": [{"number": 1}, {"number": 2}]})
        degraded = await until("/healthz", '"degraded"')
        ready = await client.get("/readyz")
        no_shadows = [f'what="shadows_{what}"}} 0.0' for what in ("dropped", "failed")]
        await until("/metrics", 'what="inference_log_queued"} 2.0', *no_shadows)
        sink.back.set()
        healthy = await until("/healthz", '"status":"ok"')
        await until("/metrics", 'what="inference_log_queued"} 0.0', 'what="inference_log_written"} 2.0')
        return degraded, ready, healthy

    degraded, ready, healthy = desk.run(calls)
    assert [answer.status_code for answer in (degraded, ready, healthy)] == [200, 200, 200]
    found = [answer.json()["checks"]["inference_log"] for answer in (degraded, healthy)]
    assert [(one["ok"], one["required"], one.get("error")) for one in found] == [
        (False, False, "MonitoringError"),
        (True, False, None),
    ]


def test_outcomes_without_a_body_are_named(settings):
    key = KeyStore(settings).create("a caller", ["*:feedback"])
    headers = {"x-api-key": key.text, "content-type": "application/json"}
    answer = with_pages(settings).call("POST", "/feedback", content=b"", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "#", "detail": "The body is empty"}]
