"""An application that misbehaves in every way that an edge before it must handle."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")


async def unavailable(_: Request) -> Response:
    return PlainTextResponse("queue full, see /srv/app.py line 3", status_code=503)


async def raises(_: Request) -> Response:
    raise RuntimeError("secret path /srv/model")


async def hangs(_: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def swallows_cancellation(_: Request) -> Response:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return JSONResponse({"error": "process is overloaded"}, status_code=503)
    raise AssertionError


async def breaks_midway(_: Request) -> Response:
    async def parts():
        yield b"half"
        raise RuntimeError("too late for another status")

    return StreamingResponse(parts())


async def teapot(_: Request) -> Response:
    return PlainTextResponse("odd", status_code=418)


MISBEHAVING = Starlette(
    routes=[
        Route(f"/{handler.__name__}", handler, methods=["POST"])
        for handler in (echo, unavailable, raises, hangs, swallows_cancellation, breaks_midway, teapot)
    ]
)
