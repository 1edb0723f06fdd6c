"""The edge over a small model and small pages, as a client in this process sees it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from bentos.access_log import AccessLog
from bentos.batching import Limits
from bentos.dependencies import health_of
from bentos.edge import Edge
from bentos.front import Front
from bentos.guard import Guard
from bentos.metrics import Metrics
from bentos.records import Records
from bentos.release import Release
from bentos.served import ServedModel
from finml.audit import AuditLog
from finml.logs import configure_logging
from finml.monitoring.feedback import FeedbackStore
from finml.routing.router import Router
from finml.settings import Settings
from tests.bentos.doubling import Doubler, doubling


class Logged:
    """An inference log that keeps what it is handed."""

    def __init__(self) -> None:
        self.predictions: list[Any] = []
        self.written = self.dropped = self.queued = 0
        self.waiting = False

    def start(self) -> None:
        pass

    def record(self, predictions) -> None:
        self.predictions.extend(predictions)

    def close(self, timeout_s: float) -> None:
        pass


class Desk:
    """An edge with all behind it.

    Attributes:
        model: what answers.
        logged: what reached the inference log.
        lines: what reached the access log.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        app: Starlette | None = None,
        limits: Limits | None = None,
        audit: AuditLog | None = None,
        decision=None,
        inline: bool = False,
        logged: Any = None,
        **options,
    ) -> None:
        configure_logging(settings)
        self.model = Doubler(inline=inline)
        self.logged = logged or Logged()
        self.lines: list[str] = []
        router = Router(settings.routing, {"doubling": ["champion"]})
        self.metrics = Metrics(CollectorRegistry())
        served = ServedModel(
            doubling(decision), {"champion": self.model}, router, limits or Limits(), self.metrics.batch
        )
        records = Records(self.logged, audit)
        self.front = Front(
            release=Release(project="test", models=[]),
            models={"doubling": served},
            guard=Guard(settings),
            router=router,
            records=records,
            metrics=self.metrics,
            access_log=AccessLog(as_json=True, write=self.lines.append),
            health=health_of({"doubling": served}, router, records),
            feedback=FeedbackStore(settings),
            drain_s=0.0,
        )
        behind = app or Starlette()
        self.edge = Edge(behind, pages=behind, page_paths=(), front=lambda: self.front, **options)

    def run(self, calls: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
        """What `calls` returns, which gets a client of the started edge."""

        async def once() -> Any:
            await self.front.start()
            transport = httpx.ASGITransport(self.edge, client=("10.0.0.1", 50000))
            try:
                async with httpx.AsyncClient(transport=transport, base_url="http://finml") as client:
                    return await calls(client)
            finally:
                await self.front.stop()

        return asyncio.run(once())

    def call(self, method: str, path: str, **request) -> httpx.Response:
        """The answer to one request."""
        return self.run(lambda client: client.request(method, path, **request))

    def ask(self, *numbers: int, **request) -> httpx.Response:
        """The model's answer about numbers."""
        inputs = [{"number": number} for number in numbers]
        return self.call("POST", "/predict/doubling", json={"inputs": inputs}, **request)
