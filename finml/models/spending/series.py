"""One series as it is forecast: regular periods, what is missing among them, and what to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models.spending.periods import DAILY, MONTHLY, WEEKLY, Frequency

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

# share of periods without spending above which a season cannot be read
ZERO_HEAVY = 0.5
# share of steps between dates that must be one period long
REGULAR = 0.6
SHOWN_GAPS = 3
GIVEN = "given_"
"""Begins the names of regressors from the table, so that none is taken for one of the calendar's."""


@dataclass(frozen=True)
class Known:
    """Values of a regressor, a period each from the first of the series on."""

    values: tuple[float, ...]

    def at(self, place: npt.NDArray[np.int64], season: int) -> Floats:
        """Values at n places; beyond what is known those of a season before, again and again."""
        known = np.array(self.values)
        beyond = np.maximum(0, place - (len(known) - 1))
        season = min(season, len(known))
        back = -(-beyond // season) * season
        return np.asarray(known[np.clip(place - back, 0, len(known) - 1)])


@dataclass(frozen=True)
class Series:
    """A regular series of n periods.

    Attributes:
        name: as in `groceries`.
        frequency: of its periods.
        dates: n first days of periods, without gaps.
        values: n values, NaN where the period is missing.
        regressors: further columns by name, a value a period; they may go on beyond the values.
        regressor_dates: first days of the periods that the regressors are known for.
        notes: what was found and done, in words.
    """

    name: str
    frequency: Frequency
    dates: Days
    values: Floats
    regressors: Mapping[str, Floats] = field(default_factory=dict)
    regressor_dates: Days = field(default_factory=lambda: np.array([], "datetime64[D]"))
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, rows: pd.DataFrame, regressors: tuple[str, ...] = ()) -> "Series":
        """The series of checked rows `ds`, `y` and the regressors' columns, in any order.

        Rows after the last `y` only tell what the regressors will be.
        """
        rows = rows.sort_values("ds", kind="stable")
        known = rows[rows["y"].notna()]
        days = known["ds"].to_numpy().astype("datetime64[D]")
        frequency, notes = detect(np.unique(days))
        if doubled := len(days) - len(np.unique(days)):
            words = "1 row shares its day" if doubled == 1 else f"{doubled} rows share their day"
            notes = (*notes, f"{words} with another and {'was' if doubled == 1 else 'were'} added up")
        dates = frequency.start_of(days[0], days)
        place = frequency.between(dates[0], dates)
        values = np.full(int(place[-1]) + 1, np.nan)
        summed = by_period(known[["ds", "y"]], dates)
        values[frequency.between(dates[0], summed["ds"].to_numpy())] = summed["y"].to_numpy()
        filled = frequency.range(dates[0], len(values))
        gaps = [str(day)[: 7 if frequency is MONTHLY else 10] for day in filled[np.isnan(values)]]
        if gaps:
            more = f" and {len(gaps) - SHOWN_GAPS} more" if len(gaps) > SHOWN_GAPS else ""
            notes = (
                *notes,
                f"{len(gaps)} of {len(values)} {frequency.unit}s are missing "
                f"({', '.join(gaps[:SHOWN_GAPS])}{more}) and were left out",
            )
        extra, extra_dates, told = _regressors(rows, frequency, dates[0], regressors)
        return cls(name, frequency, filled, values, extra, extra_dates, (*notes, *told))

    @property
    def n(self) -> int:
        """Periods that have a value."""
        return int(np.isfinite(self.values).sum())

    @property
    def zero_share(self) -> float:
        """Share of the values that are 0."""
        return float(np.mean(self.values[np.isfinite(self.values)] == 0))

    def head(self, periods: int) -> "Series":
        """The first periods only; regressors stay known as far beyond them as beyond the whole series."""
        known = periods + max(0, len(self.regressor_dates) - len(self.dates))
        return Series(
            self.name, self.frequency, self.dates[:periods], self.values[:periods],
            {name: values[:known] for name, values in self.regressors.items()},
            self.regressor_dates[:known], self.notes,
        )  # fmt: skip

    def unit(self) -> float:
        """The size of a value of the last season, in which errors are counted; never 0."""
        recent = self.values[-self.frequency.season :]
        size = float(np.nanmean(np.abs(recent))) if np.isfinite(recent).any() else 0.0
        whole = float(np.nanmean(np.abs(self.values)))
        return size or whole or 1.0

    def naive_error(self) -> float:
        """Mean absolute error of the seasonal naive forecast over the series, which MASE divides by.

        Over a series shorter than a season and a bit, that of repeating the last value; the spread of the
        values where those do not change either. Never 0.
        """
        for lag in (self.frequency.season, 1):
            steps = np.abs(self.values[lag:] - self.values[:-lag])
            steps = steps[np.isfinite(steps)]
            if len(steps) >= 3 and steps.mean() > 0:
                return float(steps.mean())
        return float(np.nanstd(self.values)) or self.unit()


def by_period(rows: pd.DataFrame, starts: Days) -> pd.DataFrame:
    """One row a period of each series and user: what was spent in it is added up.

    Args:
        rows: n rows `ds`, `y`, perhaps `series`, `user_id` and the stored history; of several histories the
            earliest counts.
        starts: n first days of the periods that the rows lie in.

    Returns:
        At most n rows of those columns, `ds` the first day of the period.
    """
    keys = [name for name in ("series", "user_id", "ds") if name in rows]
    found = {"y": "sum"} | {name: "first" for name in ("spending",) if name in rows}
    earliest_first = np.argsort(rows["ds"].to_numpy(), kind="stable")
    placed = rows.assign(ds=starts.astype("datetime64[ns]")).iloc[earliest_first]
    return placed.groupby(keys, dropna=False, sort=True, as_index=False).agg(found)


def detect(days: Days) -> tuple[Frequency, tuple[str, ...]]:
    """The frequency of sorted days without doubles, and what to say where it is not regular.

    Dates without rhythm are summed by month.
    """
    steps = np.diff(days).astype(np.int64)
    months = days.astype("datetime64[M]").astype(np.int64)
    if not len(steps) or len(np.unique(months)) == len(days):
        return MONTHLY, ()
    if np.mean(steps == 1) >= REGULAR:
        return DAILY, ()
    if np.all(steps % 7 == 0) and np.mean(steps == 7) >= REGULAR:
        return WEEKLY, ()
    return MONTHLY, ("the dates are irregular, so values are summed by month",)


def _regressors(
    rows: pd.DataFrame, frequency: Frequency, first: np.datetime64, names: tuple[str, ...]
) -> tuple[dict[str, Floats], Days, tuple[str, ...]]:
    """Regressors by period, the mean of their rows; those with gaps or without change are left out."""
    if not names:
        return {}, np.array([], "datetime64[D]"), ()
    place = frequency.between(first, rows["ds"].to_numpy().astype("datetime64[D]"))
    by_period = rows[list(names)].groupby(place).mean().reindex(np.arange(place.max() + 1))
    kept, notes = {}, []
    for name in names:
        values = by_period[name].to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            notes.append(f"regressor {name} has gaps and was left out")
        elif np.ptp(values) == 0:
            notes.append(f"regressor {name} never changes and was left out")
        else:
            kept[f"{GIVEN}{name}"] = values
    return kept, frequency.range(first, len(by_period)), tuple(notes)
