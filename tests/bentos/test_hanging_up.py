"""A caller that hangs up, alone and at the moment at which its time runs out."""

import asyncio

import pytest

from bentos import front
from bentos.bodies import ClientGoneError
from bentos.deadlines import Deadlines
from bentos.front import unless_gone


@pytest.fixture(autouse=True)
def _watched_at_once(monkeypatch):
    monkeypatch.setattr(front, "WATCHED_AFTER_S", 0)


@pytest.mark.parametrize("first", ["hangs up", "time runs out", "hangs up alone"])
def test_whoever_is_first_the_request_ends_as_one_whose_caller_has_left(first):
    async def run() -> None:
        deadlines, left, watched = Deadlines(60), asyncio.Event(), asyncio.Event()

        async def receive():
            watched.set()
            await left.wait()
            return {"type": "http.disconnect"}

        async def request() -> None:
            with deadlines.begin() as deadline:
                late.append(deadline)
                await unless_gone(asyncio.Event().wait(), receive)

        late = []
        task = asyncio.create_task(request())
        await watched.wait()
        loop = asyncio.get_running_loop()
        if first == "time runs out":
            loop.call_soon(late[0].pass_)
        left.set()
        if first == "hangs up":
            loop.call_soon(late[0].pass_)
        with pytest.raises(ClientGoneError):
            await task

    asyncio.run(run())


def test_what_is_answered_in_time_is_returned_and_nobody_watches_any_more():
    async def run() -> None:
        async def receive():
            await asyncio.Event().wait()

        async def answering():
            await asyncio.sleep(0.01)
            return [1]

        assert await unless_gone(answering(), receive) == [1]
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
