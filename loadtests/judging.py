"""From a recording to a verdict."""

import math
from collections.abc import Iterator, Sequence

from loadtests.arrivals import Profile, profile
from loadtests.ending import LAG_SHARE, Break, Step, broken, lag_ms, steps
from loadtests.memory import Growth, Sample, growth
from loadtests.plan import Plan
from loadtests.recording import Figures, Recording, figures, percentile, total
from loadtests.scenarios import Budget, Scenario
from loadtests.verdict import Finding, Verdict

WINDOW_S = 5
"""Seconds over which a limit must be broken to say when it was."""
RECOVERED_S = 3
"""Seconds in a row that must be within budget after a spike."""


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
        findings += [*shares(scenario, recording), *latencies(scenario.budget, routes, recording, calm)]
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
    whole = total(recording.span(scenario.warmup_s, scenario.seconds).values())
    failed = whole.failed + whole.pending
    budget = scenario.budget
    for measure, count, limit in (
        ("failures", failed, budget.failure_share),
        ("refusals", whole.shed, budget.shed_share),
    ):
        share = count / whole.sent if whole.sent else float(measure == "failures")
        words = f"{measure}: {count} of {whole.sent} requests ({share:.2%}), at most {limit:.2%}"
        seconds = range(scenario.warmup_s, scenario.seconds)
        since = None if share <= limit else first_break(measure, budget, recording, seconds)
        yield Finding(measure=measure, passed=share <= limit, words=words, since_s=since)


def latencies(
    budget: Budget, routes: Sequence[Figures], recording: Recording, seconds: Sequence[int]
) -> Iterator[Finding]:
    """p95 of each route, the slowest first."""
    for route in sorted(routes, key=lambda each: -each.p95_ms):
        measure = f"latency of {route.route}"
        passed = route.p95_ms <= budget.p95_ms
        yield Finding(
            measure=measure,
            passed=passed,
            words=f"{measure}: p95 {route.p95_ms:.0f} ms, at most {budget.p95_ms:.0f} ms",
            since_s=None if passed else first_break(measure, budget, recording, seconds),
        )


def first_break(measure: str, budget: Budget, recording: Recording, seconds: Sequence[int]) -> float | None:
    """The second from which on a measure was first beyond its limit, over a few seconds."""
    for place in range(0, len(seconds), WINDOW_S):
        window = seconds[place : place + WINDOW_S]
        found = [figures(route, cell) for route, cell in recording.during(window).items()]
        if any(each.measure == measure for each in broken(budget, found)):
            return float(window[0])
    return None


def throughput(scenario: Scenario, recording: Recording) -> Finding:
    """Right answers a second."""
    whole = total(recording.span(scenario.warmup_s, scenario.seconds).values())
    rate = whole.answered / (scenario.seconds - scenario.warmup_s)
    least = scenario.budget.requests_per_s
    words = f"throughput: {rate:.1f} answers a second, at least {least:g}"
    return Finding(measure="throughput", passed=rate >= least, words=words)


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
        f"{memory.start_mib:.0f} to {memory.end_mib:.0f} MiB, at most {limit:+g}",
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
