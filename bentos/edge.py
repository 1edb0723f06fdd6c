"""The edge of the HTTP service, in front of BentoML's own application.

Requests to models are answered here, on a path of their own: BentoML spends about a millisecond of CPU on a
request before and after the model. All else (documentation, BentoML's pages) passes the same guard and goes
on to the application behind. What is refused is refused by a problem document; no stack trace leaves.
"""

import time
from collections.abc import Callable, Iterable, Mapping

import structlog
from pydantic import BaseModel
from pydantic_core import to_json

from bentos.asgi import App, Header, Receive, Scope, Send
from bentos.bodies import ClientGoneError, read_body, replay
from bentos.deadlines import Deadlines
from bentos.front import Front
from bentos.guard import Admitted, Caller, Refused
from bentos.ids import Ids
from bentos.problems import CLOSE_HEADER, Answer, Refusal, send_problem
from bentos.records import Origin
from bentos.routes import Route
from bentos.served import Given

log = structlog.get_logger(__name__)

# nothing of these needs a key: signs of life, and the description of the interface
OPEN_PATHS = frozenset({"/", "/livez", "/readyz", "/healthz", "/docs", "/docs.json"})
OPEN_FOLDERS = ("/static_content/",)
# Probes and scrapes come every few seconds and say nothing in an access log.
QUIET_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
GONE = 499
# in the scope of a request that an edge further out has let pass
PASSED = "finml.passed"
JSON_HEADER = (b"content-type", b"application/json")


