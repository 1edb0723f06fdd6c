"""A service with an edge before it: of all models, as `bentos.service`, or of one model's API alone."""

from typing import Any

import bentoml

from bentos.access_log import AccessLog
from bentos.asgi import App
from bentos.base import ModelApi
from bentos.dependencies import health_of
from bentos.edge import Edge
from bentos.front import Front
from bentos.guard import Guard
from bentos.pages import PATHS, pages
from bentos.records import Records
from finml.audit import AuditLog
from finml.logs import configure_logging, logs_json
from finml.monitoring.feedback import FeedbackStore
from finml.monitoring.inference_log import InferenceLog
from finml.settings import get_settings

OPTIONS: dict[str, Any] = {
    # far outside of the edge's own limit, whose answer is a problem document
    "traffic": {"timeout": 60},
    # the edge counts and logs each request for a fraction of what these cost
    "metrics": {"enabled": False},
    "logging": {"access": {"enabled": False}},
    "tracing": {"excluded_urls": ".*"},
}
"""What `bentoml.service` is told."""


class FrontedApi(ModelApi):
    """First among the bases of a service.

    Attributes:
        front: all that this process answers requests with.
    """

    def __init__(self) -> None:
        settings = get_settings()
        configure_logging(settings)
        super().__init__()
        decides = any(model.serving.decision for model in self.models.values())
        records = Records(InferenceLog(settings), AuditLog.of(settings) if decides else None)
        self.front = Front(
            release=self.release,
            models=self.models,
            guard=Guard(settings),
            router=self.router,
            records=records,
            metrics=self.metrics,
            access_log=AccessLog(
                as_json=logs_json(settings), enabled=settings.log_level in ("DEBUG", "INFO")
            ),
            health=health_of(self.models, self.router, records),
            feedback=FeedbackStore(settings),
            drain_s=settings.drain_s,
        )
        self.warm_up()

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def begin(self) -> None:
        """Start what goes on beside requests."""
        await self.front.start()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def end(self) -> None:
        """Write what was to be kept, when the last request is answered."""
        await self.front.stop()


def front() -> Front:
    """The state of this process's service."""
    found: Front = bentoml.get_current_service().front
    return found


def put_edge_before(service: "bentoml.Service[Any]", *, timeout_s: float = 10.0) -> None:
    """Let the edge answer first among what a service adds to BentoML's application.

    Args:
        service: made with `OPTIONS`, of a class that inherits `FrontedApi`.
        timeout_s: see `Edge`.
    """
    service.add_asgi_middleware(Edge, pages=pages(front), page_paths=PATHS, front=front, timeout_s=timeout_s)


def outermost(service: "bentoml.Service[Any]", app: App) -> Edge:
    """An edge around the whole application of a service that was given to `put_edge_before`, as it is there.

    BentoML's own middleware, which only this one is put before, takes 25 microseconds, a task, and a timer
    that lives for a minute, for each request. The inner edge lets pass what this one has.
    """
    (options,) = (options for kind, options in service.middlewares if kind is Edge)
    return Edge(app, **options)
