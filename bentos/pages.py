"""The pages beside the models' routes: what is served, how it is, what it counts, and its description."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bentos.front import Front
from bentos.health import OK
from bentos.openapi import document
from bentos.problems import EMPTY_BODY, Refusal, field_errors
from finml.access.scopes import FEEDBACK, FEEDBACK_ALL
from finml.errors import MonitoringError
from finml.monitoring.outcomes import FeedbackRequest

log = structlog.get_logger(__name__)

DOCS = Path(__file__).with_name("docs.html")
PATHS = (
    "/",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/models",
    "/routing",
    "/feedback",
    "/docs",
    "/docs.json",
)


def failing(found: Mapping[str, Any]) -> Refusal:
    """What health found, as a problem that still says which dependencies fail."""
    more = {name: value for name, value in found.items() if name != "status"}
    return Refusal(503, detail="A dependency that is needed fails.", more=more)


def pages(front: Callable[[], Front]) -> Starlette:
    """The application that answers on `PATHS`; `front` gives the state of the process."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        here = front()
        if here.draining:
            raise Refusal(503, detail="This process is about to stop.")
        ready, found = await here.health.readyz()
        if not ready:
            raise failing(found)
        return JSONResponse(found)

    async def healthz(_: Request) -> Response:
        status, found = await front().health.healthz()
        if status != OK:
            raise failing(found)
        return JSONResponse(found)

    async def metrics(_: Request) -> Response:
        counted = front().metrics
        counted.flush()
        content, media_type = await run_in_threadpool(counted.page)
        return Response(content, media_type=media_type)

    async def models(_: Request) -> Response:
        """Name, version, variant, hash of the manifest, lineage, and the figures that the gate saw."""
        return JSONResponse(front().release.model_dump(mode="json", include={"models"}))

    async def routing(_: Request) -> Response:
        return JSONResponse(front().router.shown())

    async def feedback(request: Request) -> Response:
        """Outcomes, which are joined to predictions by their request ids and callers."""
        body = await request.body()
        if not body:
            raise Refusal(400, errors=[EMPTY_BODY])
        try:
            items = FeedbackRequest.model_validate_json(body, strict=True).items
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            raise Refusal(400, errors=field_errors(map(without_model, found))) from None
        caller = request.scope["finml.caller"].caller
        models, allow = {item.model for item in items}, caller.scopes.allow
        if not all(allow(model, FEEDBACK) for model in models):
            raise Refusal(403)
        of_anybody = [model for model in models if allow(model, FEEDBACK_ALL)]
        try:
            await run_in_threadpool(front().feedback.add, items, caller.id, of_anybody=of_anybody)
        except MonitoringError as error:
            log.error("feedback_not_stored", message=str(error), hint=error.hint)
            raise Refusal(503, detail="Outcomes cannot be stored now; try again.") from None
        return JSONResponse({"taken": len(items)}, 202)

    async def docs(_: Request) -> Response:
        return HTMLResponse(DOCS.read_text(encoding="utf-8"))

    async def docs_json(_: Request) -> Response:
        return Response(json.dumps(document(front())), media_type="application/json")

    async def index(_: Request) -> Response:
        return RedirectResponse("/docs")

    gets = {
        "/": index,
        "/livez": livez,
        "/readyz": readyz,
        "/healthz": healthz,
        "/metrics": metrics,
        "/models": models,
        "/routing": routing,
        "/docs": docs,
        "/docs.json": docs_json,
    }
    routes = [Route(path, page, methods=["GET"]) for path, page in gets.items()]
    return Starlette(routes=[*routes, Route("/feedback", feedback, methods=["POST"])])


def without_model(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """An error of an outcome at its place in the request: the contract's choice by model is no part of it."""
    place = error["loc"]
    named = len(place) >= 3 and place[0] == "items"
    return {**error, "loc": (*place[:2], *place[3:]) if named else place}
