"""Problem documents (RFC 9457): the one form in which the service says no."""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from itertools import islice
from types import MappingProxyType
from typing import Any

from bentos.asgi import Header, Message, Send
from bentos.ids import ANSWER_HEADER, CORRELATION_HEADER, Ids

CLOSE_HEADER: Header = (b"connection", b"close")
# a body of unknown names would be answered by many times its length
MOST_ERRORS = 100

# status: (last part of the problem's type, what the caller should know or do)
PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("invalid-request", "The request breaks the contract; `errors` names each failing field."),
    401: ("unauthorized", "Send a valid API key as X-API-Key, or a bearer token."),
    403: ("forbidden", "This caller may not do this."),
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

EMPTY_BODY = {"pointer": "#", "detail": "The body is empty"}
"""What is wrong with a request that should say something in JSON and says nothing."""


class Refusal(Exception):  # noqa: N818  # not a fault: the answer to a request
    """A request is answered with a problem.

    Attributes:
        status: HTTP status.
        headers: further headers of the answer.
        errors: one `{"pointer", "detail"}` a failing field.
        detail: words in place of the status's own, without anything that a caller must not know.
        kind: last part of the problem's type, where it is not that of the status.
        more: further members of the document.
    """

    def __init__(
        self,
        status: int,
        *,
        headers: Iterable[Header] = (),
        errors: Iterable[Mapping[str, str]] = (),
        detail: str = "",
        kind: str = "",
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(status)
        self.status = status
        self.headers = tuple(headers)
        self.errors = list(errors)
        self.detail = detail
        self.kind = kind
        self.more = more


def problem(refusal: Refusal, request_id: str) -> bytes:
    """One problem document, as the bytes of a response body.

    Args:
        refusal: what is said.
        request_id: id that the log and the response header carry too.
    """
    status = refusal.status
    slug, sentence = PROBLEMS.get(status, ("", HTTPStatus(status).description))
    slug = refusal.kind or slug
    document: dict[str, Any] = {
        "type": f"urn:finml:problem:{slug}" if slug else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": refusal.detail or sentence,
        "request_id": request_id,
        **refusal.more,
    }
    if refusal.errors:
        document["errors"] = refusal.errors
    return json.dumps(document).encode()


async def send_problem(send: Send, refusal: Refusal, ids: Ids, more: Iterable[Header] = ()) -> None:
    """Answer a request with a problem document."""
    body = problem(refusal, ids.request)
    headers: list[Header] = [
        *refusal.headers,
        *more,
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *ids.headers,
    ]
    if refusal.status in (429, 503) and not any(name == b"retry-after" for name, _ in headers):
        headers.append((b"retry-after", b"1"))
    if refusal.status == 408 and CLOSE_HEADER not in headers:
        # what still comes of the body would be read as the next request
        headers.append(CLOSE_HEADER)
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def field_errors(details: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What pydantic's errors say, with a JSON pointer to each field; of very many the first."""
    return [
        {"pointer": json_pointer(error["loc"]), "detail": error["msg"].removeprefix("Value error, ")}
        for error in islice(details, MOST_ERRORS)
    ]


def json_pointer(location: Iterable[str | int]) -> str:
    """`("inputs", 0, "loan_amount")` as the URI fragment `#/inputs/0/loan_amount` (RFC 6901)."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


class Answer:
    """Sends an answer of another application on its way: at once below 400, as a problem document above."""

    def __init__(self, send: Send, ids: Ids, more: Callable[[], Iterable[Header]]) -> None:
        """Nothing is sent yet.

        Args:
            send: takes the answer's messages.
            ids: the request's.
            more: gives further headers, once the answer begins.
        """
        self._send, self._more = send, more
        self.ids = ids
        self.status = 0
        self.started = False
        self._headers: list[Header] = []

    async def send(self, message: Message) -> None:
        """Take a message from the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = list(message.get("headers", []))
            if self.status < 400:
                self.started = True
                headers = [*self._headers, *self._more(), *self.ids.headers]
                await self._send({**message, "headers": headers})
        elif self.started:
            await self._send(message)

    async def finish(self, refusal: Refusal | None = None) -> None:
        """End an answer that is an error; a `refusal` replaces whatever the application said."""
        if self.started:
            return
        if refusal is None:
            kept = [header for header in self._headers if header[0].lower() not in REPLACED_HEADERS]
            refusal = Refusal(self.status or 500, headers=kept)
        self.status, self.started = refusal.status, True
        await send_problem(self._send, refusal, self.ids, self._more())


REPLACED_HEADERS = frozenset({b"content-type", b"content-length", ANSWER_HEADER, CORRELATION_HEADER})
