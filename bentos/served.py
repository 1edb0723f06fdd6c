"""A model in front of traffic: its versions, each with its queues, and who is answered by which."""

import asyncio
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog

from bentos.batching import Lane, Limits, QueueFullError
from bentos.serving import ACTIONS, Action, Answered, Scorer, Serving
from bentos.shadows import Shadows
from finml.errors import DataError, FeatureError
from finml.routing.router import Router

log = structlog.get_logger(__name__)

CHAMPION = "champion"
GONE = "gone"
"""What a task is cancelled with whose caller has hung up."""


class Given(NamedTuple):
    """One item's answer with who gave it.

    Attributes:
        variant: `champion`, `challenger` or `previous`.
        spec: the version, as in `credit_risk@7`.
        latency_s: from the item's arrival at that version to its answer, queue included.
    """

    answered: Answered
    variant: str
    spec: str
    latency_s: float


class Failed(NamedTuple):
    """One item that a version could not answer, and the kind of its error; else as `Given`."""

    variant: str
    spec: str
    latency_s: float
    error: str


Aside = Callable[[int, Given | Failed, bool], None]
"""Told what no caller sees: the place of an input, what a version made of it, and whether as a shadow."""


Asked = Sequence[tuple[int, Any]]
"""Places in the request and inputs."""


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
        self.shadows = Shadows(self.name)

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
        aside: Aside = lambda place, one, shadow: None,
    ) -> list[Given]:
        """Answers to a request's inputs in their order, each by the version that the routing says.

        Args:
            action: `predict` or `explain`.
            inputs: validated inputs.
            aside: told of each input that a version scored unseen, or could not answer.

        Raises:
            QueueFullError: too many wait already.
            FeatureError, DataError: as for `Scorer.answers`.
        """
        groups: dict[str, list[int]] = {}
        shadows: dict[str, list[int]] = {}
        for place, asked in enumerate(inputs):
            choice = self._router.route(self.name, self.serving.sticky(asked) or "")
            groups.setdefault(choice.variant, []).append(place)
            if choice.shadow:
                shadows.setdefault(choice.shadow, []).append(place)
        if len(groups) == 1:
            (alias,) = groups
            given = await self._by(alias, action, list(enumerate(inputs)), aside)
        else:
            given = await self._by_several(groups, action, inputs, aside)
        for alias, places in shadows.items():
            self._shadow(alias, action, [(place, inputs[place]) for place in places], aside)
        return given

    async def close(self) -> None:
        """Finish the shadows that are under way and end the threads."""
        await self.shadows.finish(within_s=1)
        for variant in self.variants.values():
            for lane in variant.lanes.values():
                lane.close()

    async def _by_several(
        self, groups: Mapping[str, Sequence[int]], action: Action, inputs: Sequence[Any], aside: Aside
    ) -> list[Given]:
        parts = await asyncio.gather(
            *(
                self._by(alias, action, [(place, inputs[place]) for place in places], aside)
                for alias, places in groups.items()
            )
        )
        placed = {
            place: one
            for places, part in zip(groups.values(), parts, strict=True)
            for place, one in zip(places, part, strict=True)
        }
        return [placed[place] for place in range(len(inputs))]

    async def _by(self, alias: str, action: Action, asked: Asked, aside: Aside) -> list[Given]:
        """Answers by one version; where a challenger fails, the champion answers and the failure counts."""
        began = time.perf_counter()
        try:
            return await self._scored(alias, action, asked, aside)
        except (FeatureError, QueueFullError):
            raise
        except Exception as error:
            if alias != "challenger":
                raise
            elapsed = time.perf_counter() - began
            log.warning("challenger_failed", model=self.name, error=type(error).__name__)
            given = await self._scored(CHAMPION, action, asked, aside)
            if isinstance(error, DataError):
                # an input that the champion can answer is no mistake of the caller's
                self._failed(alias, asked, elapsed, type(error).__name__, aside)
            return given

    async def _scored(
        self, alias: str, action: Action, asked: Asked, aside: Aside, *, shadow: bool = False
    ) -> list[Given]:
        variant, began = self.variants[alias], time.perf_counter()
        try:
            answers = await variant.lanes[action].submit([one for _, one in asked])
        except (FeatureError, QueueFullError, DataError):
            # the store's fault, the load's or the input's: it says nothing about the version
            raise
        except asyncio.CancelledError as ended:
            # a caller who hangs up says nothing either; time that ran out does
            if ended.args != (GONE,) and not shadow:
                self._failed(alias, asked, time.perf_counter() - began, TimeoutError.__name__, aside)
            raise
        except Exception as error:
            elapsed = time.perf_counter() - began
            self._failed(alias, asked, elapsed, type(error).__name__, aside, shadow=shadow)
            raise
        latency = time.perf_counter() - began
        # once a request: its inputs share one latency, and one that is slow would count as many
        score = self.serving.value(answers[0].output)
        self._router.observe(self.name, alias, ok=True, latency_s=latency, score=score)
        return [Given(answered, alias, variant.spec, latency) for answered in answers]

    def _failed(
        self, alias: str, asked: Asked, latency_s: float, error: str, aside: Aside, *, shadow: bool = False
    ) -> None:
        """Hold a failure against a version, once a request as its answers count, and tell of each input."""
        failed = Failed(alias, self.variants[alias].spec, latency_s, error)
        self._router.observe(self.name, alias, ok=False, latency_s=latency_s, score=None)
        for place, _ in asked:
            aside(place, failed, shadow)

    def _shadow(self, alias: str, action: Action, asked: Asked, aside: Aside) -> None:
        async def score() -> None:
            given = await self._scored(alias, action, asked, aside, shadow=True)
            for (place, _), one in zip(asked, given, strict=True):
                aside(place, one, True)

        self.shadows.add(len(asked), score)
