"""Plots of a binary classifier, each as an SVG inside a data URI. Matplotlib without its global state."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from finml.models.base import GroupRow
from finml.models.statistics import calibration_bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID = "#1c2733", "#64748b", "#e2e8f0"
BLUE, ORANGE, GREEN = "#1f6fb2", "#d9642c", "#3d8361"
STYLE: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "svg.fonttype": "path",
}
CURVE_POINTS = 400

Floats = npt.NDArray[np.float64]


@contextmanager
def axes(
    title: str, x: str, y: str, *, size: tuple[float, float] = (4.6, 3.6)
) -> Iterator[tuple["Axes", list[str]]]:
    """Axes to draw on, and a list that holds the SVG, as a data URI, once the block ends."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # the salt makes the same figure the same bytes
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": title}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        drawn: list[str] = []
        on = figure.add_subplot()
        on.set(title=title, xlabel=x, ylabel=y)
        yield on, drawn
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        drawn.append(f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}")


def roc(label: Floats, probability: Floats) -> str:
    """Share of defaults found against share of good loans flagged."""
    found, false = _rates(label, probability)
    with axes("ROC curve", "good loans flagged", "defaults flagged") as (on, drawn):
        on.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.plot(*_thinned(false, found), color=BLUE, linewidth=2)
        on.set(xlim=(0, 1), ylim=(0, 1.01))
        _as_percent(on, "xy")
    return drawn[0]


