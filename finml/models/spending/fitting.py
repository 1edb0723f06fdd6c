"""Fitting Prophet to a series, and taking out what was fitted."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models.spending.calendar import (
    DayTable,
    holiday_column,
    is_holiday,
    is_subtle,
    prophet_holidays,
)
from finml.models.spending.components import Components, Effect
from finml.models.spending.periods import DAILY
from finml.models.spending.series import Known, Series

if TYPE_CHECKING:
    from prophet import Prophet

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

CHANGEPOINTS = 25
MOST_ITERATIONS = 2000
# up to this share of the history a slope may change: what changed lately matters most for what comes
CHANGEPOINT_RANGE = 0.9
# Fourier terms of the year by seasons of history
YEARLY_ORDERS = ((5, 10), (3, 6), (0, 2))
SEASON_PRIOR = 10.0
HOLIDAY_PRIOR = 10.0
# calendar effects are a few per cent; a wide prior would give them the noise of a short history
EFFECT_PRIOR = 0.1
# seasons from which the year can be told from noise and the calendar's smaller effects from each other
LONG = 3.0
# values that a feature must have apart from its most frequent one
LEAST_OCCURRENCES = 2


@dataclass(frozen=True)
class Variant:
    """A way of fitting.

    Attributes:
        name: in words.
        multiplicative: whether seasons and effects multiply the trend.
        flexibility: Prophet's `changepoint_prior_scale`.
        yearly: whether there is a yearly season.
    """

    name: str
    multiplicative: bool
    flexibility: float
    yearly: bool = True


LONG_VARIANTS = (
    Variant("multiplicative", True, 0.05),
    Variant("multiplicative, flexible trend", True, 0.5),
    Variant("additive", False, 0.05),
)
# One or two years cannot tell a season from what happened in them, so one way leaves it out: festivals move,
# and a season that holds last year's festival is wrong in this year's month.
SHORT_VARIANTS = (
    Variant("multiplicative, festivals without yearly season", True, 0.05, yearly=False),
    Variant("multiplicative, steady trend, festivals without yearly season", True, 0.005, yearly=False),
    Variant("multiplicative", True, 0.05),
)


def is_long(series: Series) -> bool:
    """Whether a history is long enough for a yearly season and every effect of the calendar."""
    return len(series.values) * series.frequency.days >= LONG * 360


def variants(series: Series) -> tuple[Variant, ...]:
    """The ways of fitting that are tried for a series."""
    return LONG_VARIANTS if is_long(series) else SHORT_VARIANTS


def feature_values(series: Series, table: DayTable, dates: Days) -> dict[str, Floats]:
    """Calendar features and the series' own regressors on n dates, unknown ones as a season before."""
    found = table.features(series.frequency, dates)
    if series.regressors:
        place = series.frequency.between(series.regressor_dates[0], dates)
        for name, values in series.regressors.items():
            found[name] = Known(tuple(values)).at(place, series.frequency.season)
    return found


def fit(series: Series, table: DayTable, variant: Variant) -> Components:
    """Prophet's maximum a posteriori fit of a series, as numbers."""
    model, features = fitted_prophet(series, table, variant)
    return exported(model, features)


def fitted_prophet(series: Series, table: DayTable, variant: Variant) -> tuple["Prophet", list[str]]:
    """Prophet itself, fitted, with the names of the features it was given."""
    known = np.isfinite(series.values)
    features = feature_values(series, table, series.dates)
    long, frequency = is_long(series), series.frequency
    considered = [name for name in features if long or not is_subtle(name)]
    used = [name for name in considered if _varies(features[name][known])]
    days = [name for name in table.names if holiday_column(name) in used]
    seasons = len(series.values) * frequency.days / 360
    order = next(terms for least, terms in YEARLY_ORDERS if seasons >= least)
    yearly = variant.yearly and len(series.values) >= frequency.yearly_from
    model = quiet_prophet()(
        changepoint_prior_scale=variant.flexibility,
        n_changepoints=min(CHANGEPOINTS, int(known.sum() * CHANGEPOINT_RANGE) // 2),
        changepoint_range=CHANGEPOINT_RANGE,
        seasonality_mode="multiplicative" if variant.multiplicative else "additive",
        seasonality_prior_scale=SEASON_PRIOR if long or frequency is DAILY else EFFECT_PRIOR,
        holidays_prior_scale=HOLIDAY_PRIOR if long else EFFECT_PRIOR,
        yearly_seasonality=order if yearly else False,
        weekly_seasonality=3 if frequency is DAILY else False,
        daily_seasonality=False,
        holidays=prophet_holidays(table, days) if days else None,
        uncertainty_samples=0,
    )
    columns = [name for name in used if not name.endswith(holiday_column(""))]
    for name in columns:
        model.add_regressor(name, prior_scale=EFFECT_PRIOR)
    frame = pd.DataFrame(
        {"ds": pd.DatetimeIndex(series.dates[known]), "y": series.values[known]}
        | {name: features[name][known] for name in columns}
    )
    # Prophet takes Newton's method for short histories, which needs seconds where a series hardly moves
    model.fit(frame, algorithm="LBFGS", iter=MOST_ITERATIONS)
    return model, used


def quiet_prophet() -> type["Prophet"]:
    """Prophet, kept from logging each fit and the plotting packages that it misses."""
    for name in ("cmdstanpy", "prophet", "prophet.models", "prophet.plot"):
        logging.getLogger(name).disabled = True
    from prophet import Prophet

    found: type[Prophet] = Prophet
    return found


def exported(model: "Prophet", features: list[str]) -> Components:
    """The numbers of a fitted Prophet."""
    fitted: Any = model  # Prophet's types allow what is only so before the fit
    # the history holds what Prophet made of the frame it was fitted to, standardized regressors among it
    matrix = fitted.make_all_seasonality_features(fitted.history)[0]
    beta = dict(zip(matrix.columns, np.atleast_2d(model.params["beta"])[0], strict=True))
    effects = {}
    for name in features:
        told: dict[str, Any] = model.extra_regressors.get(name, {"mu": 0.0, "std": 1.0})
        effects[name] = Effect(
            beta=float(beta[name]),
            mean=float(told["mu"]),
            deviation=float(told["std"]),
            part="holidays" if is_holiday(name) else "regressors",
        )
    return Components(
        start=str(np.datetime64(fitted.start, "D")),
        length=float(pd.Timedelta(fitted.t_scale) / pd.Timedelta(days=1)),
        scale=float(fitted.y_scale),
        slope=float(model.params["k"].mean()),
        offset=float(model.params["m"].mean()),
        changes=tuple(float(change) for change in model.params["delta"].ravel()),
        changepoints=tuple(float(time) for time in fitted.changepoints_t),
        multiplicative=model.seasonality_mode == "multiplicative",
        yearly=_season(beta, "yearly"),
        weekly=_season(beta, "weekly"),
        effects=effects,
    )


def _season(beta: dict[str, float], name: str) -> tuple[float, ...]:
    """Coefficients of a season in Prophet's order: sine and cosine of each term in turn."""
    return tuple(float(value) for column, value in beta.items() if column.startswith(f"{name}_delim_"))


def _varies(values: Floats) -> bool:
    """Whether a feature is known throughout and moves often enough to be fitted."""
    if not np.isfinite(values).all():
        return False
    _, counts = np.unique(values, return_counts=True)
    return len(values) - int(counts.max(initial=0)) >= LEAST_OCCURRENCES
