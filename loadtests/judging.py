"""From a recording to a verdict."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from loadtests.arrivals import Profile, profile
from loadtests.course import capacity, drift, memory_kept, recovery
from loadtests.ending import (
    LAG_SHARE,
    OTHERS,
    Step,
    judged,
    lag_ms,
    latency_in_words,
    latency_of,
    share_in_words,
    steps,
)
from loadtests.memory import Growth, Sample, growth
from loadtests.plan import Plan
from loadtests.recording import Cell, Recording, figures, total
from loadtests.scenarios import Budget, Scenario
from loadtests.verdict import Finding, Verdict

WINDOW_S = 5
"""Seconds over which a limit must be broken to say when it was."""


def judge(plan: Plan, recording: Recording, samples: Sequence[Sample] = ()) -> Verdict:
    """Compare what was measured with the scenario's budget.

    Args:
        plan: what was sent.
        recording: what became of it.
        samples: the service's memory, where it was watched.
    """
    scenario, rate = plan.scenario, profile(plan.scenario)
    found = list(steps(scenario, rate, recording, recording.stopped_s or rate.seconds))
    calm = [second for second in calm_seconds(scenario) if second < judged_until(scenario, found)]
    cells = recording.during(calm)
    routes = [figures(route, cell) for route, cell in cells.items()]
    zero = recording.started_at
    memory = growth(samples, zero + scenario.warmup_s, zero + scenario.seconds)
    findings: list[Finding] = []
    if scenario.steps:
        findings.append(capacity(scenario.budget, [(step.rate_per_s, step.broken) for step in found]))
    else:
        findings += [*shares(scenario, recording), *latencies(scenario.budget, recording, calm)]
        findings += [*recovery(scenario, recording), throughput(scenario, recording)]
        findings += [*drift(scenario, recording), *memory_kept(scenario.budget, memory)]
    return Verdict(
        scenario=plan.name,
        load=load_in_words(plan, rate),
        routes=routes,
        findings=findings,
        steps=found,
        memory=memory,
        cautions=list(cautions(plan, recording, memory)),
        errors=[f"{n} x {words}" for words, n in sorted(recording.errors.items(), key=lambda e: -e[1])],
    )


def judged_until(scenario: Scenario, found: Sequence[Step]) -> int:
    """The second at which the judged part ends: what was under way when a step broke says nothing."""
    return round(found[-1].end_s) if found else scenario.seconds


def calm_seconds(scenario: Scenario) -> list[int]:
    """The seconds whose latency is judged: after the warm-up, and neither in a spike nor while recovering."""
    spike, recovery_s = scenario.spike, scenario.budget.recovery_s or 0
    return [
        second
        for second in range(scenario.warmup_s, scenario.seconds)
        if not (spike and spike.after_s <= second < math.ceil(spike.end_s + recovery_s))
    ]


def shares(scenario: Scenario, recording: Recording) -> Iterator[Finding]:
    """Failures and refusals of the whole run, spikes included."""
    seconds = range(scenario.warmup_s, scenario.seconds)
    whole = total(recording.during(seconds).values())
    if not whole.sent:
        yield Finding(measure="failures", passed=False, words="failures: nothing was sent")
        return
    counts: list[tuple[str, Callable[[Cell], int], float]] = [
        ("failures", lambda cell: cell.failed + cell.pending, scenario.budget.failure_share),
        ("refusals", lambda cell: cell.shed, scenario.budget.shed_share),
    ]
    for measure, count, limit in counts:
        passed = count(whole) / whole.sent <= limit
        windows = by_window(recording, seconds)
        beyond = (at for at, cells in windows if count(cell := total(cells.values())) > limit * cell.sent)
        yield Finding(
            measure=measure,
            passed=passed,
            words=share_in_words(measure, count(whole), whole.sent, limit),
            since_s=None if passed else next(beyond, None),
        )


def latencies(budget: Budget, recording: Recording, seconds: Sequence[int]) -> Iterator[Finding]:
    """p95 of each route, the slowest first; of those asked seldom together."""
    found = judged(recording.during(seconds))
    often = {each.route for each in found}
    for each in found:
        passed = each.p95_ms <= budget.p95_ms
        yield Finding(
            measure=latency_of(each.route),
            passed=passed,
            words=latency_in_words(each, budget.p95_ms),
            since_s=None if passed else slow_since(budget, recording, seconds, each.route, often),
        )


def slow_since(
    budget: Budget, recording: Recording, seconds: Sequence[int], route: str, often: set[str]
) -> float | None:
    """The second from which on a route, or all that are not asked often, was first too slow."""
    for at, cells in by_window(recording, seconds):
        chosen = [c for name, c in cells.items() if name == route or (route == OTHERS and name not in often)]
        if figures(route, total(chosen)).p95_ms > budget.p95_ms:
            return at
    return None


def by_window(recording: Recording, seconds: Sequence[int]) -> Iterator[tuple[float, Mapping[str, Cell]]]:
    """A few seconds at a time: when they begin, and what was due in them."""
    for place in range(0, len(seconds), WINDOW_S):
        window = seconds[place : place + WINDOW_S]
        yield float(window[0]), recording.during(window)


def throughput(scenario: Scenario, recording: Recording) -> Finding:
    """Right answers a second."""
    whole = total(recording.span(scenario.warmup_s, scenario.seconds).values())
    rate = whole.answered / (scenario.seconds - scenario.warmup_s)
    least = scenario.budget.requests_per_s
    words = f"throughput: {rate:.1f} answers a second, at least {least:g}"
    return Finding(measure="throughput", passed=rate >= least, words=words)


def cautions(plan: Plan, recording: Recording, memory: Growth | None) -> Iterator[str]:
    """What must be known before the figures are trusted."""
    scenario = plan.scenario
    ms = lag_ms(recording.during(calm_seconds(scenario)))
    if ms > LAG_SHARE * scenario.budget.p95_ms:
        yield (
            f"the load generator was late by {ms:.0f} ms (p99), which latencies include: "
            "give it cores of its own, or --processes"
        )
    if absent := sorted(set(scenario.mix).difference(plan.models)):
        yield f"not served, so not asked: {', '.join(absent)}"
    if scenario.budget.memory_mib_per_hour and memory is None:
        yield "memory was not judged: the service was not started here, or the run was too short"
    if memory is not None and not memory.steady:
        yield "processes ended or began while memory was judged: what those held that ended is not seen"


def load_in_words(plan: Plan, rate: Profile) -> str:
    """What was sent, on one line."""
    scenario = plan.scenario
    if not scenario.is_open:
        low, high = scenario.think_s or (0, 0)
        said = f"{scenario.users} callers that wait for answers and then {low:g} to {high:g} s"
    elif scenario.steps:
        said = (
            f"open arrivals from {rate.rates[0]:g} requests a second, "
            f"times {scenario.steps.factor:g} every {scenario.steps.every_s} s"
        )
    else:
        said = f"open arrivals, {scenario.rate_per_s:g} requests a second of {scenario.users} callers"
    if scenario.bursts:
        said += f", bursts of {scenario.bursts.on_s:g} s times {scenario.bursts.factor:g}"
    if scenario.spike:
        said += f", a spike of {scenario.spike.for_s} s times {scenario.spike.factor:g}"
    return f"{said}, for {scenario.seconds} s"
