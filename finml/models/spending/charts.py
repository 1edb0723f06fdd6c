"""Charts of forecasts, each as an SVG inside a data URI."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models.plots import BLUE, INK, MUTED, ORANGE, axes
from finml.models.spending.frames import DATE, VALUE
from finml.models.spending.periods import MONTHLY, Frequency
from finml.models.spending.runtime import SpendingPredictor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Days = npt.NDArray[np.datetime64]

SEASONS_SHOWN = 2
MOST_TICKS = 5
PARTS = {
    "trend": "trend",
    "yearly": "time of year",
    "weekly": "day of the week",
    "holidays": "holidays",
    "regressors": "paydays and calendar",
    "recent": "recent level",
}


def series_chart(predictor: SpendingPredictor, name: str, rows: pd.DataFrame) -> str:
    """What the fit says of the last seasons, the forecast with its interval, and what came.

    Args:
        predictor: the model.
        name: a series.
        rows: the measured rows of it.
    """
    one = predictor.series[name]
    steps = max(1, int(one.horizon(rows[DATE].to_numpy().astype("datetime64[D]")).max()))
    found = one.forecast(one.coming(steps), predictor.table)
    with axes(name, "", "", size=(4.6, 2.5)) as (on, drawn):
        history = found.dates[:0]
        if one.components is not None:
            history = one.frequency.range(
                np.datetime64(one.first), int(one.horizon(np.array([one.first], "datetime64[D]"))[0] * -1) + 1
            )[-SEASONS_SHOWN * max(one.frequency.season, 12) :]
            fitted = one.forecast(history, predictor.table).yhat
            on.plot(history.astype("O"), fitted, color=MUTED, linewidth=1.2, label="fit")
        on.fill_between(found.dates.astype("O"), found.low, found.high, color=BLUE, alpha=0.2, linewidth=0)
        on.plot(found.dates.astype("O"), found.yhat, color=BLUE, linewidth=2, marker="o", markersize=3)
        on.plot(
            rows[DATE].to_numpy().astype("datetime64[D]").astype("O"),
            rows[VALUE],
            color=ORANGE,
            linestyle="",
            marker="o",
            markersize=5,
        )
        _ticks(on, np.append(history, found.dates), one.frequency)
    return drawn[0]


def decomposition_chart(predictor: SpendingPredictor, name: str) -> str:
    """The parts of a series over the last season and the next one, trend apart."""
    one = predictor.series[name]
    season = max(one.frequency.season, 12)
    dates = one.frequency.after(one.coming(2 * season), -season)
    found = one.forecast(dates, predictor.table)
    with axes(f"{name}: parts beside the trend", "", "", size=(4.6, 3.0)) as (on, drawn):
        for colour, part in zip((BLUE, ORANGE, "#3d8361", "#8b5fbf", INK), list(PARTS)[1:], strict=True):
            if np.abs(found.parts[part]).max() > 0:
                on.plot(dates.astype("O"), found.parts[part], color=colour, linewidth=1.5, label=PARTS[part])
        on.axvline(np.datetime64(one.last).astype("O"), color=MUTED, linewidth=1, linestyle=":")
        if on.get_legend_handles_labels()[0]:
            on.legend(fontsize=8)
        _ticks(on, dates, one.frequency)
    return drawn[0]


def errors_by_horizon(breakdown: Mapping[str, Mapping[str, float]]) -> str:
    """Scaled error by horizon."""
    horizons = sorted(breakdown, key=int)
    with axes("Error by horizon", "periods ahead", "MASE", size=(4.6, 3.0)) as (on, drawn):
        on.bar(horizons, [breakdown[horizon]["mase"] for horizon in horizons], color=BLUE, width=0.6)
        on.axhline(1, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        on.grid(visible=False, axis="x")
    return drawn[0]


def _ticks(on: "Axes", dates: Days, frequency: Frequency) -> None:
    """At most `MOST_TICKS` dates below the axis, each as long as its frequency needs."""
    from matplotlib.ticker import EngFormatter

    shown = dates[:: -(-len(dates) // MOST_TICKS)]
    length = 7 if frequency is MONTHLY else 10
    on.yaxis.set_major_formatter(EngFormatter(sep=" "))
    on.set_xticks(shown.astype("O"), [str(day)[:length] for day in shown], fontsize=8)
