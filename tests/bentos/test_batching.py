"""The queue in front of a model: waits for nothing, fills under load, keeps order, drops who has left."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.batching import Lane, Limits, QueueFullError


class Model:
    """Doubles numbers, remembers its batches, and can be held."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()
        self.began = threading.Event()

    def __call__(self, items):
        self.began.set()
        assert self.free.wait(10)
        self.batches.append(list(items))
        if -1 in items:
            raise ValueError("no such number")
        return [2 * item for item in items]


def lane(model, *, inline=False, **limits) -> Lane:
    return Lane(model, Limits(**limits), inline=lambda items: inline)


async def began(model) -> None:
    """Wait until the model holds a batch."""
    await asyncio.get_running_loop().run_in_executor(None, model.began.wait, 10)


@pytest.mark.parametrize("inline", [True, False])
@given(requests=st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=40), min_size=1, max_size=20))
def test_each_request_gets_its_own_answers_in_order(inline, requests):
    model = Model()

    async def ask():
        queue = lane(model, inline=inline, rows=16)
        try:
            return await asyncio.gather(*(queue.submit(request) for request in requests))
        finally:
            queue.close()

    assert asyncio.run(ask()) == [[2 * item for item in request] for request in requests]
    assert sum(len(batch) for batch in model.batches) == sum(len(request) for request in requests)
    # a batch goes over the limit only where a single request does
    largest = max(len(request) for request in requests)
    assert all(len(batch) <= max(16, largest) for batch in model.batches)


def test_a_lone_request_is_scored_alone_and_at_once():
    model = Model()

    async def ask():
        queue = lane(model)
        return [await queue.submit([place]) for place in range(3)]

    assert asyncio.run(ask()) == [[0], [2], [4]]
    assert model.batches == [[0], [1], [2]]


def test_what_arrives_while_the_model_is_busy_is_its_next_batch():
    model = Model()
    model.free.clear()

    async def ask():
        queue = lane(model, rows=8)
        first = asyncio.create_task(queue.submit([0]))
        await began(model)
        others = [asyncio.create_task(queue.submit([number])) for number in range(1, 11)]
        # a full batch is in the thread's hands already
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
            while queue.waiting_rows != 2:
                await asyncio.sleep(0)
        model.free.set()
        return await asyncio.gather(first, *others)

    asyncio.run(ask())
    assert [len(batch) for batch in model.batches] == [1, 8, 2]


def test_of_many_requests_at_once_the_thread_always_has_a_full_batch_in_hand():
    model = Model()
    model.free.clear()

    async def ask():
        queue = lane(model, rows=8)
        asked = [asyncio.create_task(queue.submit([number])) for number in range(40)]
        await began(model)
        in_hand = 40 - queue.waiting_rows
        model.free.set()
        await asyncio.gather(*asked)
        return in_hand

    assert asyncio.run(ask()) == 16
    assert [len(batch) for batch in model.batches] == [8] * 5


def test_requests_of_one_turn_of_the_loop_share_a_batch_even_inline():
    model = Model()

    async def ask():
        queue = lane(model, inline=True)
        return await asyncio.gather(*(queue.submit([number]) for number in range(5)))

    asyncio.run(ask())
    assert model.batches == [[0, 1, 2, 3, 4]]


def test_a_failing_request_fails_alone():
    model = Model()

    async def ask():
        queue = lane(model, inline=True)
        return await asyncio.gather(*(queue.submit([n]) for n in (1, -1, 3)), return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert (first, third) == ([2], [6])
    assert isinstance(second, ValueError)


class Panic(BaseException):
    """As a library in Rust panics."""


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("error", [Panic(), StopIteration(), SystemExit()], ids=repr)
def test_whatever_a_model_ends_with_the_next_request_is_answered(inline, error):
    def score(items):
        if -1 in items:
            raise error
        return items

    async def ask():
        queue = lane(score, inline=inline)
        with pytest.raises(RuntimeError, match=type(error).__name__):
            await queue.submit([-1])
        async with asyncio.timeout(5):
            return await queue.submit([1])

    assert asyncio.run(ask()) == [1]


def test_a_full_queue_refuses_at_once_and_recovers():
    model = Model()
    model.free.clear()

    async def ask():
        queue = lane(model, queue_rows=4)
        first = asyncio.create_task(queue.submit([0]))
        await began(model)
        waiting = [asyncio.create_task(queue.submit([n, n])) for n in (1, 2)]
        while queue.waiting_rows < 4:
            await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await queue.submit([3])
        model.free.set()
        await asyncio.gather(first, *waiting)
        return await queue.submit([4])

    assert asyncio.run(ask()) == [8]


def test_a_request_larger_than_the_queue_is_taken_by_an_idle_one():
    async def ask():
        return await lane(Model(), queue_rows=2).submit([1, 2, 3])

    assert asyncio.run(ask()) == [2, 4, 6]


def test_who_has_waited_too_long_is_refused_and_not_scored(monkeypatch):
    model = Model()
    model.free.clear()
    now = [0.0]
    monkeypatch.setattr("bentos.batching.time.monotonic", lambda: now[0])

    async def ask():
        queue = lane(model, queue_wait_s=1)
        first = asyncio.create_task(queue.submit([0]))
        await began(model)
        late = asyncio.create_task(queue.submit([1]))
        while queue.waiting_rows < 1:
            await asyncio.sleep(0)
        now[0] = 2.0
        model.free.set()
        return await asyncio.gather(first, late, return_exceptions=True)

    first, late = asyncio.run(ask())
    assert first == [0]
    assert isinstance(late, QueueFullError)
    assert model.batches == [[0]]


def test_work_whose_caller_has_left_is_dropped():
    model = Model()
    model.free.clear()

    async def ask():
        queue = lane(model)
        first = asyncio.create_task(queue.submit([0]))
        await began(model)
        gone, stays = (asyncio.create_task(queue.submit([n])) for n in (1, 2))
        while queue.waiting_rows < 2:
            await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        model.free.set()
        return await asyncio.gather(first, stays)

    assert asyncio.run(ask()) == [[0], [4]]
    assert model.batches == [[0], [2]]


def test_a_model_that_answers_too_few_rows_is_an_error_not_a_wrong_answer():
    async def ask():
        await lane(lambda items: [1], inline=True).submit([1, 2])

    with pytest.raises(RuntimeError, match="1 outputs for 2 inputs"):
        asyncio.run(ask())
