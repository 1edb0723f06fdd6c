"""The page that a load test leaves: one file that holds all it shows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finml.models import pages
from loadtests import charts
from loadtests.arrivals import profile
from loadtests.judging import judged_until
from loadtests.recording import total
from loadtests.run import Outcome


def write(outcome: Outcome, path: Path) -> None:
    """Write the page, whole or not at all."""
    page = pages.templates(Path(__file__).parent).get_template("report.html.jinja").render(**context(outcome))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)


def context(outcome: Outcome) -> Mapping[str, Any]:
    """What the page shows."""
    plan, recording, verdict = outcome.plan, outcome.recording, outcome.verdict
    scenario, rate = plan.scenario, profile(plan.scenario)
    seconds = judged_until(scenario, verdict.steps)
    plots = [("rates", charts.rates(scenario, rate, recording, seconds))]
    if verdict.steps:
        plots.append(("steps", charts.steps(scenario, verdict.steps)))
    if outcome.samples:
        plots.append(("memory", charts.memory(outcome.samples, recording.started_at, scenario, seconds)))
    asked = {route.split("/")[1] for route in recording.span(0, seconds)}
    halves = [
        (action, charts.latency(scenario, recording, seconds, action))
        for action in ("predict", "explain")
        if action in asked
    ]
    whole = total(recording.span(0, seconds).values())
    return {
        "verdict": verdict,
        "plots": plots,
        "halves": halves,
        "scenario": scenario,
        "whole": whole,
        "slowest": max(verdict.routes, key=lambda each: each.p95_ms, default=None),
        "answered_per_s": whole.answered / seconds,
        "mix": sorted(plan.models.items(), key=lambda each: -each[1]),
        "weights": sum(plan.models.values()),
        "at": datetime.fromtimestamp(recording.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
