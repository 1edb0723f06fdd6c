"""One trained series: everything that its forecast needs, as numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finml.models.spending.blending import Blend
from finml.models.spending.calendar import DayTable
from finml.models.spending.components import PARTS, Components
from finml.models.spending.periods import FREQUENCIES, Frequency
from finml.models.spending.series import Known
from finml.models.spending.simple import Pattern

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

DECOMPOSED = (*PARTS, "recent")
"""Parts of a forecast; they add up to it. `recent` is what blending adds to Prophet."""


@dataclass(frozen=True)
class Forecast:
    """A forecast of n periods.

    Attributes:
        dates: n first days.
        parts: n values of each of `DECOMPOSED`.
        yhat: their sum.
        low: lower end of the 80 % interval.
        high: upper end.
    """

    dates: Days
    parts: Mapping[str, Floats]
    yhat: Floats
    low: Floats
    high: Floats

    def at(self, place: int) -> "Forecast":
        """The forecast of one of the periods."""
        only = slice(place, place + 1)
        parts = {name: values[only] for name, values in self.parts.items()}
        return Forecast(self.dates[only], parts, self.yhat[only], self.low[only], self.high[only])


@dataclass(frozen=True)
class FittedSeries:
    """A trained series.

    Attributes:
        name: as in `groceries`.
        frequency: of its periods.
        first: first day of its first period.
        last: first day of its last period.
        periods: values it was trained on.
        method: `prophet`, `seasonal_naive`, `mean` or `recent_level`.
        how: the method in words.
        notes: what has to be said of the history.
        components: what Prophet fitted.
        blend: what is made of it.
        pattern: what a simpler method repeats.
        naive: what it is measured against.
        unit: size of a value, in which errors are counted.
        naive_error: what MASE divides by.
        half_widths: of the 80 % interval by bucket of horizons, in units.
        floor: whether a forecast is never below 0.
        regressors: further columns by name.
    """

    name: str
    frequency: Frequency
    first: str
    last: str
    periods: int
    method: str
    how: str
    notes: tuple[str, ...]
    components: Components | None
    blend: Blend | None
    pattern: Pattern
    naive: Pattern
    unit: float
    naive_error: float
    half_widths: tuple[float, ...]
    floor: bool
    regressors: Mapping[str, Known]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "FittedSeries":
        """The inverse of `to_dict`."""
        fitted, blend = document["components"], document["blend"]
        return cls(
            **{
                **document,
                "frequency": FREQUENCIES[document["frequency"]],
                "notes": tuple(document["notes"]),
                "components": Components.from_dict(fitted) if fitted else None,
                "blend": Blend.from_dict(blend) if blend else None,
                "pattern": Pattern.from_dict(document["pattern"]),
                "naive": Pattern.from_dict(document["naive"]),
                "half_widths": tuple(document["half_widths"]),
                "regressors": {
                    name: Known(tuple(known["values"])) for name, known in document["regressors"].items()
                },
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {**asdict(self), "frequency": self.frequency.name}

    def horizon(self, dates: Days) -> npt.NDArray[np.int64]:
        """Periods from the last of the history to each date; 1 is the next."""
        return self.frequency.between(np.datetime64(self.last), dates)

    def coming(self, periods: int, start: np.datetime64 | None = None) -> Days:
        """First days of periods from `start` on, or from the end of the history."""
        last = np.datetime64(self.last)
        begin = self.frequency.after(np.array([last]))[0] if start is None else start
        return self.frequency.range(self.frequency.start_of(last, np.array([begin]))[0], periods)

    def forecast(self, dates: Days, table: DayTable) -> Forecast:
        """The forecast of n periods.

        Args:
            dates: n first days of periods. Those of the history get what the fit says of them.
            table: the calendar.
        """
        steps = np.maximum(self.horizon(dates), 1)
        parts = self._parts(dates, table, steps)
        yhat = np.sum(list(parts.values()), axis=0)
        half = self.unit * self.widths(steps)
        low = yhat - half
        return Forecast(dates, parts, yhat, np.maximum(low, 0.0) if self.floor else low, yhat + half)

    def widths(self, steps: npt.NDArray[np.int64]) -> Floats:
        """Half widths at n horizons in units; beyond the last bucket they grow as a random walk's errors."""
        centres = self.frequency.centres
        beyond = np.sqrt(np.maximum(1.0, steps / centres[-1]))
        return np.asarray(np.interp(steps, centres, np.array(self.half_widths)) * beyond)

    def regressor_values(self, dates: Days) -> dict[str, Floats]:
        """Values of the table's regressors on n dates, by the names that the fit knows them by."""
        place = self.frequency.between(np.datetime64(self.first), dates)
        return {name: known.at(place, self.frequency.season) for name, known in self.regressors.items()}

    def _parts(self, dates: Days, table: DayTable, steps: npt.NDArray[np.int64]) -> dict[str, Floats]:
        if self.components is None:
            nothing = dict.fromkeys(DECOMPOSED, np.zeros(len(dates)))
            return {**nothing, "trend": self.pattern.at(steps)}
        features = {**table.features(self.frequency, dates), **self.regressor_values(dates)}
        parts = self.components.evaluate(dates, features)
        path = np.sum(list(parts.values()), axis=0)
        if self.blend is None:
            return {**parts, "recent": np.zeros(len(dates))}
        added = self.blend.added(parts["trend"], steps)
        blended = np.maximum(path + added, 0.0) if self.floor else path + added
        return {**parts, "recent": np.where(self.horizon(dates) > 0, blended - path, 0.0)}
