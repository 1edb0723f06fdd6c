"""Months, weeks and days: what a period is, and what follows from it for a forecast."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Frequency:
    """How often a series has a value.

    Attributes:
        name: `monthly`, `weekly` or `daily`.
        unit: a period, in words.
        season: periods of the season that a naive forecast repeats.
        most: periods that can be asked for.
        least: periods of history that Prophet needs.
        yearly_from: periods from which a yearly season can be told from noise.
        tested: periods ahead that are tried on rolling origins.
        step: periods between two origins.
        origins: origins at most.
        buckets: last horizon of each group of horizons that share the width of their intervals.
    """

    name: str
    unit: str
    season: int
    most: int
    least: int
    yearly_from: int
    tested: int
    step: int
    origins: int
    buckets: tuple[int, ...]

    def after(self, starts: Days, periods: int = 1) -> Days:
        """First days of the periods that come `periods` later, as `datetime64[D]`."""
        days = np.asarray(starts, dtype="datetime64[D]")
        if self.name == "monthly":
            return np.asarray((days.astype("datetime64[M]") + periods).astype("datetime64[D]"))
        return np.asarray(days + periods * self.days)

    def range(self, first: np.datetime64, periods: int) -> Days:
        """First days of `periods` periods from `first` on."""
        if self.name == "monthly":
            return np.asarray((first.astype("datetime64[M]") + np.arange(periods)).astype("datetime64[D]"))
        return np.asarray(first.astype("datetime64[D]") + self.days * np.arange(periods))

    def between(self, first: np.datetime64, dates: Days) -> npt.NDArray[np.int64]:
        """Periods from `first` to each date, counted in whole ones."""
        if self.name == "monthly":
            months = dates.astype("datetime64[M]") - first.astype("datetime64[M]")
            return np.asarray(months.astype(np.int64))
        days = (dates.astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64)
        return np.asarray(days // self.days)

    def start_of(self, anchor: np.datetime64, dates: Days) -> Days:
        """First day of the period that each date lies in, where `anchor` is the first day of one."""
        if self.name == "monthly":
            return np.asarray(dates.astype("datetime64[M]").astype("datetime64[D]"))
        return np.asarray(anchor.astype("datetime64[D]") + self.between(anchor, dates) * self.days)

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """The horizon in the middle of each bucket."""
        ends = np.array(self.buckets, dtype=np.float64)
        return np.asarray((np.append(1.0, ends[:-1] + 1) + ends) / 2)

    @property
    def days(self) -> int:
        """Days of a period; of a month, about."""
        return {"monthly": 30, "weekly": 7, "daily": 1}[self.name]


MONTHLY = Frequency(
    "monthly", "month", season=12, most=24, least=8, yearly_from=18, tested=12, step=3, origins=8,
    buckets=(1, 3, 6, 12, 24),
)  # fmt: skip
WEEKLY = Frequency(
    "weekly", "week", season=52, most=52, least=26, yearly_from=100, tested=26, step=7, origins=5,
    buckets=(1, 4, 13, 26, 52),
)  # fmt: skip
DAILY = Frequency(
    "daily", "day", season=7, most=365, least=56, yearly_from=700, tested=90, step=23, origins=4,
    buckets=(7, 14, 30, 90, 365),
)  # fmt: skip
FREQUENCIES: Mapping[str, Frequency] = MappingProxyType(
    {each.name: each for each in (MONTHLY, WEEKLY, DAILY)}
)
