"""Limits of many tasks by one timer."""

import asyncio
import time

import pytest

from bentos.deadlines import Deadlines

LIMIT_S = 0.05


async def held(deadlines: Deadlines, work) -> str:
    try:
        with deadlines.begin():
            await work
    except TimeoutError:
        return "late"
    return "done"


def test_who_is_late_is_ended_and_who_is_not_goes_on() -> None:
    async def run() -> list[str]:
        deadlines = Deadlines(LIMIT_S)
        return await asyncio.gather(
            held(deadlines, asyncio.Event().wait()),
            held(deadlines, asyncio.sleep(0)),
            held(deadlines, asyncio.Event().wait()),
        )

    assert asyncio.run(run()) == ["late", "done", "late"]


def test_each_task_has_the_whole_limit_from_its_own_beginning() -> None:
    async def run() -> tuple[float, float]:
        deadlines = Deadlines(LIMIT_S)
        first = asyncio.create_task(held(deadlines, asyncio.Event().wait()))
        await asyncio.sleep(LIMIT_S / 2)
        began = time.monotonic()
        second = asyncio.create_task(held(deadlines, asyncio.Event().wait()))
        assert await first == "late"
        assert await second == "late"
        return began, time.monotonic()

    began, ended = asyncio.run(run())
    assert ended - began >= LIMIT_S * 0.95


def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def run() -> None:
        task = asyncio.create_task(held(Deadlines(60), asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_what_a_block_raises_leaves_it_unchanged() -> None:
    async def run() -> None:
        with pytest.raises(ValueError, match="its own"), Deadlines(60).begin():
            raise ValueError("its own")

    asyncio.run(run())


def test_a_task_may_be_held_to_a_limit_again_after_it_was_late() -> None:
    async def run() -> list[str]:
        deadlines = Deadlines(LIMIT_S)
        return [await held(deadlines, asyncio.Event().wait()), await held(deadlines, asyncio.sleep(0))]

    assert asyncio.run(run()) == ["late", "done"]
