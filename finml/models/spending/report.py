"""The evaluation as one self-contained page: figures with intervals, each series with its forecast, users."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from finml.models import pages
from finml.models.base import Evaluation
from finml.models.spending import charts
from finml.models.spending.evaluation import after_training
from finml.models.spending.explain import turns
from finml.models.spending.frames import SERIES, USER
from finml.models.spending.runtime import SpendingPredictor

if TYPE_CHECKING:
    import jinja2

MOST_PLOTS = 24
METRIC_WORDS = {
    "mase": (
        "MASE",
        "mean absolute error over that of repeating the last season, within the training",
        "lower",
    ),
    "naive_ratio": (
        "Over naive",
        "error over that of repeating the last season (or the last value) on the same values",
        "lower",
    ),
    "smape": ("sMAPE", "mean absolute error over the mean of value and forecast", "lower"),
    "coverage_80": ("Coverage", "share of values inside the 80 % interval", "0.8"),
    "user_error_ratio": (
        "Users: error ratio",
        "error with a user's own history over the error of the mean user's forecast",
        "lower",
    ),
    "user_coverage_80": ("Users: coverage", "share of users' values inside the 80 % interval", "0.8"),
}


def report(predictor: SpendingPredictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
    """The page, as HTML that needs no other file.

    Args:
        predictor: the model.
        frame: the n checked rows that `evaluation` was measured on.
        evaluation: what was found.
    """
    rows, _ = after_training(predictor, frame[frame[USER].isna()])
    shown = sorted(set(rows[SERIES]), key=lambda name: -predictor.series[name].unit)[:MOST_PLOTS]
    return (
        templates()
        .get_template("report.html.jinja")
        .render(
            evaluation=evaluation,
            metrics=metric_rows(evaluation),
            plots=[
                (name, charts.series_chart(predictor, name, rows[rows[SERIES] == name])) for name in shown
            ],
            left_out=rows[SERIES].nunique() - len(shown),
            errors=charts.errors_by_horizon(evaluation.breakdown["horizon"]),
            decomposition=[(name, charts.decomposition_chart(predictor, name)) for name in shown[:2]],
            series=series_rows(predictor, evaluation),
            changepoints=[(name, turns(predictor.series[name])) for name in shown],
            pools=predictor.pools,
            training=predictor.info["training"],
            versions=predictor.info["versions"],
        )
    )


def metric_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The figures in reading order, each with name, words, interval and difference to the champion."""
    return [
        {
            "key": name,
            "name": title,
            "words": words,
            "figure": evaluation.metrics.get(name),
            "delta": evaluation.versus_champion.get(name),
            "better": better,
        }
        for name, (title, words, better) in METRIC_WORDS.items()
        if name in evaluation.metrics or not name.startswith("user")
    ]


def series_rows(predictor: SpendingPredictor, evaluation: Evaluation) -> list[dict[str, Any]]:
    """Each measured series with its method, figures and notes."""
    return [
        {
            "name": name,
            "method": predictor.series[name].method.replace("_", " "),
            "how": predictor.series[name].how,
            "periods": predictor.series[name].periods,
            "unit": predictor.series[name].frequency.unit,
            "notes": predictor.series[name].notes,
            **figures,
        }
        for name, figures in evaluation.breakdown["series"].items()
    ]


def templates() -> "jinja2.Environment":
    """The templates of report and card; a figure that is no number is none."""
    environment = pages.templates(Path(__file__).parent)
    environment.filters |= {"percent": _percent, "figure": _figure}
    return environment


def _percent(value: float | None, digits: int = 1) -> str:
    return pages.DASH if value is None or not np.isfinite(value) else f"{100 * value:.{digits}f} %"


def _figure(value: float | None, digits: int = 3) -> str:
    return pages.DASH if value is None or not np.isfinite(value) else f"{value:.{digits}f}"
