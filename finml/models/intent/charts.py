"""Plots of the report, each as an SVG inside a data URI."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from finml.models.intent.figures import ECE_BINS, Judged
from finml.models.intent.head import Floats, Indicators
from finml.models.plots import BLUE, INK, MUTED, ORANGE, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCOPE_BINS = 40


def curve(history: Sequence[Mapping[str, float]], best: int) -> str:
    """Loss and validation macro-F1 after each epoch; the one that was kept is marked."""
    epochs = np.array([row["epoch"] + 1 for row in history])
    with axes("Training", "epochs", "loss") as (on, drawn):
        on.plot(epochs, [row["loss"] for row in history], color=MUTED, marker="o", label="loss, training")
        on.plot(
            epochs,
            [row["validation_loss"] for row in history],
            color=BLUE,
            marker="o",
            label="loss, validation",
        )
        on.axvline(best, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.set_ylim(bottom=0)
        on.set_xticks(epochs)
        score = on.twinx()
        score.plot(
            epochs,
            [row["validation_macro_f1"] for row in history],
            color=ORANGE,
            marker="s",
            label="macro-F1, validation",
        )
        score.set_ylabel("macro-F1")
        score.grid(visible=False)
        handles = [*on.get_lines()[:2], *score.get_lines()]
        on.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=8)
    return drawn[0]


def reliability(judged: Judged) -> str:
    """Share of hits against confidence in the bins of the calibration error, with Wilson's interval."""
    place = np.minimum((judged.confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    bins = [place == number for number in range(ECE_BINS) if (place == number).any()]
    said = np.array([judged.confidence[rows].mean() for rows in bins])
    seen = np.array([judged.hit[rows].mean() for rows in bins])
    z2 = 1.96**2 / np.array([rows.sum() for rows in bins])
    centre = (seen + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * seen * (1 - seen) + z2**2 / 4) / (1 + z2)
    with axes("Calibration", "confidence", "share that was right") as (on, drawn):
        on.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.errorbar(
            said,
            seen,
            yerr=np.clip([seen - centre + half, centre + half - seen], 0, None),
            color=BLUE,
            marker="o",
            linestyle="none",
            elinewidth=1.2,
        )
        on.set(xlim=(0, 1.02), ylim=(0, 1.02))
        _as_percent(on, "xy")
    return drawn[0]


def scope(score: Floats, inside: Indicators) -> str:
    """Scope scores of texts in scope and, where there are any, of those that are not."""
    edges = np.linspace(float(score.min()), float(score.max()), SCOPE_BINS + 1)
    with axes("In and out of scope", "scope score (out of scope below 0)", "share of texts") as (on, drawn):
        for rows, colour, name in ((inside, BLUE, "in scope"), (~inside, ORANGE, "out of scope")):
            if rows.any():
                share = np.histogram(score[rows], edges)[0] / rows.sum()
                on.stairs(share, edges, color=colour, fill=True, alpha=0.35)
                on.stairs(share, edges, color=colour, linewidth=1.4, label=f"{name} ({int(rows.sum()):,})")
        on.axvline(0, color=INK, linewidth=1.2)
        on.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        _as_percent(on, "y")
    return drawn[0]


def hardest(rows: Sequence[tuple[str, float, float]]) -> str:
    """F1 by intent, the lowest at the top: name, F1, texts."""
    names = [f"{name.replace('_', ' ')} ({texts:,.0f})" for name, _, texts in rows][::-1]
    values = [value for _, value, _ in rows][::-1]
    size = (9.4, 0.9 + 0.27 * len(names))
    with axes("Intents that are hardest to find", "F1 (texts in brackets)", "", size=size) as (on, drawn):
        on.barh(names, values, color=BLUE, height=0.7)
        on.set_xlim(0, 1)
        on.grid(visible=False, axis="y")
        on.tick_params(axis="y", length=0, labelcolor=INK)
    return drawn[0]


def _as_percent(on: "Axes", which: str) -> None:
    from matplotlib.ticker import PercentFormatter

    for name in which:
        getattr(on, f"{name}axis").set_major_formatter(PercentFormatter(1.0, decimals=0))
