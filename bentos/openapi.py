"""The OpenAPI document of this process, made from the very contracts that requests are checked by."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bentos.problems import PROBLEMS
from bentos.routes import Route, request_type

if TYPE_CHECKING:
    from bentos.front import Front

REF = "#/components/schemas/{model}"
PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["pointer", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "request_id"],
}
GUARDED = (401, 403, 429, 500, 503, 504)
MODEL_STATUSES = (400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 504)


@lru_cache(maxsize=4)
def document(front: "Front") -> dict[str, Any]:
    """The document, version 3.1."""
    from finml.monitoring.outcomes import FeedbackRequest

    routes = list(front.routes.values())
    requests = {route.path: request_type(route.model.serving, route.action) for route in routes}
    answers = {route.path: route.answer_type for route in routes}
    kinds: list[type[BaseModel]] = [*requests.values(), FeedbackRequest]
    references, definitions = models_json_schema(
        [*((kind, "validation") for kind in kinds), *((kind, "serialization") for kind in answers.values())],
        ref_template=REF,
    )
    schemas = {"Problem": PROBLEM, **definitions.get("$defs", {})}
    paths = {
        route.path: {
            "post": model_operation(
                route,
                references[requests[route.path], "validation"],
                references[answers[route.path], "serialization"],
            )
        }
        for route in routes
    }
    paths["/feedback"] = {"post": feedback_operation(references[FeedbackRequest, "validation"])}
    paths |= {path: {"get": page_operation(path, words)} for path, words in PAGES.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "finance",
            "version": ", ".join(model.spec for model in front.release.models),
            "description": "finml's models over HTTP. Every answer names the model version that gave it.",
        },
        "security": [{"key": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


# path: (what it answers, whether it is open, statuses beside 200)
PAGES: Mapping[str, tuple[str, bool, tuple[int, ...]]] = {
    "/models": (
        "What is served: versions, variants, lineage, the figures that the gate saw.",
        False,
        GUARDED,
    ),
    "/routing": ("Which version answers whom.", False, GUARDED),
    "/metrics": ("Figures for Prometheus.", False, GUARDED),
    "/livez": ("The process answers.", True, ()),
    "/readyz": ("Every model has just scored a row.", True, (503,)),
    "/healthz": ("Each dependency with its latency.", True, (503,)),
}


def model_operation(route: Route, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """A model's route."""
    words = (
        route.model.serving.explanation if route.action == "explain" else route.model.serving.output
    ).__doc__
    return {
        "operationId": route.path.strip("/").replace("/", "_"),
        "tags": [route.model.name],
        "summary": f"{route.action.title()}: {route.model.name}",
        "description": f"{words} One answer an input, in the same order.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {
                "description": "one answer an input",
                "content": {"application/json": {"schema": {"type": "array", "items": answer}}},
            },
            **problems(MODEL_STATUSES),
        },
    }


def feedback_operation(request: Mapping[str, Any]) -> dict[str, Any]:
    """Where outcomes go."""
    taken = {"type": "object", "properties": {"taken": {"type": "integer"}}, "required": ["taken"]}
    return {
        "operationId": "feedback",
        "tags": ["service"],
        "summary": "What came of predictions",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "202": {"description": "taken", "content": {"application/json": {"schema": taken}}},
            **problems((400, 401, 403, 408, 413, 415, 429, 500, 503, 504)),
        },
    }


def page_operation(path: str, page: tuple[str, bool, tuple[int, ...]]) -> dict[str, Any]:
    """A page."""
    words, is_open, statuses = page
    media_type = "text/plain" if path == "/metrics" else "application/json"
    found: dict[str, Any] = {
        "operationId": path.strip("/"),
        "tags": ["service"],
        "summary": words,
        "responses": {"200": {"description": "so it is", "content": {media_type: {}}}, **problems(statuses)},
    }
    if path in ("/readyz", "/healthz"):
        # what is wrong is said in the page's own form
        found["responses"]["503"] = {"description": "not now", "content": {"application/json": {}}}
    if is_open:
        found["security"] = []
    return found


def problems(statuses: tuple[int, ...]) -> dict[str, Any]:
    """Responses that are problem documents."""
    schema = {"$ref": REF.format(model="Problem")}
    return {
        str(status): {
            "description": PROBLEMS[status][1],
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
