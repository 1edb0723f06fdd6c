"""Which version answers, what is scored unseen, and what is learned of each version."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from bentos import served as served_module
from bentos.batching import Limits
from bentos.served import GONE, ServedModel
from bentos.shadows import MOST_SHADOWS
from finml.errors import DataError, FeatureError
from finml.routing.router import Choice
from tests.bentos.doubling import Doubler, Number, doubling


@dataclass
class Chooses:
    """A router that sends even users to one version and odd ones to another."""

    even: Choice
    odd: Choice
    seen: list[tuple[str, bool]] = field(default_factory=list)

    def route(self, model: str, sticky: str) -> Choice:
        return self.odd if sticky.endswith(("1", "3", "5", "7", "9")) else self.even

    def observe(self, model, variant, *, ok, latency_s, score) -> None:
        self.seen.append((variant, ok))


CHAMPION, CHALLENGER = Choice("champion", None), Choice("challenger", None)


def served(router, **scorers) -> ServedModel:
    versions = {"champion": Doubler("doubling@1"), "challenger": Doubler("doubling@2")} | scorers
    return ServedModel(doubling(), versions, router, Limits())


def ask(model: ServedModel, numbers: dict[str, int], **options):
    async def answer():
        inputs = [Number(user_id=user, number=number) for user, number in numbers.items()]
        try:
            return await model.answer("predict", inputs, **options)
        finally:
            await model.close()

    return asyncio.run(answer())


def test_every_item_is_answered_by_the_version_of_its_user_and_in_its_place():
    router = Chooses(CHAMPION, CHALLENGER)
    given = ask(served(router), {f"u{n}": n for n in range(10)})
    assert [one.answered.output.doubled for one in given] == [2 * n for n in range(10)]
    assert [one.variant for one in given] == ["champion", "challenger"] * 5
    assert {one.spec for one in given if one.variant == "challenger"} == {"doubling@2"}
    assert Counter(router.seen) == {("champion", True): 1, ("challenger", True): 1}


def test_inputs_without_a_user_are_left_to_the_router():
    router = Chooses(CHAMPION, CHALLENGER)
    model = served(router)

    async def answer():
        return await model.answer("predict", [Number(number=1)])

    (given,) = asyncio.run(answer())
    assert given.variant == "champion"


def test_a_challenger_that_fails_is_counted_and_the_champion_answers():
    broken = Doubler("doubling@2")
    broken.error = RuntimeError("boom")
    router = Chooses(CHALLENGER, CHALLENGER)
    (given,) = ask(served(router, challenger=broken), {"u0": 4})
    assert (given.variant, given.answered.output.doubled) == ("champion", 8)
    assert router.seen == [("challenger", False), ("champion", True)]


def test_a_failure_counts_once_a_request_and_is_told_of_each_input():
    broken = Doubler("doubling@2")
    broken.error = RuntimeError("boom")
    router, told = Chooses(CHALLENGER, CHALLENGER), []
    ask(served(router, challenger=broken), {"u0": 4, "u1": 5}, aside=lambda *one: told.append(one))
    assert Counter(router.seen) == {("challenger", False): 1, ("champion", True): 1}
    assert [(place, one.spec, one.error, shadow) for place, one, shadow in told] == [
        (0, "doubling@2", "RuntimeError", False),
        (1, "doubling@2", "RuntimeError", False),
    ]


def test_what_the_champion_takes_does_not_include_the_challengers_attempt(monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(served_module, "time", clock)

    class Slow(Doubler):
        def answers(self, inputs, *, explain):
            clock.now += 60
            raise RuntimeError("boom")

    (given,) = ask(served(Chooses(CHALLENGER, CHALLENGER), challenger=Slow("doubling@2")), {"u0": 4})
    assert given.latency_s == 0
    assert clock.now == 60


@pytest.mark.parametrize(("message", "seen"), [(None, [("challenger", False)]), (GONE, [])])
def test_time_that_runs_out_is_held_against_the_version_and_a_caller_who_leaves_is_not(message, seen):
    hangs = Doubler("doubling@2")
    hangs.free.clear()
    router, told = Chooses(CHALLENGER, CHALLENGER), []
    model = served(router, challenger=hangs)

    async def answer():
        asked = [Number(user_id="u0", number=1)]
        asking = asyncio.create_task(model.answer("predict", asked, aside=lambda *one: told.append(one)))
        await asyncio.to_thread(hangs.began.wait, 5)
        asking.cancel(message)
        with pytest.raises(asyncio.CancelledError):
            await asking
        hangs.free.set()
        await model.close()

    asyncio.run(answer())
    assert router.seen == seen
    assert [one.error for _, one, _ in told] == ["TimeoutError"] * len(seen)


def test_a_champion_that_fails_is_an_error():
    broken = Doubler("doubling@1")
    broken.error = RuntimeError("boom")
    with pytest.raises(RuntimeError, match="boom"):
        ask(served(Chooses(CHAMPION, CHAMPION), champion=broken), {"u0": 4})


class Picky(Doubler):
    """Cannot answer what others can."""

    def answers(self, inputs, *, explain):
        raise DataError("not this one")


def test_an_input_that_only_the_challenger_refuses_is_held_against_it():
    router = Chooses(CHALLENGER, CHALLENGER)
    (given,) = ask(served(router, challenger=Picky("doubling@2")), {"u0": 4})
    assert given.variant == "champion"
    assert ("challenger", False) in router.seen


def test_an_input_that_both_refuse_is_held_against_nobody():
    router = Chooses(CHALLENGER, CHALLENGER)
    with pytest.raises(DataError):
        ask(served(router), {"u0": -1})
    assert router.seen == []


@pytest.mark.parametrize(("number", "error"), [(-1, DataError), (-2, FeatureError)])
def test_what_is_not_the_versions_fault_is_not_held_against_it(number, error):
    router = Chooses(CHAMPION, CHAMPION)
    with pytest.raises(error):
        ask(served(router), {"u0": number})
    assert router.seen == []


def test_a_shadow_is_scored_and_logged_but_never_returned():
    shadowed = Chooses(Choice("champion", "challenger"), CHAMPION)
    logged = {}
    given = ask(
        served(shadowed),
        {"u0": 1, "u1": 2, "u2": 3},
        aside=lambda place, one, shadow: logged.update({(place, shadow): one}),
    )
    assert [one.spec for one in given] == ["doubling@1"] * 3
    assert {key: one.spec for key, one in logged.items()} == {
        (0, True): "doubling@2",
        (2, True): "doubling@2",
    }


def test_shadows_beyond_those_that_are_kept_under_way_are_counted():
    model = served(Chooses(Choice("champion", "challenger"), CHAMPION))
    challenger = model.variants["challenger"].scorer
    challenger.free.clear()

    async def answer():
        inputs = [Number(user_id=f"u{number}", number=number) for number in range(3)]
        given = [await model.answer("predict", inputs) for _ in range(MOST_SHADOWS + 3)]
        challenger.free.set()
        await model.close()
        return given

    assert [len(each) for each in asyncio.run(answer())] == [3] * (MOST_SHADOWS + 3)
    # two of three inputs have a shadow
    assert model.shadows.dropped == 6
    assert sum(map(len, challenger.batches)) == 2 * MOST_SHADOWS


def test_a_shadow_that_fails_harms_nobody():
    broken = Doubler("doubling@2")
    broken.error = RuntimeError("boom")
    router, told = Chooses(Choice("champion", "challenger"), CHAMPION), []
    model = served(router, challenger=broken)
    (given,) = ask(model, {"u0": 4}, aside=lambda *one: told.append(one))
    assert given.answered.output.doubled == 8
    assert ("challenger", False) in router.seen
    assert [(place, one.error, shadow) for place, one, shadow in told] == [(0, "RuntimeError", True)]


def test_a_shadow_is_off_the_requests_path():
    slow = Doubler("doubling@2")
    slow.free.clear()
    model = served(Chooses(Choice("champion", "challenger"), CHAMPION), challenger=slow)

    async def answer():
        found = await model.answer("predict", [Number(user_id="u0", number=1)])
        held = not slow.batches
        slow.free.set()
        await model.close()
        return found, held

    (given,), held = asyncio.run(answer())
    assert held
    assert given.answered.output.doubled == 2
