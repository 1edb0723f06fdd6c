"""All that one process answers requests with: who may ask, the models, what is kept of each answer."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import structlog

from bentos.access_log import AccessLog
from bentos.asgi import Receive
from bentos.batching import QueueFullError
from bentos.bodies import ClientGoneError
from bentos.draining import drain_on_sigterm
from bentos.guard import Guard
from bentos.health import Health
from bentos.metrics import Metrics
from bentos.problems import Refusal
from bentos.records import Origin, Records
from bentos.release import Release
from bentos.routes import Route
from bentos.served import GONE, Failed, Given, ServedModel
from bentos.serving import ACTIONS
from finml.errors import DataError, FeatureError
from finml.monitoring.feedback import FeedbackStore
from finml.routing.router import Router

log = structlog.get_logger(__name__)

STATE_S = 2.0
WATCHED_AFTER_S = 0.1
"""From when on it is noticed that the caller of a request has hung up."""


class Front:
    """The state of one serving process.

    Attributes:
        routes: the models' routes by path.
        draining: whether the process is about to stop, and so ends each connection with its answer.
    """

    def __init__(
        self,
        *,
        release: Release,
        models: Mapping[str, ServedModel],
        guard: Guard,
        router: Router,
        records: Records,
        metrics: Metrics,
        access_log: AccessLog,
        health: Health,
        feedback: FeedbackStore,
        drain_s: float,
    ) -> None:
        self.release, self.models = release, models
        self.guard, self.router, self.records = guard, router, records
        self.metrics, self.access_log, self.health = metrics, access_log, health
        self.feedback, self.drain_s = feedback, drain_s
        self.draining = False
        routes = [Route(model, action) for model in models.values() for action in ACTIONS]
        self.routes = {route.path: route for route in routes}
        self._reporting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin what goes on beside requests: the routing's watch, the logs' writers, the state of queues."""
        drain_on_sigterm(self.drain, self.drain_s)
        self.router.start()
        self.records.start()
        self._reporting = asyncio.get_running_loop().create_task(self._report())

    def drain(self) -> None:
        """Say that this process is about to stop: `/readyz` says no, and each answer ends its connection."""
        self.draining = True
        log.info("draining", seconds=self.drain_s)

    async def stop(self) -> None:
        """End it, with everything written that was to be kept."""
        if self._reporting:
            self._reporting.cancel()
        for model in self.models.values():
            await model.close()
        self.router.close()
        await asyncio.get_running_loop().run_in_executor(None, self.records.close)
        self.health.close()
        self.metrics.flush()
        self.access_log.flush()
        await self.guard.aclose()

    async def answer(self, origin: Origin, inputs: Sequence[Any], receive: Receive) -> list[Given]:
        """The models' answers to one request.

        Args:
            origin: the request.
            inputs: validated inputs.
            receive: tells when the caller has hung up; what still waits is then dropped.

        Raises:
            Refusal: 422 where the model cannot answer this, 503 where it cannot now.
            ClientGoneError: the caller has hung up.
        """

        def aside(place: int, one: Given | Failed, shadow: bool) -> None:
            self.records.keep_unseen(origin, place, inputs[place], one, shadow=shadow)

        route = origin.route
        answering = route.model.answer(route.action, inputs, aside=aside)
        try:
            if route.model.immediate(route.action, inputs):
                return await answering
            return await unless_gone(answering, receive)
        except QueueFullError:
            raise Refusal(503, detail="Too many requests wait; try again.") from None
        except FeatureError as error:
            log.error(
                "features_unavailable",
                model=route.model.name,
                message=str(error),
                hint=error.hint,
                **origin.ids.fields,
            )
            raise Refusal(503, detail="The feature store does not answer; try again.") from None
        except DataError as error:
            raise Refusal(422, detail=str(error)) from None

    async def _report(self) -> None:
        """Keep the gauges of what can only be read off up to date."""
        failing = False
        while True:
            try:
                # first, so that requests are counted whatever else fails
                self.metrics.flush()
                self.metrics.state(self._state())
                failing = False
            except Exception:
                if not failing:
                    # the gauges stand still from now on, and nobody would see that they do
                    log.exception("state_not_reported")
                failing = True
            await asyncio.sleep(STATE_S)

    def _state(self) -> dict[str, float]:
        """What waits, and what was dropped."""
        models = self.models.values()
        own = {
            "queued_rows": sum(model.waiting_rows() for model in models),
            "shadows_dropped": sum(model.shadows.dropped for model in models),
            "shadows_failed": sum(model.shadows.failed.total() for model in models),
        }
        return own | self.records.state()


async def unless_gone(answering: Awaitable[list[Given]], receive: Receive) -> list[Given]:
    """What is awaited, unless the caller hangs up before: it is then cancelled.

    Raises:
        ClientGoneError: the caller hung up.
    """
    loop, waiting = asyncio.get_running_loop(), asyncio.current_task()
    watching: list[asyncio.Task[None]] = []
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        if waiting:
            gone = True
            waiting.cancel(GONE)

    # most are answered before that, and a task for each would cost more than all else that is done for one
    begin = loop.call_later(WATCHED_AFTER_S, lambda: watching.append(loop.create_task(watch())))
    try:
        return await answering
    except asyncio.CancelledError:
        # not by its message: a time limit may have cancelled as well, and then either may be heard of
        if waiting and gone:
            waiting.uncancel()
            raise ClientGoneError from None
        raise
    finally:
        begin.cancel()
        for task in watching:
            task.cancel()
