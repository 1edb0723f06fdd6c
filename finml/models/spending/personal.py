"""From the forecast of a series to an answer: the population's as it is, a user's by partial pooling."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from finml.models.spending.calendar import DayTable
from finml.models.spending.components import PARTS
from finml.models.spending.fitted import FittedSeries, Forecast
from finml.models.spending.pooling import UserPool
from finml.models.spending.series import GIVEN

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
Months = npt.NDArray[np.datetime64]

# a season of nine times the average would be an error of the fit, not a season
SHAPE_LIMITS = (0.0, 9.0)


@dataclass(frozen=True)
class History:
    """What a user spent in complete months, by category.

    Attributes:
        months: n months, the oldest first.
        spent: n amounts by category.
        until: the last month that was looked at, whether or not the user was a customer then.
        left_out: months that were given and cannot be used.
    """

    months: Months
    spent: Mapping[str, Sequence[float]]
    until: np.datetime64 | None = None
    left_out: int = 0

    @classmethod
    def none(cls) -> "History":
        """Of a user of whom nothing is known."""
        return cls(np.array([], "datetime64[M]"), {})

    @classmethod
    def of(
        cls, months: Sequence[str], spent: Mapping[str, Sequence[float]], first: str | None = None
    ) -> "History":
        """From months as in `2026-05`, the oldest first; those before `first` were not the user's yet."""
        known = np.array(list(months), dtype="datetime64[M]")
        kept = np.ones(len(known), dtype=bool) if first is None else known >= np.datetime64(first, "M")
        return cls(known, spent, known[-1] if len(known) else None)._only(kept)

    @classmethod
    def stored(cls, text: object) -> "History":
        """From the stored feature; of a user without one, nothing is known."""
        if not isinstance(text, str):
            return cls.none()
        document = json.loads(text)
        if not document.get("first_month"):
            return cls(np.array([], "datetime64[M]"), {}, np.datetime64(document["months"][-1], "M"))
        return cls.of(document["months"], document["spent"], document["first_month"])

    def within(self, table: DayTable) -> "History":
        """The months that the calendar knows; the others are left out and counted."""
        starts = self.months.astype("datetime64[D]")
        kept = (starts >= table.first) & ((self.months + 1).astype("datetime64[D]") <= table.last + 1)
        return replace(self._only(kept), left_out=int((~kept).sum()))

    def next_month(self, after: np.datetime64) -> np.datetime64 | None:
        """First day of the month after the history, if that is later than `after`; else `None`."""
        if self.until is None:
            return None
        following = (self.until + 1).astype("datetime64[D]")
        return np.datetime64(following) if following > after else None

    def _only(self, kept: npt.NDArray[np.bool_]) -> "History":
        spent = {name: list(np.asarray(values, float)[kept]) for name, values in self.spent.items()}
        return replace(self, months=self.months[kept], spent=spent)


@dataclass(frozen=True)
class Pooled:
    """How a user's history and everyone's were weighed; see `contract.Pooling`."""

    weight: float
    months: int
    scale: float
    shift: float
    typical: float


@dataclass(frozen=True)
class Answer:
    """A forecast as it is answered.

    Attributes:
        series: what it is about.
        subject: `population` or `user`.
        dates: n first days of periods.
        yhat: n values.
        low: lower ends of the 80 % intervals.
        high: upper ends.
        parts: n values of each part; they add up to `yhat`.
        pooling: of a user.
        notes: what has to be known.
    """

    series: FittedSeries
    subject: str
    dates: Days
    yhat: Floats
    low: Floats
    high: Floats
    parts: Mapping[str, Floats]
    pooling: Pooled | None
    notes: tuple[str, ...]


def total(one: FittedSeries, found: Forecast) -> Answer:
    """The answer about everyone together."""
    return Answer(
        one, "population", found.dates, found.yhat, found.low, found.high, found.parts, None,
        (*one.notes, *_ahead(one, found.dates)),
    )  # fmt: skip


