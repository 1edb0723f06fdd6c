"""When a run is over, and what broke it: decided from the recording alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadtests.arrivals import Profile
from loadtests.plan import Plan
from loadtests.recording import Cell, Figures, Recording, figures, percentile, total
from loadtests.scenarios import Budget, Scenario

DRAIN_S = 20.0
"""How long answers are waited for at the end; longer than a request may take."""
SETTLE_S = 1.0
LEAST_REQUESTS = 20
OTHERS = "other routes"
LATENCY = "latency of "
LAG_SHARE = 0.5
"""Share of the latency budget that the load generator itself may be late by, at p99."""


@dataclass(frozen=True)
class Break:
    """One measure beyond its limit, in words."""

    measure: str
    words: str


@dataclass(frozen=True)
class Step:
    """What one rate led to.

    Attributes:
        rate_per_s: requests a second that were due.
        p95_ms: of the slowest route.
        broken: what was beyond the budget, in the order in which services break; empty within it.
    """

    start_s: float
    end_s: float
    rate_per_s: float
    answered_per_s: float
    p95_ms: float
    slowest: str
    broken: tuple[Break, ...]


def is_over(plan: Plan, rate: Profile, recording: Recording, now_s: float, report_s: float) -> bool:
    """Whether a run is over.

    Args:
        plan: what is sent.
        rate: when.
        recording: what is known so far.
        now_s: seconds into the run.
        report_s: how late the recording is.
    """
    settled_s = now_s - SETTLE_S - report_s
    if settled_s >= rate.seconds and (not recording.pending or now_s >= rate.seconds + DRAIN_S + report_s):
        return True
    # a request counts as slow once it is late by more than the budget
    judged_s = settled_s - plan.scenario.budget.p95_ms / 1000
    return any(step.broken for step in steps(plan.scenario, rate, recording, judged_s))


def steps(scenario: Scenario, rate: Profile, recording: Recording, until_s: float) -> Iterator[Step]:
    """The steps that were over by `until_s`, none where the rate does not rise in steps."""
    if not scenario.steps:
        return
    for start, end in zip(rate.edges, rate.edges[1:], strict=False):
        if end <= until_s:
            yield step(scenario.budget, rate, recording.span(start, end), start, end)


def step(budget: Budget, rate: Profile, cells: Mapping[str, Cell], start_s: float, end_s: float) -> Step:
    """Judge one rate."""
    found = judged(cells)
    slowest = max(found, key=lambda each: each.p95_ms, default=None)
    seconds = end_s - start_s
    return Step(
        start_s=start_s,
        end_s=end_s,
        rate_per_s=rate.expected(start_s, end_s) / seconds,
        answered_per_s=sum(each.answered for each in found) / seconds,
        p95_ms=slowest.p95_ms if slowest else 0.0,
        slowest=slowest.route if slowest else "",
        broken=(*broken(budget, found), *late(budget, cells)),
    )


def judged(cells: Mapping[str, Cell]) -> list[Figures]:
    """Figures to judge, the slowest first: of each route asked often enough, and of the others together.

    p95 of fewer than twenty requests is the slowest of them, which says little.
    """
    often = {route: cell for route, cell in cells.items() if cell.sent >= LEAST_REQUESTS}
    rest = total(cell for route, cell in cells.items() if route not in often)
    groups = often | ({OTHERS: rest} if rest.sent else {})
    return sorted((figures(*group) for group in groups.items()), key=lambda each: -each.p95_ms)


def broken(budget: Budget, found: Sequence[Figures]) -> Iterator[Break]:
    """What of a span's figures is beyond the budget: failures, refusals, then the slowest routes."""
    sent = sum(each.sent for each in found)
    for measure, count, limit in (
        ("failures", sum(each.failed for each in found), budget.failure_share),
        ("refusals", sum(each.shed for each in found), budget.shed_share),
    ):
        if sent and count / sent > limit:
            yield Break(measure, share_in_words(measure, count, sent, limit))
    for each in found:
        if each.p95_ms > budget.p95_ms:
            yield Break(latency_of(each.route), latency_in_words(each, budget.p95_ms))


def latency_of(route: str) -> str:
    """What a route's latency is called."""
    return f"{LATENCY}{route}"


def latency_in_words(found: Figures, limit_ms: float) -> str:
    """A route's latency against its limit."""
    return f"{latency_of(found.route)}: p95 {found.p95_ms:.0f} ms, at most {limit_ms:.0f} ms"


def share_in_words(measure: str, count: int, sent: int, limit: float) -> str:
    """A share of the requests against its limit."""
    share = count / sent if sent else 0.0
    return f"{measure}: {count} of {sent} requests ({share:.2%}), at most {limit:.2%}"


def late(budget: Budget, cells: Mapping[str, Cell]) -> Iterator[Break]:
    """Whether the load generator could not keep up, so that latencies say more of it than of the service."""
    ms = lag_ms(cells)
    limit = LAG_SHARE * budget.p95_ms
    if ms > limit:
        yield Break("generator", f"the load generator: p99 {ms:.0f} ms late, at most {limit:.0f} ms")


def lag_ms(cells: Mapping[str, Cell]) -> float:
    """The milliseconds within which 99 of 100 requests were sent after they were due."""
    return percentile(total(cells.values()).lags, 0.99)
