"""The calendar that moves spending: festivals, public holidays, paydays, and how many Fridays a month has.

Days are flagged once and then counted in each period, so that months, weeks and days are read from one table.
Made with the `holidays` package when a model is trained, years ahead, and kept with the model.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError, UsageError
from finml.models.spending.periods import Frequency

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

COUNTRY = "IN"
# Days before and after a festival on which people spend for it. Only those that move from month to month: the
# yearly season already knows Christmas.
FESTIVALS: Mapping[str, tuple[str, int, int]] = {
    "diwali": ("Diwali", 14, 1),
    "dussehra": ("Dussehra", 9, 0),
    "holi": ("Holi", 4, 1),
    "eid": ("Eid al-Fitr", 9, 1),
    "easter": ("Good Friday", 1, 3),
}
# salaries are paid on the last working day, and spent on the days after it
PAYDAY_LENGTH = 3
WEEKDAYS = ("mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays")
HOLIDAY_FEATURES = frozenset({"public_holidays", *FESTIVALS})


@dataclass(frozen=True)
class DayTable:
    """Every day from `first` on.

    Attributes:
        first: the first day.
        flags: by name, 1.0 on the days that count, else 0.0.
        names: dates of each public holiday by its name.
    """

    first: np.datetime64
    flags: Mapping[str, Floats]
    names: Mapping[str, Days]

    @classmethod
    def covering(cls, first: np.datetime64, last: np.datetime64, country: str = COUNTRY) -> "DayTable":
        """The table of the days from `first` to `last`, both included.

        Args:
            first: first day.
            last: last day.
            country: ISO code; its public holidays count, and the festivals among its names.

        Raises:
            UsageError: there are no holidays of that country.
        """
        days = np.arange(first.astype("datetime64[D]"), last.astype("datetime64[D]") + 1)
        years = range(int(str(days[0])[:4]), int(str(days[-1])[:4]) + 1)
        names = _holidays(country, years)
        public = _flagged(days, np.concatenate([*names.values(), np.array([], "datetime64[D]")]), 0, 0)
        flags = {"public_holidays": public, "salary_days": _paydays(days, public)}
        known = {**names, **_optional(country, years)}
        for feature, (name, before, after) in FESTIVALS.items():
            if name in known:
                flags[feature] = _flagged(days, known[name], before, after)
        return cls(days[0], flags, names)

    def features(self, frequency: Frequency, starts: Days) -> dict[str, Floats]:
        """Features of n periods: counts of flagged days; for single days also a column a holiday.

        Args:
            frequency: of the periods.
            starts: n first days, within the table.

        Raises:
            DataError: a period lies outside the table; names it.
        """
        begin = (starts.astype("datetime64[D]") - self.first).astype(np.intp)
        end = (frequency.after(starts).astype("datetime64[D]") - self.first).astype(np.intp)
        outside = (begin < 0) | (end > len(self.flags["public_holidays"]))
        if outside.any():
            raise DataError(
                f"the period from {starts[outside][0]} on lies outside the calendar, "
                f"which reaches from {self.first} to {self.last}",
                hint="ask about later periods, or train the model again",
            )
        found = {}
        for name, total in self._totals.items():
            found[name] = total[end] - total[begin]
        if frequency.name == "monthly":
            found |= _weekday_counts(starts, end - begin)
        if frequency.name == "daily":
            found |= {
                holiday_column(name): np.isin(starts.astype("datetime64[D]"), dates).astype(np.float64)
                for name, dates in self.names.items()
            }
        return found

    @property
    def last(self) -> np.datetime64:
        """The last day."""
        return np.datetime64(self.first + len(self.flags["public_holidays"]) - 1)

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it: the days that are flagged."""
        days = self.first + np.arange(len(self.flags["public_holidays"]))
        return {
            "first": str(self.first),
            "last": str(self.last),
            "flags": {name: [str(day) for day in days[flag > 0]] for name, flag in self.flags.items()},
            "names": {name: [str(day) for day in dates] for name, dates in self.names.items()},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "DayTable":
        """The inverse of `to_dict`."""
        first = np.datetime64(document["first"])
        days = np.arange(first, np.datetime64(document["last"]) + 1)

        def dates(found: list[str]) -> Days:
            return np.array(found, dtype="datetime64[D]")

        return cls(
            first,
            {name: _flagged(days, dates(found), 0, 0) for name, found in document["flags"].items()},
            {name: dates(found) for name, found in document["names"].items()},
        )

    @cached_property
    def _totals(self) -> dict[str, Floats]:
        return {name: np.append(0.0, np.cumsum(flag)) for name, flag in self.flags.items()}


def holiday_column(name: str) -> str:
    """The column that Prophet makes of a holiday without window."""
    return f"{name}_delim_+0"


def is_holiday(feature: str) -> bool:
    """Whether a feature belongs to the holidays of a decomposition."""
    return feature in HOLIDAY_FEATURES or feature.endswith(holiday_column(""))


def is_subtle(feature: str) -> bool:
    """Whether a feature moves spending by so little that a short history shows only noise of it."""
    return feature in WEEKDAYS or feature == "public_holidays"


def _weekday_counts(starts: Days, lengths: npt.NDArray[np.intp]) -> dict[str, Floats]:
    """How often each weekday comes in a month, less its Sundays: 28 days hold each four times."""
    # 1970-01-01 was a Thursday
    weekday = (starts.astype("datetime64[D]").astype(np.int64) + 3) % 7
    counts = np.stack([4 + ((day - weekday) % 7 < lengths - 28) for day in range(7)]).astype(np.float64)
    return {name: counts[day] - counts[6] for day, name in enumerate(WEEKDAYS)}


def _flagged(days: Days, dates: Days, before: int, after: int) -> Floats:
    window = np.concatenate([dates + offset for offset in range(-before, after + 1)])
    return np.isin(days, window).astype(np.float64)


def _paydays(days: Days, public: Floats) -> Floats:
    """The last working day of each month and the days after it."""
    months = days.astype("datetime64[M]")
    working = (np.is_busday(days)) & (public == 0)
    last = [days[(months == month) & working][-1:] for month in np.unique(months)]
    return _flagged(days, np.concatenate(last), 0, PAYDAY_LENGTH)


@lru_cache(maxsize=8)
def _holidays(country: str, years: Iterable[int]) -> Mapping[str, Days]:
    import holidays

    try:
        with warnings.catch_warnings():
            # of years that the package does not know, none is a holiday
            warnings.simplefilter("ignore", UserWarning)
            found = holidays.country_holidays(country, years=years)
    except NotImplementedError:
        raise UsageError(
            f"no holidays are known of country {country!r}", hint="give an ISO code, as in IN or NZ"
        ) from None
    return _by_name(found.items())


@lru_cache(maxsize=8)
def _optional(country: str, years: Iterable[int]) -> Mapping[str, Days]:
    """Festivals that are no public holiday of the whole country, where the package knows them."""
    import holidays

    supported = holidays.country_holidays(country).supported_categories
    if "optional" not in supported:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = holidays.country_holidays(country, years=years, categories=("optional",))
    return _by_name(found.items())


def _by_name(items: Iterable[tuple[object, str]]) -> Mapping[str, Days]:
    dates: dict[str, list[str]] = {}
    for day, names in items:
        for name in names.split("; "):
            dates.setdefault(name.removesuffix(" (estimated)"), []).append(str(day))
    return {name: np.sort(np.array(found, dtype="datetime64[D]")) for name, found in sorted(dates.items())}


def prophet_holidays(table: DayTable, names: Sequence[str]) -> pd.DataFrame:
    """The holidays of those names as Prophet takes them: `holiday`, `ds`."""
    return pd.concat(
        [pd.DataFrame({"holiday": name, "ds": pd.DatetimeIndex(table.names[name])}) for name in names],
        ignore_index=True,
    )