def precision_recall(label: Floats, probability: Floats) -> str:
    """Share of the flagged that default, against share of defaults flagged."""
    found, false = _rates(label, probability)
    bad, good = found * label.sum(), false * (1 - label).sum()
    precision = np.divide(bad, bad + good, out=np.ones_like(bad), where=bad + good > 0)
    with axes("Precision and recall", "defaults flagged", "defaults among the flagged") as (on, drawn):
        on.axhline(label.mean(), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.annotate("all flagged", (0.01, label.mean()), (0, 4), textcoords="offset points", color=MUTED)
        # the first rows say nothing: one default at the top is a precision of 100 %
        start = min(len(found) - 1, 1 + len(label) // 500)
        on.plot(*_thinned(found[start:], precision[start:]), color=BLUE, linewidth=2)
        on.set(xlim=(0, 1), ylim=(0, 1.01))
        _as_percent(on, "xy")
    return drawn[0]


def calibration(label: Floats, probability: Floats) -> str:
    """Observed against predicted share of defaults in the bins of the calibration error."""
    bins = calibration_bins(label, probability)
    predicted = np.array([part["predicted"] for part in bins])
    observed = np.array([part["observed"] for part in bins])
    rows = np.array([part["n"] for part in bins])
    # Wilson's interval: right for shares near 0 too
    z2 = 1.96**2 / rows
    centre = (observed + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * (observed * (1 - observed) + z2 / 4)) / (1 + z2)
    errors = np.clip([observed - (centre - half), centre + half - observed], 0, None)
    most = min(1.0, 1.08 * max(predicted.max(), (observed + errors[1]).max()))
    with axes("Calibration", "predicted probability of default", "observed share of defaults") as (on, drawn):
        on.plot([0, most], [0, most], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.errorbar(predicted, observed, errors, fmt="o", color=BLUE, markersize=5, capsize=2, linewidth=1.2)
        on.set(xlim=(0, most), ylim=(0, most))
        _as_percent(on, "xy")
    return drawn[0]


def scores(label: Floats, probability: Floats, edges: Sequence[float], threshold: float) -> str:
    """Distribution of the probabilities by outcome, with the bands' edges."""
    bins = np.linspace(0, min(1.0, max(float(np.quantile(probability, 0.999)), 1.25 * threshold)), 41)
    with axes("Scores by outcome", "probability of default", "share of the loans") as (on, drawn):
        for outcome, colour, name in ((0, BLUE, "repaid"), (1, ORANGE, "defaulted")):
            chosen = probability[label == outcome]
            if len(chosen):
                weights = np.full(len(chosen), 1 / len(chosen))
                on.hist(chosen, bins.tolist(), weights=weights, color=colour, alpha=0.6, label=name)
        for edge in edges:
            if edge < bins[-1]:
                flagged = edge == threshold
                on.axvline(
                    edge, color=INK if flagged else MUTED, linewidth=1.4 if flagged else 0.8, linestyle=":"
                )
        on.annotate(
            "flagged",
            (threshold, 0.97),
            (4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
        )
        on.set_xlim(0, bins[-1])
        on.legend(loc="center right")
        _as_percent(on, "xy")
    return drawn[0]


def separation(label: Floats, probability: Floats) -> str:
    """Cumulated share of defaults and of good loans by falling probability; their largest gap is KS."""
    found, false = _rates(label, probability)
    rows = (found * label.sum() + false * (1 - label).sum()) / len(label)
    widest = int(np.argmax(np.abs(found - false)))
    with axes("Gain and KS", "loans, riskiest first", "share reached") as (on, drawn):
        on.plot(*_thinned(rows, found), color=ORANGE, linewidth=2, label="defaulted")
        on.plot(*_thinned(rows, false), color=BLUE, linewidth=2, label="repaid")
        on.vlines(rows[widest], false[widest], found[widest], color=INK, linewidth=1.4)
        on.annotate(
            f"KS {found[widest] - false[widest]:.2f}",
            (rows[widest], (found[widest] + false[widest]) / 2),
            (6, 0),
            textcoords="offset points",
        )
        on.legend(loc="lower right")
        on.set(xlim=(0, 1), ylim=(0, 1.01))
        _as_percent(on, "xy")
    return drawn[0]


def importances(shares: Sequence[tuple[str, float]]) -> str:
    """Mean absolute contribution of features, the largest at the top.

    Args:
        shares: names and values, falling.
    """
    names, values = [name for name, _ in shares][::-1], [value for _, value in shares][::-1]
    size = (9.4, 0.9 + 0.27 * len(names))
    with axes("What moves the scores", "mean absolute contribution, log-odds", "", size=size) as (on, drawn):
        on.barh(names, values, color=BLUE, height=0.7)
        on.grid(visible=False, axis="y")
        on.tick_params(axis="y", length=0, labelcolor=INK)
    return drawn[0]


def fairness(groups: Sequence[GroupRow], limit: float) -> str:
    """Share of favourable decisions by group, with the least that the most favoured group allows.

    Args:
        groups: the fairness table.
        limit: least disparate impact.
    """
    attributes = list(dict.fromkeys(row.attribute for row in groups))
    names, places, values, bounds = [], [], [], []
    place = 0.0
    for attribute in attributes:
        rows = [row for row in groups if row.attribute == attribute]
        judged = [row.selection_rate for row in rows if row.disparate_impact is not None]
        start = place
        for row in rows:
            names.append(f"{attribute.replace('_', ' ')}: {row.group.replace('_', ' ')} ({row.n:,})")
            places.append(place)
            values.append(row)
            place += 1
        if judged:
            bounds.append((limit * max(judged), start - 0.45, place - 0.55))
        place += 0.6
    size = (9.4, 1.0 + 0.27 * place)
    title = "Favourable decisions by group"
    with axes(title, "share not flagged (line: four fifths of the most favoured group)", "", size=size) as (
        on,
        drawn,
    ):
        colours = [BLUE if row.disparate_impact is not None else "#b8c4d2" for row in values]
        on.barh(places, [row.selection_rate for row in values], color=colours, height=0.7)
        for at, low, high in bounds:
            on.vlines(at, low, high, color=ORANGE, linewidth=2)
        on.set_yticks(places, names)
        on.invert_yaxis()
        on.set_xlim(0, 1)
        on.grid(visible=False, axis="y")
        on.tick_params(axis="y", length=0, labelcolor=INK)
        _as_percent(on, "x")
    return drawn[0]


def _rates(label: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Shares of defaults and of good loans at or above each distinct probability, beginning with none."""
    order = np.argsort(-probability, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    bad, good = np.cumsum(label[order])[ends], np.cumsum(1 - label[order])[ends]
    return np.append(0, bad / max(bad[-1], 1)), np.append(0, good / max(good[-1], 1))


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most `CURVE_POINTS` points, the ends among them."""
    kept = np.unique(np.linspace(0, len(x) - 1, CURVE_POINTS).astype(int))
    return x[kept], y[kept]


def _as_percent(on: "Axes", which: str) -> None:
    from matplotlib.ticker import PercentFormatter

    for name in which:
        getattr(on, f"{name}axis").set_major_formatter(PercentFormatter(1.0, decimals=0))
