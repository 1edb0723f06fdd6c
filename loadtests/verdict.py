"""A verdict, and the one screen that it is told on."""

from typing import Any

from pydantic import BaseModel

from loadtests.ending import LATENCY, Step
from loadtests.memory import Growth
from loadtests.recording import Figures

MOST_ERRORS = 5
MOST_STEPS = 14


class Finding(BaseModel):
    """One measure against its limit.

    Attributes:
        measure: as in `failures` or `latency of /predict/intent`.
        words: with value and limit.
        since_s: seconds into the run at which the limit was first broken; `None` where it was not, or
            where the measure is of the whole run.
    """

    measure: str
    passed: bool
    words: str
    since_s: float | None = None


class Verdict(BaseModel):
    """What a load test found.

    Attributes:
        load: what was sent, in words.
        routes: figures of the judged part of the run.
        findings: in the order in which services break: they fail, they slow, they fall behind.
        steps: where the rate rose in steps, what each led to.
        memory: how the service's memory changed, where it was watched.
        cautions: what a reader must know before trusting the figures.
        errors: what failed, most frequent first.
    """

    scenario: str
    load: str
    routes: list[Figures]
    findings: list[Finding]
    steps: list[Step] = []
    memory: Growth | None = None
    cautions: list[str] = []
    errors: list[str] = []

    @property
    def passed(self) -> bool:
        """Whether every measure is within its limit."""
        return all(finding.passed for finding in self.findings)

    @property
    def first_broken(self) -> Finding | None:
        """What was beyond its limit before anything else was."""
        broken = [finding for finding in self.findings if not finding.passed]
        return min(
            broken, key=lambda each: float("inf") if each.since_s is None else each.since_s, default=None
        )

    @property
    def headline(self) -> str:
        """Whether it passed, or what broke first."""
        first = self.first_broken
        if first is None:
            found = f", {self.findings[0].words}" if self.steps else ""
            return f"{self.scenario}: within budget{found}"
        since = "" if first.since_s is None else f", from second {first.since_s:.0f} on"
        return f"{self.scenario}: BROKEN, first by {first.words}{since}"

    def document(self) -> dict[str, Any]:
        """The verdict as plain data."""
        first = self.first_broken
        return {
            "passed": self.passed,
            "first_broken": first.measure if first else None,
            **self.model_dump(mode="json"),
        }

    def to_text(self) -> str:
        """The verdict on one screen."""
        lines = [self.headline, self.load, "", *self._table(), *self._steps(), ""]
        lines += [f"{'ok    ' if each.passed else 'BROKEN'} {each.words}" for each in self.told()]
        lines += [f"note   {each}" for each in self.cautions]
        if self.errors:
            lines += [
                "",
                "errors, most frequent first:",
                *(f"  {each}" for each in self.errors[:MOST_ERRORS]),
            ]
        return "\n".join(lines)

    def told(self) -> list[Finding]:
        """All that broke, all but latency, and the slowest latency: the table has the routes in order.

        Findings have the slowest route first.
        """
        latencies = [each for each in self.findings if each.measure.startswith(LATENCY)]
        return [each for each in self.findings if not each.passed or each not in latencies[1:]]

    def _table(self) -> list[str]:
        if self.steps:
            return []
        head = f"{'route':<24}{'requests':>9}{'shed':>7}{'failed':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"
        return [
            head,
            *(
                f"{each.route:<24}{each.sent:>9}{each.shed:>7}{each.failed:>7}"
                f"{each.p50_ms:>9.1f}{each.p95_ms:>9.1f}{each.p99_ms:>9.1f}"
                for each in self.routes
            ),
        ]

    def _steps(self) -> list[str]:
        if not self.steps:
            return []
        head = f"{'requests/s':>10}{'answered/s':>12}{'p95 ms':>9}  slowest route"
        left_out = len(self.steps) - MOST_STEPS
        return [
            head,
            *([f"{f'{left_out} lower rates, all within budget':>31}"] if left_out > 0 else []),
            *(
                f"{each.rate_per_s:>10.0f}{each.answered_per_s:>12.0f}{each.p95_ms:>9.0f}  {each.slowest:<24}"
                + ("BROKEN" if each.broken else "")
                for each in self.steps[-MOST_STEPS:]
            ),
        ]
