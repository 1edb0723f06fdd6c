"""The OpenAPI document of this process, made from the very contracts that requests are checked by."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bentos.problems import PROBLEMS
from bentos.routes import Route

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
ID_HEADERS = {
    "X-Request-ID": {
        "description": "the request's own id, by which outcomes name its predictions",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "X-Correlation-ID": {
        "description": "the caller's own id, from the request's header of this name or X-Request-ID",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
}
STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
CHECK = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean"},
        "required": {"type": "boolean"},
        "latency_ms": {"type": "number", "minimum": 0},
        "error": {"type": "string", "description": "kind of error, where there is one"},
    },
    "required": ["ok", "required", "latency_ms"],
}
HEALTH = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "degraded"]},
        "checks": {"type": "object", "additionalProperties": CHECK},
    },
    "required": ["status", "checks"],
}
RELEASED = {
    "type": "object",
    "properties": {"models": {"type": "array", "items": {"type": "object"}}},
    "required": ["models"],
}
ROUTED = {
    "type": "object",
    "properties": {
        "models": {"type": "object", "additionalProperties": {"type": "object"}},
        "error": {"type": ["string", "null"]},
    },
    "required": ["models", "error"],
}
GUARDED = (401, 403, 429, 500, 503, 504)
MODEL_STATUSES = (400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 504)


@lru_cache(maxsize=4)
def document(front: "Front") -> dict[str, Any]:
    """The document, version 3.1."""
    from finml.monitoring.outcomes import FeedbackRequest

    routes = list(front.routes.values())
    requests = {route.path: route.request_type for route in routes}
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


# path: (what it answers, its form (text where there is none), whether it is open, statuses beside 200)
PAGES: Mapping[str, tuple[str, Mapping[str, Any] | None, bool, tuple[int, ...]]] = {
    "/models": (
        "What is served: versions, variants, lineage, the figures that the gate saw.",
        RELEASED,
        False,
        GUARDED,
    ),
    "/routing": ("Which version answers whom.", ROUTED, False, GUARDED),
    "/metrics": ("Figures for Prometheus.", None, False, GUARDED),
    "/livez": ("The process answers.", STATUS, True, ()),
    "/readyz": (
        "Every model has just scored a row, or `failing` names it.",
        STATUS,
        True,
        (503,),
    ),
    "/healthz": ("Each dependency with its latency, in `checks`.", HEALTH, True, (503,)),
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
                "headers": ID_HEADERS,
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
            "202": {
                "description": "taken",
                "headers": ID_HEADERS,
                "content": {"application/json": {"schema": taken}},
            },
            **problems((400, 401, 403, 408, 413, 415, 429, 500, 503, 504)),
        },
    }


def page_operation(
    path: str, page: tuple[str, Mapping[str, Any] | None, bool, tuple[int, ...]]
) -> dict[str, Any]:
    """A page."""
    words, schema, is_open, statuses = page
    content = {"application/json": {"schema": schema}} if schema else {"text/plain": {}}
    found: dict[str, Any] = {
        "operationId": path.strip("/"),
        "tags": ["service"],
        "summary": words,
        "responses": {
            "200": {"description": "so it is", "headers": ID_HEADERS, "content": content},
            **problems(statuses),
        },
    }
    if is_open:
        found["security"] = []
    return found


def problems(statuses: tuple[int, ...]) -> dict[str, Any]:
    """Responses that are problem documents."""
    schema = {"$ref": REF.format(model="Problem")}
    return {
        str(status): {
            "description": PROBLEMS[status][1],
            "headers": ID_HEADERS,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
