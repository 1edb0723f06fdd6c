"""Training the series of the whole bank: choose on rolling origins, calibrate, fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from finml.models.spending import parallel
from finml.models.spending.blending import Blend, residuals_of
from finml.models.spending.calendar import DayTable
from finml.models.spending.components import Components
from finml.models.spending.fitted import FittedSeries
from finml.models.spending.fitting import Variant, feature_values, fit, is_long, variants
from finml.models.spending.intervals import half_widths
from finml.models.spending.periods import FREQUENCIES
from finml.models.spending.rolling import (
    Choice,
    choices,
    choose,
    never_negative,
    prophet_errors,
    simple_errors,
)
from finml.models.spending.series import Known, Series
from finml.models.spending.simple import Kind, Pattern, pattern_of, simple_kinds

Floats = npt.NDArray[np.float64]

PATTERN_WORDS: Mapping[Kind, str] = {
    "seasonal_naive": "the last season again",
    "mean": "the mean of the last season",
    "recent_level": "the level of the last periods",
}


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
    complex_ones = [one for one in series if not simple_kinds(one)[0]]
    tasks = [_Task(one, table, variant) for one in complex_ones for variant in variants(one)]
    rolled = iter(parallel.run(_roll, tasks, processes=processes, what="rolling origins"))
    tried = {one.name: np.concatenate([next(rolled) for _ in variants(one)]) for one in complex_ones}
    chosen: dict[str, Choice] = {}
    errors: dict[str, Floats] = {}
    for group in _alike(complex_ones):
        for name, place in choose({one.name: tried[one.name] for one in group}).items():
            chosen[name], errors[name] = choices(group[0])[place], tried[name][place]
    simple: dict[str, Kind] = {}
    for one in series:
        if kinds := simple_kinds(one)[0]:
            simple[one.name], errors[one.name] = simple_errors(one, kinds)
    widths: dict[str, list[float]] = {}
    for frequency in FREQUENCIES.values():
        names = [one.name for one in series if one.frequency is frequency]
        if names:
            widths |= half_widths({name: errors[name] for name in names}, frequency)
    finals = [_Task(one, table, chosen[one.name].variant) for one in complex_ones]
    fits = parallel.run(_fit, finals, processes=processes, what="final fits")
    fitted = dict(zip((one.name for one in complex_ones), fits, strict=True))
    return [
        _by_prophet(one, table, widths[one.name], chosen[one.name], fitted[one.name])
        if one.name in fitted
        else _by_pattern(
            one, widths[one.name], simple[one.name], told=bool(np.isfinite(errors[one.name]).any())
        )
        for one in series
    ]


def _alike(series: Sequence[Series]) -> list[list[Series]]:
    """Series of one frequency whose histories are all long or all short: the same is tried for them."""
    groups: dict[tuple[str, bool], list[Series]] = {}
    for one in series:
        groups.setdefault((one.frequency.name, is_long(one)), []).append(one)
    return list(groups.values())


def _roll(task: _Task) -> Floats:
    return prophet_errors(task.series, task.table, task.variant)


def _fit(task: _Task) -> Components:
    return fit(task.series, task.table, task.variant)


def _by_prophet(
    series: Series, table: DayTable, widths: list[float], choice: Choice, components: Components
) -> FittedSeries:
    parts = components.evaluate(series.dates, feature_values(series, table, series.dates))
    path = np.sum(list(parts.values()), axis=0)
    relative = choice.variant.multiplicative
    missed = residuals_of(series.values, path, parts["trend"], relative=relative)
    return replace(
        _plain(series, widths, "prophet", choice.words, Pattern.seasonal(series)),
        components=components,
        blend=Blend.of(missed, series.frequency, choice.decay, choice.weight, relative=relative),
        regressors={
            name: Known(tuple(float(value) for value in values))
            for name, values in series.regressors.items()
            if name in components.effects
        },
    )


def _by_pattern(series: Series, widths: list[float], kind: Kind, *, told: bool) -> FittedSeries:
    notes = (*series.notes, f"a simpler method answers: {simple_kinds(series)[1]}")
    if not told:
        notes = (*notes, "the history is too short to measure errors on, so the interval is a guess")
    found = _plain(series, widths, kind, PATTERN_WORDS[kind], pattern_of(kind, series))
    return replace(found, notes=notes)


def _plain(series: Series, widths: list[float], method: str, how: str, pattern: Pattern) -> FittedSeries:
    return FittedSeries(
        name=series.name,
        frequency=series.frequency,
        first=str(series.dates[0]),
        last=str(series.dates[-1]),
        periods=series.n,
        method=method,
        how=how,
        notes=series.notes,
        components=None,
        blend=None,
        pattern=pattern,
        naive=Pattern.naive(series),
        unit=series.unit(),
        naive_error=series.naive_error(),
        half_widths=tuple(widths),
        floor=never_negative(series),
        regressors={},
    )
