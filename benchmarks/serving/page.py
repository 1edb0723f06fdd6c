"""What was measured as tables in Markdown, and as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.serving.contenders import WORKERS, Contender
from benchmarks.serving.criteria import TASKS, Criterion
from benchmarks.serving.measuring import Findings, Plan

LIMIT_OF = {"credit_risk": ("credit_risk", "credit_risk_reasons"), "intent": ("intent",)}


def tables(findings: Findings, contenders: Sequence[Contender], plan: Plan) -> str:
    """A table a task; rate, p50 and p99 at each number of callers."""
    parts = []
    for task in TASKS:
        own = [each for each in contenders if each.task == task]
        measured = [each for each in own if findings.of(each.name, task, plan.connections[0])]
        if not measured:
            continue
        heads = " | ".join(f"{callers} caller{'s' if callers > 1 else ''}" for callers in plan.connections)
        parts += [f"### {task}", "", f"| | answers | {heads} | errors | of the limit |"]
        parts.append(f"|---|---|{'--:|' * (len(plan.connections) + 2)}")
        parts += [line(findings, each, plan) for each in measured]
        alone = ", ".join(f"{name} {findings.limit(name):,.0f}" for name in LIMIT_OF[task])
        parts += ["", f"Rows a second of the model alone in {WORKERS} processes: {alone}.", ""]
    parts += [f"- {name}: not measured. {why}" for name, why in findings.skipped.items()]
    return "\n".join(parts)


def line(findings: Findings, contender: Contender, plan: Plan) -> str:
    """A contender's row."""
    found = [findings.of(contender.name, contender.task, callers) for callers in plan.connections]
    cells = [f"{each.rate:,.0f}/s, {each.p50_ms:.2f}, {each.p99_ms:.1f} ms" if each else "" for each in found]
    errors = max(each.errors for each in found if each)
    limit = findings.limit("credit_risk_reasons" if "reasons" in contender.answers else contender.task)
    best = max(each.rate for each in found if each) / limit
    return f"| {contender.name} | {contender.answers} | {' | '.join(cells)} | {errors:.1%} | {best:.2f} |"


def verdicts(found: Sequence[Criterion]) -> str:
    """The criteria with what was found."""
    rows = ["| criterion | found | bound | |", "|---|--:|--:|---|"]
    for each in found:
        figure = "not measured" if each.figure is None else f"{each.figure:.2f}"
        bound = f"{'at least' if each.least else 'at most'} {each.bound:g}"
        rows.append(f"| {each.words} | {figure} | {bound} | {'pass' if each.passed else 'FAIL'} |")
    return "\n".join(rows)


def document(
    findings: Findings, found: Sequence[Criterion], plan: Plan, versions: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Everything, for the file."""
    return {
        "machine": {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version()},
        "plan": asdict(plan) | {"workers": WORKERS},
        "versions": versions,
        "limits": findings.limits,
        "runs": [
            {**asdict(run), "measured": {name: round(v, 4) for name, v in asdict(run.measured).items()}}
            for run in findings.runs
        ],
        "skipped": findings.skipped,
        "criteria": [asdict(each) | {"passed": each.passed} for each in found],
    }
