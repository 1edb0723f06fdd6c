"""The edge of the HTTP service: problem documents (RFC 9457), request ids, limits, the access log.

BentoML answers an error in one of four shapes, one of them text. This middleware lets an answer below 400
through as it is and replaces every other by an `application/problem+json` document. No stack trace leaves
the server.
"""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Probes and scrapes come every few seconds and say nothing in an access log.
QUIET_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})

# status: (last part of the problem's type, what the caller should know or do)
PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("invalid-request", "The request breaks the contract; `errors` names each failing field."),
    404: ("not-found", "There is nothing at this path; `GET /docs.json` lists what there is."),
    405: ("method-not-allowed", "This path does not take this method; the Allow header names its own."),
    408: ("request-timeout", "The request's body did not arrive in time."),
    413: ("body-too-large", "The request's body is larger than this service takes; send fewer inputs."),
    415: ("unsupported-media-type", "Send the body as `application/json`."),
    422: ("cannot-be-scored", "The request is well formed but cannot be scored."),
    429: ("too-many-requests", "Too many requests; wait before the next one."),
    500: ("internal-error", "The service failed; its log has the cause under this request id."),
    503: ("unavailable", "Starting, overloaded, or the feature store does not answer; try again."),
    504: ("timeout", "The answer was not ready in time; try again, or send fewer inputs."),
}


def problem(status: int, request_id: str, errors: Iterable[dict[str, str]] = ()) -> bytes:
    """One problem document, as the bytes of a response body.

    Args:
        status: HTTP status.
        request_id: id that the log and the response header carry too.
        errors: one `{"pointer", "detail"}` a failing field; the pointer is a JSON pointer into the request.
    """
    slug, sentence = PROBLEMS.get(status, ("about:blank", HTTPStatus(status).description))
    document: dict[str, Any] = {
        "type": slug if slug == "about:blank" else f"urn:finml:problem:{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "request_id": request_id,
    }
    if listed := list(errors):
        document["errors"] = listed
    return json.dumps(document).encode()


def field_errors(body: bytes) -> list[dict[str, str]]:
    """The failing fields that a BentoML validation answer names; empty for any other body."""
    try:
        details = json.loads(body)["detail"]
        return [
            {"pointer": json_pointer(error["loc"]), "detail": error["msg"].removeprefix("Value error, ")}
            for error in details
        ]
    except (ValueError, TypeError, KeyError):
        return []


def json_pointer(location: Iterable[str | int]) -> str:
    """`("inputs", 0, "loan_amount")` as the URI fragment `#/inputs/0/loan_amount` (RFC 6901)."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


class ProblemMiddleware:
    """ASGI middleware around the whole service.

    Args:
        app: the service.
        max_body_bytes: a larger body is answered 413, before anything is parsed.
        timeout_s: seconds from a request's first byte to its answer's, then 504 (408 while the body arrives).
    """

    def __init__(self, app: App, *, max_body_bytes: int = 1 << 20, timeout_s: float = 10.0) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        answer = _Answer(send, request_id(headers))
        with structlog.contextvars.bound_contextvars(request_id=answer.request_id):
            await self._answer(scope, headers, receive, answer)
            if scope["path"] not in QUIET_PATHS:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=answer.status,
                    ms=round((time.perf_counter() - started) * 1000, 2),
                )

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer"
    ) -> None:
        body: bytes | None = None
        try:
            async with asyncio.timeout(self.timeout_s) as deadline:
                refusal = self._refusal(scope, headers)
                if not refusal:
                    body = await read_body(receive, self.max_body_bytes)
                    refusal = 413 if body is None else 0
                if refusal:
                    await answer.finish(refusal)
                    return
                await self.app(scope, replay(body or b"", receive), answer.send)
        except ClientGoneError:
            answer.status = 499
            return
        except Exception:
            if answer.started:
                raise
            if not deadline.expired():
                log.exception("request_failed", path=scope["path"])
                await answer.finish(500)
                return
        # a cancelled call may still end with an answer of its own (BentoML's batching queue makes it a 503)
        if deadline.expired() and not answer.started:
            await answer.finish(408 if body is None else 504)
        else:
            await answer.finish()

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> int:
        """Status of a request that is refused unread, or 0."""
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return 0
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.max_body_bytes:
            return 413
        # anything but JSON would reach BentoML's form and pickle readers
        media_type = headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
        return 0 if media_type == b"application/json" else 415


class _Answer:
    """Sends an answer on its way: at once below 400, as a problem document above."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0
        self.started = False
        self._headers: Headers = []
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Take a message from the service."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = list(message.get("headers", []))
            if self.status < 400:
                self.started = True
                await self._send({**message, "headers": [*self._headers, self._id_header]})
        elif self.started:
            await self._send(message)
        else:
            self._body += message.get("body", b"")

    async def finish(self, status: int = 0) -> None:
        """End an answer that is an error; `status` replaces whatever the service said."""
        if self.started:
            return
        kept = [] if status else [h for h in self._headers if h[0].lower() not in REPLACED_HEADERS]
        errors = field_errors(bytes(self._body)) if self.status == 400 and not status else []
        self.status = status or self.status or 500
        document = problem(self.status, self.request_id, errors=errors)
        if self.status in (429, 503) and not any(name.lower() == b"retry-after" for name, _ in kept):
            kept.append((b"retry-after", b"1"))
        kept += [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(document)).encode()),
            self._id_header,
        ]
        self.started = True
        await self._send({"type": "http.response.start", "status": self.status, "headers": kept})
        await self._send({"type": "http.response.body", "body": document})

    @property
    def _id_header(self) -> tuple[bytes, bytes]:
        return (b"x-request-id", self.request_id.encode())


REPLACED_HEADERS = frozenset({b"content-type", b"content-length", b"x-request-id"})


def request_id(headers: dict[bytes, bytes]) -> str:
    """The caller's `X-Request-ID` where it is harmless in a log, else a new one."""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class ClientGoneError(Exception):
    """The caller hung up before the request was complete."""


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or `None` when it is longer than `limit` bytes.

    Raises:
        ClientGoneError: the caller hung up before the end.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out a body that was read already, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
