"""The edge that a service is given, and the one around its whole application."""

import asyncio

import bentoml

from bentos import fronted
from bentos.fronted import OPTIONS, outermost, put_edge_before
from finml.settings import Settings
from tests.bentos.edges import Desk


def test_the_edge_around_all_has_the_limits_of_the_services_own(tmp_path, monkeypatch):
    desk = Desk(Settings(home=tmp_path, auth="open", inference_log="off"))
    monkeypatch.setattr(fronted, "front", lambda: desk.front)

    @bentoml.service(name="hurried", **OPTIONS)
    class Hurried:
        """Has no model; what is asked here never gets that far."""

    put_edge_before(Hurried, timeout_s=0.1)
    sent = []

    async def send(message) -> None:
        sent.append(message)

    async def endless() -> None:
        await asyncio.Event().wait()

    async def ask(_) -> None:
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/predict/doubling", "headers": headers}
        await asyncio.wait_for(outermost(Hurried, desk.edge)(scope, endless, send), 5)

    desk.run(ask)
    assert sent[0]["status"] == 408
