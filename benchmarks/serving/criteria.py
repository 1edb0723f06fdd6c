"""What the service must reach, and whether it does.

Ratios are taken within a repetition, and their median counts: a machine is not equally fast all the time.
"""

from dataclasses import dataclass
from statistics import median

from benchmarks.serving.cases import Task
from benchmarks.serving.contenders import FINML, ON_ONNX, QUICK_START, UNBATCHED, Contender
from benchmarks.serving.measuring import Findings

MOST_OVER_UNBATCHED = 1.15
LEAST_OVER_QUICK_START = 1.5
LEAST_OVER_ONNX = 1.0
LEAST_OF_LIMIT = 0.85
LEAST_OVER_BEST_PEER = 1.3
TASKS: tuple[Task, ...] = ("credit_risk", "intent")


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold.

    Attributes:
        words: what.
        figure: the ratio that was found; `None` where a side was not measured.
        bound: the ratio that it is held to.
        least: whether the bound is the least that is enough, or the most.
    """

    words: str
    figure: float | None
    bound: float
    least: bool = True

    @property
    def passed(self) -> bool:
        """Whether it holds; what was not measured does not."""
        if self.figure is None:
            return False
        return self.figure >= self.bound if self.least else self.figure <= self.bound


def criteria(findings: Findings, contenders: list[Contender]) -> list[Criterion]:
    """All of them."""
    found = []
    for task in TASKS:
        pairs = findings.paired(task, 1, FINML, UNBATCHED)
        ratio = median(one.p50_ms / other.p50_ms for one, other in pairs.values()) if pairs else None
        words = f"{task}, 1 caller: p50 over that with batching off"
        found.append(Criterion(words, ratio, MOST_OVER_UNBATCHED, least=False))
    for callers in (16, 64):
        for rival, bound in ((QUICK_START.name, LEAST_OVER_QUICK_START), (ON_ONNX.name, LEAST_OVER_ONNX)):
            ratio = rates(findings, "credit_risk", callers, FINML, rival)
            found.append(Criterion(f"credit_risk, {callers} callers: rate over {rival}", ratio, bound))
    pairs = findings.paired("intent", 64, FINML, FINML)
    of_limit = [mine.rate / findings.limits["intent"][turn] for turn, (mine, _) in pairs.items()]
    found.append(
        Criterion(
            "intent, 64 callers: rate over the model alone",
            median(of_limit) if of_limit else None,
            LEAST_OF_LIMIT,
        )
    )
    best = best_peer(findings, "intent", 64, contenders)
    found.append(
        Criterion(
            f"intent, 64 callers: rate over the best peer ({best or 'none'})",
            rates(findings, "intent", 64, FINML, best) if best else None,
            LEAST_OVER_BEST_PEER,
        )
    )
    return found


def rates(findings: Findings, task: Task, callers: int, one: str, other: str) -> float | None:
    """Rate of one contender over that of another: the median of each repetition's; `None` without one."""
    pairs = findings.paired(task, callers, one, other)
    found = [mine.rate / theirs.rate for mine, theirs in pairs.values() if theirs.rate]
    return median(found) if found else None


def best_peer(findings: Findings, task: Task, callers: int, contenders: list[Contender]) -> str | None:
    """The peer with the highest rate."""
    measured = {
        each.name: found.rate
        for each in contenders
        if each.task == task and each.server.command and (found := findings.of(each.name, task, callers))
    }
    return max(measured, key=measured.__getitem__) if measured else None
