"""The edge before a model and before what misbehaves: how it answers, and how it says no."""

import json

import pytest

from bentos.problems import MOST_ERRORS, Refusal, json_pointer, problem
from tests.bentos.edges import Desk


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "kind"),
    [
        ("GET", "/nothing", {}, 404, "not-found"),
        ("GET", "/echo", {}, 405, "method-not-allowed"),
        ("POST", "/echo", {"content": b"x" * 201}, 413, "body-too-large"),
        ("POST", "/echo", {"data": {"form": "1"}}, 415, "unsupported-media-type"),
        ("POST", "/echo", {"content": b"\x80", "headers": {"content-type": "application/vnd.bentoml+pickle"}},
         415, "unsupported-media-type"),
        ("POST", "/unavailable", {"json": {}}, 503, "unavailable"),
        ("POST", "/raises", {"json": {}}, 500, "internal-error"),
        ("POST", "/hangs", {"json": {}}, 504, "timeout"),
        ("POST", "/swallows_cancellation", {"json": {}}, 503, "unavailable"),
        ("POST", "/predict/doubling", {"content": b"{"}, 400, "invalid-request"),
        ("POST", "/predict/doubling", {"content": b"x" * 201}, 413, "body-too-large"),
        ("POST", "/predict/doubling", {"data": {"form": "1"}}, 415, "unsupported-media-type"),
        ("POST", "/predict/doubling", {"json": {"inputs": [{"number": -1}]}}, 422, "cannot-be-scored"),
        ("POST", "/predict/doubling", {"json": {"inputs": [{"number": -2}]}}, 503, "unavailable"),
        ("POST", "/predict/nothing", {"json": {}}, 404, "not-found"),
        # no two paths are one route, and nobody is sent elsewhere
        ("POST", "/predict/doubling/", {"json": {}}, 404, "not-found"),
        ("POST", "/echo/", {"json": {}}, 404, "not-found"),
        ("GET", "/docs/", {}, 404, "not-found"),
    ],
)  # fmt: skip
def test_every_error_is_a_problem_document(desk, method, path, request_, status, kind):  # noqa: PLR0917
    answer = desk.call(method, path, **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:finml:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    assert document["request_id"] == answer.headers["x-request-id"]
    assert "/srv" not in answer.text


def test_an_empty_body_is_named(desk):
    answer = desk.call("POST", "/predict/doubling", content=b"", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "#", "detail": "The body is empty"}]


def test_a_model_answers_item_by_item(desk):
    answer = desk.ask(1, 2, 3)
    assert answer.status_code == 200
    assert answer.json() == [{"doubled": 2 * n, "model_version": "doubling@1"} for n in (1, 2, 3)]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("#/inputs", "Field required")]),
        ({"inputs": []}, [("#/inputs", "List should have at least 1 item after validation, not 0")]),
        ({"inputs": [{}]}, [("#/inputs/0/number", "Field required")]),
        ({"inputs": [{"number": "1"}]}, [("#/inputs/0/number", "Input should be a valid integer")]),
        ({"inputs": [{"number": True}]}, [("#/inputs/0/number", "Input should be a valid integer")]),
        ({"inputs": [{"number": 1}], "more": 1}, [("#/more", "Extra inputs are not permitted")]),
    ],
)
def test_a_bad_request_names_the_field(desk, body, errors):
    answer = desk.call("POST", "/predict/doubling", json=body)
    assert answer.status_code == 400
    assert [(one["pointer"], one["detail"]) for one in answer.json()["errors"]] == errors
    assert desk.model.batches == []


def test_deep_nesting_is_a_bad_request(settings):
    body = b'{"inputs": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    answer = Desk(settings).call(
        "POST", "/predict/doubling", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400


def test_a_model_that_raises_is_a_500_that_tells_nothing(desk, capsys):
    desk.model.error = RuntimeError("secret path /srv/model")
    answer = desk.ask(1)
    assert answer.status_code == 500
    assert "/srv" not in answer.text
    assert answer.json()["request_id"] in capsys.readouterr().err


def test_a_status_without_a_kind_of_its_own_keeps_its_phrase(desk):
    assert desk.call("POST", "/teapot", json={}).json()["type"] == "about:blank"


def test_an_unavailable_service_says_when_to_come_back(desk):
    assert desk.call("POST", "/unavailable", json={}).headers["retry-after"] == "1"


def test_allowed_methods_are_named(desk):
    assert desk.call("GET", "/echo").headers["allow"] == "POST"


def test_of_very_many_errors_the_first_are_told(settings):
    body = {"inputs": [{"number": 1}]} | {f"more{place}": 1 for place in range(1000)}
    assert len(Desk(settings).call("POST", "/predict/doubling", json=body).json()["errors"]) == MOST_ERRORS


def test_pointer_escapes():
    assert json_pointer(["a/b", "~c", 0]) == "#/a~1b/~0c/0"


def test_problem_without_errors_has_no_list():
    assert "errors" not in json.loads(problem(Refusal(400), "id"))