class Edge:
    """ASGI middleware around the whole service.

    Args:
        app: BentoML's application.
        pages: the application that answers on `page_paths`.
        front: gives the state of the process, once that is there.
        max_body_bytes: a larger body is answered 413, before anything is parsed.
        timeout_s: seconds from a request's first byte to its answer's, then 504 (408 while the body arrives).
    """

    def __init__(
        self,
        app: App,
        *,
        pages: App,
        page_paths: Iterable[str],
        front: Callable[[], Front],
        max_body_bytes: int = 1 << 20,
        timeout_s: float = 10.0,
    ) -> None:
        self.app, self.pages, self.page_paths = app, pages, frozenset(page_paths)
        self._find_front = front
        self._front: Front | None = None
        self.max_body_bytes = max_body_bytes
        self._deadlines = Deadlines(timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            # nothing here speaks it, and the guard was not asked
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http" or PASSED in scope:
            self._front = None
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        front = self._front
        if front is None:
            front = self._front = self._find_front()
        headers = dict(scope["headers"])
        call = _Call(front, scope, headers)
        route = front.routes.get(scope["path"]) if scope["method"] == "POST" else None
        if route:
            await self._model(call, route, receive, send)
            label = route.path
        else:
            await self._page(call, receive, send)
            label = call.path if call.path in self.page_paths else "other"
        seconds = time.perf_counter() - began
        front.metrics.request(label, call.status, seconds)
        if call.path not in QUIET_PATHS:
            shown = label if label != "other" else "(other)"
            front.access_log.add(
                method=scope["method"],
                path=shown,
                status=call.status,
                seconds=seconds,
                ids=call.ids,
                caller=call.caller,
            )

    async def _model(self, call: "_Call", route: Route, receive: Receive, send: Send) -> None:
        """Answer a request to a model."""
        given: list[Given] = []
        inputs: list[BaseModel] = []
        answers: list[bytes] = []
        try:
            with self._deadlines.begin():
                admitted = await call.admit(route.model.name, route.action)
                raw = await self._body(call, receive)
                inputs = route.parse(raw)
                refused = await call.front.guard.spend(admitted.caller, route.model.name, len(inputs))
                if refused:
                    raise refusal_of(refused)
                call.spent = len(inputs)
                origin = Origin(route, call.caller, call.ids)
                given = await call.front.answer(origin, inputs, receive)
                evidence = await call.front.records.decide(origin, inputs, given)
                answers = [to_json(one.answered.output) for one in given]
        except ClientGoneError:
            call.status = GONE
            return
        except Refusal as refusal:
            await call.refuse(send, refusal)
            return
        except TimeoutError:
            await call.refuse(send, Refusal(504 if call.body_read else 408))
            return
        except Exception as error:
            log.exception("request_failed", path=route.path, kind=type(error).__name__, **call.ids.fields)
            await call.refuse(send, Refusal(500))
            return
        call.status = 200
        body = b"[%s]" % b",".join(answers)
        length = (b"content-length", str(len(body)).encode())
        headers = [JSON_HEADER, length, *call.ids.headers, *call.more]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        call.front.records.keep_answers(origin, inputs, given, evidence, answers)
        for one in given:
            call.front.metrics.prediction(route.model.name, one.variant, one.spec)

    async def _page(self, call: "_Call", receive: Receive, send: Send) -> None:
        """Let another application answer, behind the same guard and limits."""
        answer = Answer(send, call.ids, lambda: call.more)
        app = self.pages if call.path in self.page_paths else self.app
        try:
            with self._deadlines.begin():
                if call.path not in OPEN_PATHS and not call.path.startswith(OPEN_FOLDERS):
                    call.scope["finml.caller"] = await call.admit("*", call.action)
                if call.path.endswith("/") and call.path not in ("/", *OPEN_FOLDERS):
                    # BentoML would redirect, and a caller would pay for two requests without seeing why
                    raise Refusal(404)
                body = await self._body(call, receive)
                call.scope[PASSED] = True
                with structlog.contextvars.bound_contextvars(**call.ids.fields):
                    await app(call.scope, replay(body, receive), answer.send)
            await answer.finish()
        except ClientGoneError:
            call.status = GONE
            return
        except Refusal as refusal:
            await answer.finish(refusal)
        except TimeoutError:
            await answer.finish(Refusal(504 if call.body_read else 408))
        except Exception:
            if answer.started:
                raise
            log.exception("request_failed", path=call.path, **call.ids.fields)
            await answer.finish(Refusal(500))
        call.status = answer.status

    async def _body(self, call: "_Call", receive: Receive) -> bytes:
        """The body of a request, if it is one that this service reads.

        Raises:
            Refusal: 413 or 415.
        """
        if call.scope["method"] not in ("POST", "PUT", "PATCH"):
            return b""
        length = call.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.max_body_bytes:
            raise Refusal(413)
        # anything but JSON would reach BentoML's form and pickle readers
        media_type = call.headers.get(b"content-type", b"application/json")
        if media_type != b"application/json" and (
            media_type.partition(b";")[0].strip().lower() != b"application/json"
        ):
            raise Refusal(415)
        body = await read_body(receive, self.max_body_bytes)
        if body is None:
            raise Refusal(413)
        call.body_read = True
        return body


class _Call:
    """One request on its way through the edge."""

    __slots__ = ("body_read", "front", "headers", "ids", "more", "path", "scope", "spent", "status", "who")

    def __init__(self, front: Front, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        self.front, self.scope, self.headers, self.ids = front, scope, headers, Ids.of(headers)
        self.path: str = scope["path"]
        self.who: Caller | None = None
        # spent: inputs that are counted against the quota
        self.status, self.spent, self.body_read = 0, 0, False
        self.more: tuple[Header, ...] = (CLOSE_HEADER,) if front.draining else ()

    @property
    def caller(self) -> str:
        """Id of who calls, for logs."""
        return self.who.id if self.who else "-"

    @property
    def action(self) -> str:
        """What a request to a page does."""
        return "feedback" if self.path == "/feedback" else "read"

    async def admit(self, model: str, action: str) -> Admitted:
        """Let the caller in.

        Raises:
            Refusal: 401, 403 or 429.
        """
        client = self.scope.get("client")
        found = await self.front.guard.admit(self.headers, client[0] if client else "", model, action)
        if isinstance(found, Refused):
            raise refusal_of(found)
        self.who = found.caller
        self.more = (*found.headers, *self.more)
        return found

    async def refuse(self, send: Send, refusal: Refusal) -> None:
        """Answer with a problem."""
        self.status = refusal.status
        if self.spent and self.who and refusal.status >= 500:
            self.front.guard.give_back(self.who, self.spent)
        await send_problem(send, refusal, self.ids, self.more)


def refusal_of(refused: Refused) -> Refusal:
    """What the guard said, as an answer."""
    return Refusal(refused.status, headers=refused.headers, detail=refused.detail, kind=refused.kind)
