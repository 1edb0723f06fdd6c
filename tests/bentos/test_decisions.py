"""Decisions of many requests go to the audit log together."""

import asyncio

import pytest

from bentos.decisions import Decisions
from finml.errors import AuditError


class Log:
    """An audit log in memory; refuses entries that say so, and everything while its disk is full."""

    def __init__(self, *, full: bool = False) -> None:
        self.writes: list[list[str]] = []
        self.full = full

    def append(self, entries) -> None:
        if self.full:
            raise AuditError("no space left")
        if any("bad" in entry for entry in entries):
            raise ValueError("bad")
        self.writes.append([name for entry in entries for name in entry])


def entered(log: Log, *requests: list[str]) -> list[object]:
    """What each of some requests at once is told."""

    async def run() -> list[object]:
        decisions = Decisions(log)
        entries = [[{name: 1} for name in names] for names in requests]
        return await asyncio.gather(*map(decisions.enter, entries), return_exceptions=True)

    return asyncio.run(run())


def test_decisions_of_one_moment_are_one_write():
    log = Log()
    assert entered(log, ["a", "b"], ["c"], ["d"]) == [None] * 3
    assert log.writes == [["a", "b", "c", "d"]]


def test_nobody_is_told_of_a_decision_that_is_not_written():
    found = entered(Log(full=True), ["a"], ["b"])
    assert [type(one) for one in found] == [AuditError, AuditError]


def test_a_decision_that_cannot_be_entered_does_not_hinder_others():
    log = Log()
    first, second, third = entered(log, ["a"], ["bad"], ["c"])
    assert (first, third) == (None, None)
    assert isinstance(second, ValueError)
    assert log.writes == [["a"], ["c"]]


def test_the_decision_of_a_caller_that_has_left_is_entered_all_the_same():
    async def run(log: Log) -> None:
        decisions = Decisions(log)
        leaving, staying = (asyncio.create_task(decisions.enter([{name: 1}])) for name in "ab")
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving

    log = Log()
    asyncio.run(run(log))
    assert log.writes == [["a", "b"]]


def test_one_after_the_other_they_are_written_one_after_the_other():
    async def run(log: Log) -> None:
        decisions = Decisions(log)
        await decisions.enter([{"a": 1}])
        await decisions.enter([{"b": 1}])

    log = Log()
    asyncio.run(run(log))
    assert log.writes == [["a"], ["b"]]
