"""Shadows that fail are counted, seen and said, and do not flood the log."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bentos.batching import Limits, QueueFullError
from bentos.served import ServedModel
from bentos.shadows import MOST_SHADOWS, SAY_EVERY_S, Shadows
from finml.errors import FeatureError
from finml.routing.router import Router
from tests.bentos.doubling import Doubler, Number, doubling


def said(logs, event):
    return [(line.get("error"), line["total"]) for line in logs if line["event"] == event]


@pytest.mark.parametrize(
    "error", [FeatureError("the store is away", hint="wait"), QueueFullError(), IndexError()]
)
def test_a_shadow_that_fails_at_every_request_is_said_once(tmp_path, error):
    path = tmp_path / "routing.yaml"
    path.write_text("models: {doubling: {shadow: challenger}}")
    router = Router(path, {"doubling": ["champion", "challenger"]})
    router.refresh()
    broken = Doubler("doubling@2")
    broken.error = error
    model = ServedModel(
        doubling(), {"champion": Doubler("doubling@1"), "challenger": broken}, router, Limits()
    )

    async def ask():
        for number in range(20):
            (given,) = await model.answer("predict", [Number(user_id="u0", number=number)])
            assert given.answered.output.doubled == 2 * number
        await model.close()

    with capture_logs() as logs:
        asyncio.run(ask())
    kind = type(error).__name__
    assert said(logs, "shadows_failed") == [(kind, 1)]
    assert len(logs) == 1
    assert model.shadows.failed == {kind: 20}


def test_each_kind_of_error_is_said_again_after_a_minute_with_how_many_there_were():
    now = 1000.0
    shadows = Shadows("doubling", clock=lambda: now)

    async def fail(inputs, error):
        async def score():
            raise error

        shadows.add(inputs, score)
        await shadows.finish(within_s=5)

    async def story():
        nonlocal now
        await fail(2, KeyError())
        await fail(2, KeyError())
        await fail(1, ValueError())
        now += SAY_EVERY_S - 1
        await fail(2, KeyError())
        now += 1
        await fail(2, KeyError())
        await fail(1, ValueError())

    with capture_logs() as logs:
        asyncio.run(story())
    assert said(logs, "shadows_failed") == [
        ("KeyError", 2),
        ("ValueError", 1),
        ("KeyError", 8),
        ("ValueError", 2),
    ]


def test_those_that_are_dropped_are_said_once_a_minute_too():
    now = 0.0
    shadows = Shadows("doubling", clock=lambda: now)

    async def story():
        nonlocal now
        free = asyncio.Event()
        for _ in range(MOST_SHADOWS + 3):
            shadows.add(1, free.wait)
        now += SAY_EVERY_S
        shadows.add(1, free.wait)
        free.set()
        await shadows.finish(within_s=5)

    with capture_logs() as logs:
        asyncio.run(story())
    assert said(logs, "shadows_dropped") == [(None, 1), (None, 4)]
