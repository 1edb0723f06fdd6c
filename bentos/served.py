"""A model in front of traffic: its versions, each with its queues, and who is answered by which."""

import asyncio
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bentos.batching import Lane, Limits, QueueFullError
from bentos.serving import ACTIONS, Action, Answered, Scorer, Serving
from finml.errors import DataError, FeatureError
from finml.routing.router import Router

log = structlog.get_logger(__name__)

CHAMPION = "champion"
# shadows beyond these are left out: scoring them must not become a load of its own
MOST_SHADOWS = 64


@dataclass(frozen=True, slots=True)
class Given:
    """One item's answer with who gave it.

    Attributes:
        variant: `champion`, `challenger` or `previous`.
        spec: the version, as in `credit_risk@7`.
        latency_s: from the item's arrival to its answer, queue included.
    """

    answered: Answered
    variant: str
    spec: str
    latency_s: float


class Variant:
    """One version of a model with a queue for each action."""

    def __init__(
        self,
        alias: str,
        scorer: Scorer,
        limits: Mapping[Action, Limits],
        on_batch: Callable[[str, Action, int], None],
    ) -> None:
        self.alias, self.scorer, self.spec = alias, scorer, scorer.spec
        self.lanes: dict[Action, Lane[Any, Answered]] = {
            action: Lane(
                functools.partial(scorer.answers, explain=action == "explain"),
                limits[action],
                inline=functools.partial(scorer.immediate, explain=action == "explain"),
                on_batch=functools.partial(on_batch, alias, action),
            )
            for action in ACTIONS
        }


class ServedModel:
    """A model with its loaded versions, by alias; there is always a champion."""

    def __init__(
        self,
        serving: Serving,
        scorers: Mapping[str, Scorer],
        router: Router,
        limits: Limits,
        on_batch: Callable[[str, str, Action, int], None] = lambda *_: None,
    ) -> None:
        self.serving, self._router = serving, router
        self.name = serving.model
        rows = serving.rows or {}
        by_action = {
            action: Limits(
                min(rows.get(action, limits.rows), limits.rows), limits.queue_rows, limits.queue_wait_s
            )
            for action in ACTIONS
        }
        report = functools.partial(on_batch, self.name)
        self.variants = {
            alias: Variant(alias, scorer, by_action, report) for alias, scorer in scorers.items()
        }
        self._shadows: set[asyncio.Task[None]] = set()

    def waiting_rows(self) -> int:
        """Rows in all queues of this model."""
        return sum(lane.waiting_rows for variant in self.variants.values() for lane in variant.lanes.values())

    def immediate(self, action: Action, inputs: Sequence[Any]) -> bool:
        """Whether the champion answers these at once, see `Scorer.immediate`."""
        return self.variants[CHAMPION].scorer.immediate(inputs, explain=action == "explain")

    def probe(self) -> None:
        """Score a row with every version; raises where one cannot."""
        for variant in self.variants.values():
            variant.scorer.probe()

    async def answer(
        self,
        action: Action,
        inputs: Sequence[Any],
        *,
        log_shadow: Callable[[int, Given], None] = lambda place, given: None,
    ) -> list[Given]:
        """Answers to a request's inputs in their order, each by the version that the routing says.

        Args:
            action: `predict` or `explain`.
            inputs: validated inputs.
            log_shadow: told the place and the answer of each input that a version scored unseen.

        Raises:
            QueueFullError: too many wait already.
            FeatureError, DataError: as for `Scorer.answers`.
        """
        began = time.perf_counter()
        groups: dict[str, list[int]] = {}
        shadows: dict[str, list[int]] = {}
        for place, asked in enumerate(inputs):
            choice = self._router.route(self.name, self.serving.sticky(asked) or "")
            groups.setdefault(choice.variant, []).append(place)
            if choice.shadow:
                shadows.setdefault(choice.shadow, []).append(place)
        if len(groups) == 1:
            (alias,) = groups
            given = await self._by(alias, action, inputs, began)
        else:
            given = await self._by_several(groups, action, inputs, began)
        for alias, places in shadows.items():
            self._shadow(alias, action, [(place, inputs[place]) for place in places], log_shadow)
        return given

    async def close(self) -> None:
        """Finish the shadows that are under way and end the threads."""
        if self._shadows:
            await asyncio.wait(self._shadows, timeout=1)
        for variant in self.variants.values():
            for lane in variant.lanes.values():
                lane.close()

    async def _by_several(
        self, groups: Mapping[str, Sequence[int]], action: Action, inputs: Sequence[Any], began: float
    ) -> list[Given]:
        parts = await asyncio.gather(
            *(
                self._by(alias, action, [inputs[place] for place in places], began)
                for alias, places in groups.items()
            )
        )
        placed = {
            place: one
            for places, part in zip(groups.values(), parts, strict=True)
            for place, one in zip(places, part, strict=True)
        }
        return [placed[place] for place in range(len(inputs))]

    async def _by(self, alias: str, action: Action, inputs: Sequence[Any], began: float) -> list[Given]:
        """Answers by one version; where a challenger fails, the champion answers and the failure counts."""
        try:
            return await self._scored(alias, action, inputs, began)
        except (FeatureError, QueueFullError):
            raise
        except Exception as error:
            if alias != "challenger":
                raise
            log.warning("challenger_failed", model=self.name, error=type(error).__name__)
            given = await self._scored(CHAMPION, action, inputs, began)
            if isinstance(error, DataError):
                # an input that the champion can answer is no mistake of the caller's
                self._failed(alias, began)
            return given

    async def _scored(self, alias: str, action: Action, inputs: Sequence[Any], began: float) -> list[Given]:
        variant = self.variants[alias]
        try:
            answers = await variant.lanes[action].submit(inputs)
        except (FeatureError, QueueFullError):
            # the store's fault or the load's: it says nothing about the version
            raise
        except DataError:
            raise
        except Exception:
            self._failed(alias, began)
            raise
        latency = time.perf_counter() - began
        for answered in answers:
            self._router.observe(
                self.name, alias, ok=True, latency_s=latency, score=self.serving.value(answered.output)
            )
        return [Given(answered, alias, variant.spec, latency) for answered in answers]

    def _failed(self, alias: str, began: float) -> None:
        elapsed = time.perf_counter() - began
        self._router.observe(self.name, alias, ok=False, latency_s=elapsed, score=None)

    def _shadow(
        self,
        alias: str,
        action: Action,
        asked: Sequence[tuple[int, Any]],
        log_shadow: Callable[[int, Given], None],
    ) -> None:
        if len(self._shadows) >= MOST_SHADOWS:
            return

        async def score() -> None:
            try:
                given = await self._scored(alias, action, [one for _, one in asked], time.perf_counter())
            except Exception as error:
                log.warning("shadow_failed", model=self.name, error=type(error).__name__)
                return
            for (place, _), one in zip(asked, given, strict=True):
                log_shadow(place, one)

        task = asyncio.get_running_loop().create_task(score())
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)
