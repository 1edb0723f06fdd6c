"""From Locust's statistics to a verdict on one screen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.scenarios import Budget


@dataclass(frozen=True)
class RouteFigures:
    """What was measured on one route.

    Attributes:
        p50_ms, p95_ms, p99_ms: milliseconds within which that share of the requests was answered.
    """

    route: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Finding:
    """One figure against its budget."""

    name: str
    value: float
    limit: float
    passed: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """The findings, in the order in which a service breaks: it fails, it slows, it falls behind."""

    scenario: str
    routes: list[RouteFigures]
    findings: list[Finding]
    errors: list[str]

    @property
    def passed(self) -> bool:
        """Whether every figure is within its budget."""
        return all(finding.passed for finding in self.findings)

    def to_text(self) -> str:
        """The verdict on one screen; the first line says whether it passed, or what broke first."""
        broken = next((finding for finding in self.findings if not finding.passed), None)
        lines = [
            f"{self.scenario}: " + (f"BROKEN, first by {broken.words}" if broken else "within budget"),
            "",
            f"{'route':<28}{'requests':>9}{'failed':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}",
        ]
        lines += [
            f"{route.route:<28}{route.requests:>9}{route.failures:>8}"
            f"{route.p50_ms:>9.0f}{route.p95_ms:>9.0f}{route.p99_ms:>9.0f}"
            for route in self.routes
        ]
        lines += ["", *(f"{'ok    ' if f.passed else 'BROKEN'} {f.words}" for f in self.findings)]
        if self.errors:
            lines += ["", "errors, most frequent first:", *(f"  {error}" for error in self.errors[:5])]
        return "\n".join(lines)


def judge(
    scenario: str, budget: Budget, stats: Iterable[Mapping[str, Any]], seconds: float, errors: list[str]
) -> Verdict:
    """Compare what was measured with the budget.

    Args:
        scenario: its name.
        budget: what it may cost.
        stats: Locust's entries, one a route.
        seconds: how long the load lasted.
        errors: what failed, most frequent first.
    """
    routes = [figures(entry) for entry in stats if entry["num_requests"]]
    total = sum(route.requests for route in routes)
    failed = sum(route.failures for route in routes)
    share = failed / total if total else 1.0
    findings = [
        Finding(
            "failure_share",
            share,
            budget.failure_share,
            share <= budget.failure_share,
            f"failures: {failed} of {total} requests ({share:.2%}), at most {budget.failure_share:.2%}",
        )
    ]
    findings += [
        Finding(
            f"p95_ms {route.route}",
            route.p95_ms,
            budget.p95_ms,
            route.p95_ms <= budget.p95_ms,
            f"latency of {route.route}: p95 {route.p95_ms:.0f} ms, at most {budget.p95_ms:.0f} ms",
        )
        for route in sorted(routes, key=lambda each: -each.p95_ms)
    ]
    rate = (total - failed) / seconds
    findings.append(
        Finding(
            "requests_per_s",
            rate,
            budget.requests_per_s,
            rate >= budget.requests_per_s,
            f"throughput: {rate:.0f} answers a second, at least {budget.requests_per_s:.0f}",
        )
    )
    return Verdict(scenario, routes, findings, errors)


def figures(entry: Mapping[str, Any]) -> RouteFigures:
    """One route's figures from Locust's entry, whose response times are a histogram in milliseconds."""
    times = sorted((float(ms), int(count)) for ms, count in entry["response_times"].items())
    return RouteFigures(
        route=entry["name"],
        requests=entry["num_requests"],
        failures=entry["num_failures"],
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        p99_ms=percentile(times, 0.99),
    )


def percentile(times: list[tuple[float, int]], share: float) -> float:
    """The least time within which `share` of the requests of a sorted histogram were answered."""
    reached, wanted = 0, share * sum(count for _, count in times)
    for ms, count in times:
        reached += count
        if reached >= wanted:
            return ms
    return 0.0
