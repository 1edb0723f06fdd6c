"""Training the series of the whole bank: choose on rolling origins, calibrate, fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finml.models.spending import parallel
from finml.models.spending.blending import DAMPING, Blend, recent_level
from finml.models.spending.calendar import DayTable
from finml.models.spending.components import Components
from finml.models.spending.fitted import FittedSeries, Known
from finml.models.spending.fitting import VARIANTS, Variant, feature_values, fit
from finml.models.spending.intervals import half_widths
from finml.models.spending.periods import FREQUENCIES
from finml.models.spending.rolling import (
    CHOICES,
    Choice,
    choose,
    never_negative,
    prophet_errors,
    simple_errors,
)
from finml.models.spending.series import Series
from finml.models.spending.simple import Pattern, pattern_of, simple_kind

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Task:
    series: Series
    table: DayTable
    variant: Variant


def fit_series(series: Sequence[Series], table: DayTable, processes: int) -> list[FittedSeries]:
    """Every series trained, in order.

    Prophet's variants are tried on rolling origins, a way of forecasting is chosen for each series, and the
    errors of what was chosen calibrate its intervals. A series that Prophet cannot be fitted to gets a
    simpler method.
    """
    complex_ones = [one for one in series if simple_kind(one) is None]
    tasks = [_Task(one, table, variant) for one in complex_ones for variant in VARIANTS]
    rolled = parallel.run(_roll, tasks, processes=processes, what="rolling origins")
    tried = {
        one.name: np.concatenate(rolled[place * len(VARIANTS) : (place + 1) * len(VARIANTS)])
        for place, one in enumerate(complex_ones)
    }
    chosen: dict[str, Choice] = {}
    errors: dict[str, Floats] = {}
    for frequency in FREQUENCIES.values():
        group = {one.name: tried[one.name] for one in complex_ones if one.frequency is frequency}
        for name, place in choose(group).items():
            chosen[name], errors[name] = CHOICES[place], group[name][place]
    for one in series:
        if (simple := simple_kind(one)) is not None:
            errors[one.name] = simple_errors(one, simple[0])
    widths: dict[str, list[float]] = {}
    for frequency in FREQUENCIES.values():
        names = [one.name for one in series if one.frequency is frequency]
        if names:
            widths |= half_widths({name: errors[name] for name in names}, frequency)
    finals = [_Task(one, table, chosen[one.name].variant) for one in complex_ones]
    fits = parallel.run(_fit, finals, processes=processes, what="final fits")
    components = {one.name: found for one, found in zip(complex_ones, fits, strict=True)}
    return [
        _fitted(one, table, widths[one.name], chosen.get(one.name), components.get(one.name))
        for one in series
    ]


def _roll(task: _Task) -> Floats:
    return prophet_errors(task.series, task.table, task.variant)


def _fit(task: _Task) -> Components:
    return fit(task.series, task.table, task.variant)


def _fitted(
    series: Series, table: DayTable, widths: list[float], choice: Choice | None, components: Components | None
) -> FittedSeries:
    simple = simple_kind(series)
    method, how, notes, blend = "prophet", "", series.notes, None
    pattern = Pattern.seasonal(series)
    if simple is not None:
        kind, why = simple
        method, pattern = kind, pattern_of(kind, series)
        how = {"seasonal_naive": "the last season again", "mean": "the mean of the last season"}[kind]
        notes = (*notes, f"a simpler method answers: {why}")
    elif choice is not None and components is not None:
        how, blend = choice.words, _blend(series, table, choice, components)
    return FittedSeries(
        name=series.name,
        frequency=series.frequency,
        first=str(series.dates[0]),
        last=str(series.dates[-1]),
        periods=series.n,
        method=method,
        how=how,
        notes=notes,
        components=components,
        blend=blend,
        pattern=pattern,
        unit=series.unit(),
        naive_error=series.naive_error(),
        half_widths=tuple(widths),
        floor=never_negative(series),
        regressors={
            name: Known(tuple(float(value) for value in values))
            for name, values in series.regressors.items()
            if components is not None and name in components.effects
        },
    )


def _blend(series: Series, table: DayTable, choice: Choice, components: Components) -> Blend:
    parts = components.evaluate(series.dates, feature_values(series, table, series.dates))
    path = np.sum(list(parts.values()), axis=0)
    relative = choice.variant.multiplicative
    level = recent_level(series.values, path, parts["trend"], choice.decay, relative=relative)
    return Blend(level, relative, DAMPING, choice.weight)
