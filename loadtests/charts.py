"""Plots of a load test over time, each as an SVG inside a data URI."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from finml.models.plots import BLUE, GREEN, GRID, INK, MUTED, ORANGE, axes
from loadtests.arrivals import Profile
from loadtests.ending import Step
from loadtests.memory import Sample
from loadtests.recording import Recording, figures, total
from loadtests.scenarios import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, HALF = (9.6, 3.0), (4.7, 3.2)
MOST_POINTS, MOST_PERCENTILES = 60, 25
MOST_TIMES = 2.5
COLOURS = {
    "intent": BLUE,
    "entities": GREEN,
    "anomaly": ORANGE,
    "spending": "#8a5fb0",
    "credit_risk": "#b08a1e",
}


def rates(scenario: Scenario, rate: Profile, recording: Recording, seconds: int) -> str:
    """Requests a second over time: due, answered, refused, failed."""
    width = window(seconds, MOST_POINTS)
    starts = range(0, seconds, width)
    cells = [total(recording.span(start, start + width).values()) for start in starts]
    with axes("Requests a second", "seconds", "", size=WIDE) as (on, drawn):
        edges = [*starts, seconds]
        answered = [cell.answered / width for cell in cells]
        if scenario.is_open:
            due = [rate.expected(start, start + width) / width for start in starts]
            on.stairs(due, edges, color=MUTED, linewidth=1.2, label="due", baseline=None)
        on.stairs(answered, edges, color=BLUE, fill=True, alpha=0.25)
        on.stairs(answered, edges, color=BLUE, linewidth=1.6, label="answered", baseline=None)
        for label, colour, counts in (
            ("refused", ORANGE, [cell.shed for cell in cells]),
            ("failed", "#b3261e", [cell.failed + cell.pending for cell in cells]),
        ):
            if any(counts):
                on.stairs(
                    [n / width for n in counts],
                    edges,
                    color=colour,
                    linewidth=1.8,
                    label=label,
                    baseline=None,
                )
        _mark(on, scenario)
        on.set(xlim=(0, seconds), ylim=(0, None))
        on.legend(loc="upper left", ncols=4)
    return drawn[0]


def latency(scenario: Scenario, recording: Recording, seconds: int, action: str) -> str:
    """p95 over time of each model's route of one action, by the moment at which requests were due."""
    width = window(seconds, MOST_PERCENTILES)
    starts = range(0, seconds, width)
    with axes(f"p95 of /{action}, milliseconds", "seconds", "", size=HALF) as (on, drawn):
        for route in sorted(recording.cells):
            _, of, model = route.split("/")
            if of != action:
                continue
            found = [recording.span(start, start + width).get(route) for start in starts]
            points = [
                (start + width / 2, figures(route, cell).p95_ms)
                for start, cell in zip(starts, found, strict=True)
                if cell
            ]
            if not points:
                continue
            colour = COLOURS.get(model, INK)
            on.plot(*zip(*points, strict=True), ".-", color=colour, linewidth=1.2, markersize=4, label=model)
        on.axhline(scenario.budget.p95_ms, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        _mark(on, scenario)
        _milliseconds(on)
        on.set(xlim=(0, seconds))
        on.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3, fontsize=8)
    return drawn[0]


def memory(samples: Sequence[Sample], zero: float, scenario: Scenario, seconds: int) -> str:
    """The service's memory over time, near enough that a leak shows."""
    values = [each.mib for each in samples]
    margin = max(0.05 * max(values), 0.3 * (max(values) - min(values)))
    with axes("Memory of the service, MiB", "seconds", "", size=WIDE) as (on, drawn):
        on.plot([each.at - zero for each in samples], values, color=BLUE, linewidth=1.6)
        _mark(on, scenario)
        on.set(xlim=(0, seconds), ylim=(max(0, min(values) - margin), max(values) + margin))
    return drawn[0]


def steps(scenario: Scenario, found: Sequence[Step]) -> str:
    """p95 of the slowest route by rate; far beyond the budget it is drawn at the top."""
    most = MOST_TIMES * scenario.budget.p95_ms
    points = [(step.rate_per_s, min(step.p95_ms, most)) for step in found]
    with axes("p95 of the slowest route by rate", "requests a second that were due", "", size=WIDE) as (
        on,
        drawn,
    ):
        on.plot(*zip(*points, strict=True), color=BLUE, linewidth=1.6)
        for step, point in zip(found, points, strict=True):
            on.plot(*point, "o", color=ORANGE if step.broken else BLUE, markersize=6)
            said = f"{step.p95_ms:.0f} ms"
            on.annotate(said, point, (0, 7), textcoords="offset points", ha="center", fontsize=8, color=MUTED)
        on.axhline(scenario.budget.p95_ms, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        on.set_xscale("log")
        on.set_xticks([rate for rate, _ in points], [f"{rate:.0f}" for rate, _ in points])
        on.minorticks_off()
        on.set_ylim(0, 1.15 * max(scenario.budget.p95_ms, *(ms for _, ms in points)))
    return drawn[0]


def window(seconds: int, points: int) -> int:
    """Seconds a point, so that a plot has at most that many."""
    return max(1, -(-seconds // points))


def _mark(on: "Axes", scenario: Scenario) -> None:
    """Grey out what is not judged by latency, and a spike."""
    if scenario.warmup_s:
        on.axvspan(0, scenario.warmup_s, color=GRID, alpha=0.6, linewidth=0)
    if scenario.spike:
        on.axvspan(scenario.spike.after_s, scenario.spike.end_s, color=ORANGE, alpha=0.1, linewidth=0)


def _milliseconds(on: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter

    on.set_yscale("log")
    on.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:,.0f}" if ms >= 1 else f"{ms:g}"))