def personal(
    one: FittedSeries, found: Forecast, history: History, pool: UserPool | None, table: DayTable
) -> Answer:
    """The answer about one user: the category's shape at the user's level.

    Args:
        one: the category.
        found: its forecast.
        history: the user's own; without months the user is new.
        pool: what is known of users; without it only the own history counts.
        table: the calendar.
    """
    history = history.within(table)
    spent = _spent(one, history)
    notes = [*one.notes, *_ahead(one, found.dates), *_used(history)]
    if pool is None and not len(spent):
        notes.append(
            "nothing is known of single users of this category, nor of this one: this is the total of all"
        )
        return Answer(
            one, "population", found.dates, found.yhat, found.low, found.high, found.parts, None, tuple(notes)
        )
    shape = shape_of(found.parts)
    past = (
        shape_of(one.forecast(history.months.astype("datetime64[D]"), table).parts) if len(spent) else spent
    )
    if pool is None:
        notes.append("nothing is known of other users of this category, so the user's own level counts alone")
        pool = _alone(one, spent, past)
    level = pool.posterior(spent, past)
    yhat, half = level.forecast(shape)
    if not level.months:
        notes.append("the user has no history, so this is what the mean user spends")
    elif level.months < 3:
        notes.append(f"the user has {level.months} complete month{'s' * (level.months > 1)} of history")
    parts = {
        name: np.full(len(shape), pool.typical) if name == "trend" else _scaled(found, name, pool)
        for name in PARTS
    }
    parts["recent"] = np.zeros(len(yhat))
    parts["personal"] = yhat - np.sum(list(parts.values()), axis=0)
    shift = level.shift * pool.typical
    pooling = Pooled(level.weight, level.months, level.scale, shift, pool.typical)
    low = np.maximum(yhat - half, 0.0)
    return Answer(one, "user", found.dates, yhat, low, yhat + half, parts, pooling, tuple(notes))


def shape_of(parts: Mapping[str, Floats]) -> Floats:
    """The category's shape: its forecast over its trend, 1 in an average period.

    The trend itself is left out: a bank's spending grows with its users, one user's does not.
    """
    trend = parts["trend"]
    season = np.sum([values for name, values in parts.items() if name not in ("trend", "recent")], axis=0)
    safe = np.where(np.abs(trend) > 1e-9, trend, np.inf)
    return np.asarray(np.clip(1 + season / safe, *SHAPE_LIMITS))


def _scaled(found: Forecast, name: str, pool: UserPool) -> Floats:
    trend = found.parts["trend"]
    return np.asarray(pool.typical * found.parts[name] / np.where(np.abs(trend) > 1e-9, trend, np.inf))


def _spent(one: FittedSeries, history: History) -> Floats:
    """Months of the user's own; nothing for series that are not monthly."""
    if one.frequency.name != "monthly" or not len(history.months):
        return np.array([])
    return np.asarray(history.spent.get(one.name, [0.0] * len(history.months)), dtype=np.float64)


def _alone(one: FittedSeries, spent: Floats, past: Floats) -> UserPool:
    """A pool in which the user's own months say everything."""
    typical = float(spent.sum() / max(past.sum(), 1e-9))
    if typical <= 0:
        return UserPool(typical=1.0, between=1e6, within=0.05**2, shape_share=0.5, factor=1.2816, users=0)
    within = max(float(np.var(spent / typical)), (one.half_widths[0] / 1.2816) ** 2)
    return UserPool(typical=typical, between=1e6, within=within, shape_share=0.5, factor=1.2816, users=0)


def _used(history: History) -> list[str]:
    """What to say of a history of which not all can be used."""
    if not history.left_out:
        return []
    return [f"{history.left_out} months of history lie outside the model's calendar and were left out"]


def _ahead(one: FittedSeries, dates: Days) -> list[str]:
    """What to say of horizons that were not tried, and of regressors that nobody knows yet."""
    found = []
    horizon, unit = int(one.horizon(dates[-1:])[0]), one.frequency.unit
    if horizon > one.frequency.tested:
        found.append(
            f"{horizon} {unit}s after the training, of which {one.frequency.tested} were tried on the past"
        )
    place = int(one.frequency.between(np.datetime64(one.first), dates[-1:])[0])
    unknown = [
        name.removeprefix(GIVEN) for name, known in one.regressors.items() if place >= len(known.values)
    ]
    if unknown:
        found.append(f"not known so far ahead, so taken as a season before: {', '.join(unknown)}")
    return found
