"""The pages beside the models' routes: `GET /models` and `GET /docs`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bentos.release import Release


async def models(_: Request) -> Response:
    """What is served: name, version, hash of the manifest, lineage, and the figures that the gate saw."""
    return JSONResponse(Release.read().model_dump(mode="json", include={"models"}))


async def docs(_: Request) -> Response:
    """The interactive page that BentoML makes of the OpenAPI document."""
    return RedirectResponse("/")


pages = Starlette(routes=[Route("/models", models), Route("/docs", docs)])
