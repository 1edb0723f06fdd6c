"""What the service must reach, and whether it does."""

from dataclasses import dataclass

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
        one, other = findings.of(FINML, task, 1), findings.of(UNBATCHED, task, 1)
        ratio = one.p50_ms / other.p50_ms if one and other else None
        words = f"{task}, 1 caller: p50 over that with batching off"
        found.append(Criterion(words, ratio, MOST_OVER_UNBATCHED, least=False))
    for callers in (16, 64):
        for rival, bound in ((QUICK_START.name, LEAST_OVER_QUICK_START), (ON_ONNX.name, LEAST_OVER_ONNX)):
            ratio = rates(findings, "credit_risk", callers, FINML, rival)
            found.append(Criterion(f"credit_risk, {callers} callers: rate over {rival}", ratio, bound))
    intent = findings.of(FINML, "intent", 64)
    alone = findings.limit("intent") if findings.limits["intent"] else None
    found.append(
        Criterion(
            "intent, 64 callers: rate over the model alone",
            intent.rate / alone if intent and alone else None,
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
    """Rate of one contender over that of another; `None` where either is missing."""
    mine, theirs = findings.of(one, task, callers), findings.of(other, task, callers)
    return mine.rate / theirs.rate if mine and theirs and theirs.rate else None


def best_peer(findings: Findings, task: Task, callers: int, contenders: list[Contender]) -> str | None:
    """The peer with the highest rate."""
    measured = {
        each.name: found.rate
        for each in contenders
        if each.task == task and each.server.command and (found := findings.of(each.name, task, callers))
    }
    return max(measured, key=measured.__getitem__) if measured else None
