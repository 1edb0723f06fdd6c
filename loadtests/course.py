"""How a run went over time: recovery from a spike, drift, memory, and where a rising rate broke."""

import math
from collections.abc import Iterator, Sequence

from loadtests.ending import Break, broken
from loadtests.memory import Growth
from loadtests.recording import Recording, figures, percentile, total
from loadtests.scenarios import Budget, Scenario
from loadtests.verdict import Finding

RECOVERED_S = 3
"""Seconds in a row that must be within budget after a spike."""


def recovery(scenario: Scenario, recording: Recording) -> Iterator[Finding]:
    """How long after a spike it took until all was within budget again."""
    spike, limit = scenario.spike, scenario.budget.recovery_s
    if not spike or limit is None:
        return
    took = recovery_s(scenario, recording)
    words = "not within the run" if took is None else f"{took} s after the spike"
    yield Finding(
        measure="recovery",
        passed=took is not None and took <= limit,
        words=f"recovery: {words}, at most {limit:g} s",
        since_s=None if took is not None and took <= limit else spike.end_s + limit,
    )


def recovery_s(scenario: Scenario, recording: Recording) -> int | None:
    """Seconds from a spike's end until several in a row are within budget, all routes together.

    Requests count for the second in which they were due, so a backlog is not over before it was worked off.
    """
    budget, kept = scenario.budget, 0
    start = int(scenario.spike.end_s) if scenario.spike else 0
    for second in range(start, scenario.seconds):
        cell = total(recording.during([second]).values())
        within = not list(broken(budget, [figures("all", cell)]))
        kept = kept + 1 if within else 0
        if kept == RECOVERED_S:
            return second + 1 - RECOVERED_S - start
    return None


def drift(scenario: Scenario, recording: Recording) -> Iterator[Finding]:
    """Whether answers got slower: p95 of the last third over that of the first."""
    limit = scenario.budget.drift
    if limit is None:
        return
    third = (scenario.seconds - scenario.warmup_s) // 3
    spans = [(scenario.warmup_s, scenario.warmup_s + third), (scenario.seconds - third, scenario.seconds)]
    first, last = (percentile(total(recording.span(*span).values()).times, 0.95) for span in spans)
    ratio = last / first if first else math.inf
    yield Finding(
        measure="drift",
        passed=ratio <= limit,
        words=f"drift: p95 of the last third {last:.0f} ms, {ratio:.2f} times that of the first, "
        f"at most {limit:g}",
    )


def memory_kept(budget: Budget, memory: Growth | None) -> Iterator[Finding]:
    """Whether memory stayed flat, where it was watched."""
    limit = budget.memory_mib_per_hour
    if limit is None or memory is None:
        return
    yield Finding(
        measure="memory",
        passed=memory.mib_per_hour <= limit,
        words=f"memory: {memory.mib_per_hour:+.1f} MiB an hour ({memory.low:+.1f} to {memory.high:+.1f}), "
        f"{memory.start_mib:.0f} to {memory.end_mib:.0f} MiB and {memory.peak_mib:.0f} at times, "
        f"at most {limit:+g}",
    )


def capacity(budget: Budget, found: Sequence[tuple[float, Sequence[Break]]]) -> Finding:
    """The highest rate within budget, and what broke at the next."""
    best = 0.0
    for rate, broken_by in found:
        if broken_by:
            words = f"; at {rate:.0f} first {broken_by[0].words}"
            break
        best = rate
    else:
        words = "; the highest rate that was tried"
    passed = best >= budget.requests_per_s
    said = f"capacity: {best:.0f} requests a second, at least {budget.requests_per_s:g}{words}"
    return Finding(measure="capacity", passed=passed, words=said)
