"""What callers tell by `POST /feedback`: who may, of which models, and when it cannot be kept."""

import pytest
from starlette.applications import Starlette

from bentos.edge import Edge
from bentos.pages import PATHS, pages
from finml.access.key_store import KeyStore
from finml.errors import MonitoringError
from finml.settings import Settings
from tests.bentos.edges import Desk

ONE, OTHER = "1" * 32, "2" * 32
LOAN = {"request_id": ONE, "model": "credit_risk", "defaulted": True}
MESSAGE = {"request_id": OTHER, "model": "intent", "intent": "balance"}


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, auth="required", keys_file="", keys_secret="", inference_log="off")


def tell(settings, scope: str, items, *, harm=lambda desk: None):
    """The answer to outcomes told by a key of that scope, and how many are stored then."""
    key = KeyStore(settings).create("a caller", [scope])
    desk = Desk(settings)
    desk.edge = Edge(Starlette(), pages=pages(lambda: desk.front), page_paths=PATHS, front=lambda: desk.front)
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
