"""The OpenAPI document says of the pages what they answer, when all is well and when something is broken."""

import httpx
import jsonschema_rs
import pytest

from bentos.health import Health
from bentos.openapi import PAGES, document
from bentos.pages import PATHS, pages
from finml.settings import Settings
from tests.bentos.edges import Desk


def breaks() -> None:
    raise ConnectionError("redis://host:6379 is gone")


@pytest.fixture
def desk(tmp_path) -> Desk:
    desk = Desk(Settings(home=tmp_path, auth="open"))
    desk.edge.page_paths = frozenset(PATHS)
    desk.edge.pages = pages(lambda: desk.front)
    return desk


def check(desk: Desk, path: str, answer: httpx.Response) -> None:
    """Fail where an answer's status, media type or body is not the declared one."""
    described = document(desk.front)
    declared = described["paths"][path]["get"]["responses"][str(answer.status_code)]["content"]
    (media_type,) = declared
    assert answer.headers["content-type"].partition(";")[0] == media_type
    if media_type != "text/plain":
        schema = {**declared[media_type]["schema"], "components": described["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_as_declared(desk, path):
    answer = desk.call("GET", path)
    assert answer.status_code == 200
    check(desk, path, answer)


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_a_broken_dependency_is_told_as_declared(desk, path):
    desk.front.health = Health({"online_store": breaks})
    answer = desk.call("GET", path)
    assert answer.status_code == 503
    assert "online_store" in answer.text
    check(desk, path, answer)
