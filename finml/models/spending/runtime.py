"""The trained model as it is served: numpy and pandas, no Prophet, no Stan.

A model's folder holds `series.json` (what was fitted to each series), `calendar.json` (festivals
and paydays, years ahead) and `model.json`. Nothing in it is executed on loading.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError, ModelError
from finml.models.spending.calendar import DayTable
from finml.models.spending.fitted import FittedSeries
from finml.models.spending.periods import MONTHLY
from finml.models.spending.personal import Answer, History, personal, total
from finml.models.spending.pooling import UserPool

SERIES_FILE = "series.json"
CALENDAR_FILE = "calendar.json"
INFO_FILE = "model.json"
FORMAT = 1

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


class SpendingPredictor:
    """A loaded model.

    Attributes:
        info: the contents of `model.json`.
        series: what was fitted, by series.
        pools: what is known of users, by series; those of which nothing is known are left out.
        table: the calendar.
    """

    def __init__(
        self,
        info: Mapping[str, Any],
        series: Sequence[FittedSeries],
        pools: Mapping[str, UserPool],
        table: DayTable,
    ) -> None:
        self.info = info
        self.series = {one.name: one for one in series}
        self.pools = dict(pools)
        self.table = table

    @classmethod
    def load(cls, folder: Path) -> "SpendingPredictor":
        """Load a model that training wrote.

        Raises:
            ModelError: a file is missing, unreadable or of another format.
        """
        try:
            info = json.loads((folder / INFO_FILE).read_text())
            if info["format"] != FORMAT:
                raise ModelError(
                    f"{folder / INFO_FILE} has format {info['format']!r}, this finml reads {FORMAT}",
                    hint="train the model again with this version of finml",
                )
            stored = json.loads((folder / SERIES_FILE).read_text())
            table = DayTable.from_dict(json.loads((folder / CALENDAR_FILE).read_text()))
            series = [FittedSeries.from_dict(one) for one in stored["series"]]
            pools = {name: UserPool.from_dict(pool) for name, pool in stored["pools"].items()}
            return cls(info, series, pools, table)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"no usable spending model in {folder}: {error}",
                hint="download the version again from the registry, or train a new one",
            ) from error

    def names(self, category: str | None) -> list[str]:
        """The series that a question is about.

        Raises:
            DataError: the model does not know the category.
        """
        if category is None:
            return list(self.series)
        if category not in self.series:
            known = ", ".join(list(self.series)[:20])
            raise DataError(f"the model knows no series {category[:64]!r}", hint=f"it knows: {known}")
        return [category]

    def refusal(
        self,
        category: str | None,
        horizon: int,
        start: np.datetime64 | None,
        history: History | None = None,
    ) -> tuple[str, str] | None:
        """The field of a question that cannot be answered and why, or `None`; in it `.` leads to a part."""
        try:
            asked = [self.series[name] for name in self.names(category)]
        except DataError as error:
            return "category", f"{error}; {error.hint}"
        # by the month, week and day at once only the shortest horizon means something for all
        most = min(one.frequency.most for one in asked)
        if horizon > most:
            slowest = min(asked, key=lambda one: one.frequency.most).frequency
            return (
                "horizon",
                f"must be at most {most}: {asked[0].name} is forecast by the {slowest.unit}"
                if category
                else f"must be at most {most}: a series is forecast by the {slowest.unit}",
            )
        if history is not None and len(history.months) and any(one.frequency is MONTHLY for one in asked):
            # without a start the answer follows the history
            first = self.table.first.astype("datetime64[M]")
            last = (self.table.last + 1).astype("datetime64[M]") - 1 - (0 if start else horizon)
            if history.months[0] < first or history.months[-1] > last:
                return "history.months", f"must lie from {first} to {last}, for which the calendar is known"
        if start is None:
            return None
        earliest = max(one.coming(1)[0] for one in asked)
        latest = min(one.frequency.after(np.array([self.table.last + 1]), -horizon)[0] for one in asked)
        if not earliest <= start <= latest:
            return (
                "start",
                f"must lie from {earliest}, after the training, to {latest}, for which the calendar is known",
            )
        return None

    def forecast(
        self,
        category: str | None,
        horizon: int,
        *,
        start: np.datetime64 | None = None,
        history: History | None = None,
    ) -> list[Answer]:
        """Forecasts of one series or of all.

        Args:
            category: a series, or `None` for all.
            horizon: periods.
            start: a day in the first period; `None` for the period after the history.
            history: a user's own; one without months is a new user. `None` asks for the total of all users.

        Raises:
            DataError: the model does not know the category.
        """
        answers = []
        for name in self.names(category):
            one = self.series[name]
            begin, notes = start, tuple[str, ...]()
            if begin is None and history is not None and one.frequency is MONTHLY:
                begin, notes = self._following(one, horizon, history)
            dates = one.coming(horizon, begin)
            found = one.forecast(dates, self.table)
            if history is None:
                answers.append(total(one, found))
            else:
                answer = personal(one, found, history, self.pools.get(name), self.table)
                answers.append(replace(answer, notes=(*notes, *answer.notes)))
        return answers

    def _following(
        self, one: FittedSeries, horizon: int, history: History
    ) -> tuple[np.datetime64 | None, tuple[str, ...]]:
        """The month after a history from which the calendar lasts for the horizon, and what to say of it."""
        if history.until is None:
            return None, (
                "no history says which month comes next, so the forecast begins after the training; "
                "ask with a start for other months",
            )
        begin = history.next_month(after=np.datetime64(one.last))
        latest = one.frequency.after(np.array([self.table.last + 1]), -horizon)[0]
        if begin is not None and begin > latest:
            return latest, (
                f"the calendar ends with {self.table.last}, so the forecast begins with {latest}",
            )
        return begin, ()

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Forecast the rows of a labelled frame.

        Args:
            frame: n rows `series`, `ds`, perhaps `user_id` with the stored feature `spending`, whose values
                of regressors are not looked at: nobody will know them when the model is asked.

        Returns:
            n rows with the frame's index: `yhat`, `low`, `high`, `horizon` (periods after the training),
            `naive` (the last season again, or the last value; for a user what the mean user spends), `own`
            (weight of the own history, 0 for the population).

        Raises:
            DataError: the model does not know a series; names them.
        """
        self._check_known(frame)
        columns = ("yhat", "low", "high", "horizon", "naive", "own")
        values = np.full((len(frame), len(columns)), np.nan)
        user = frame["user_id"] if "user_id" in frame else pd.Series(None, frame.index, dtype=object)
        everyone = user.isna().to_numpy()
        dates = frame["ds"].to_numpy().astype("datetime64[D]")
        for name, found in frame.groupby("series").indices.items():
            one, places = self.series[str(name)], np.asarray(found)
            for rows, answer in (
                (places[everyone[places]], self._totals),
                (places[~everyone[places]], self._users),
            ):
                if len(rows):
                    values[rows] = answer(one, dates[rows], frame.take(rows))
        return pd.DataFrame(values, columns=list(columns), index=frame.index)

    def periods(self, frame: pd.DataFrame) -> tuple[Days, npt.NDArray[np.int64]]:
        """First day of the period that each of n rows `series`, `ds` lies in; periods after the training.

        Raises:
            DataError: the model does not know a series; names them.
        """
        self._check_known(frame)
        starts = frame["ds"].to_numpy().astype("datetime64[D]")
        steps = np.zeros(len(frame), dtype=np.int64)
        for name, places in frame.groupby("series").indices.items():
            one = self.series[str(name)]
            starts[places] = one.frequency.start_of(np.datetime64(one.last), starts[places])
            steps[places] = one.horizon(starts[places])
        return starts, steps

    def _check_known(self, frame: pd.DataFrame) -> None:
        unknown = sorted(set(frame["series"]) - set(self.series))
        if unknown:
            raise DataError(
                f"the model knows no series {', '.join(map(repr, unknown[:5]))}"
                + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""),
                hint=f"it knows: {', '.join(list(self.series)[:20])}",
            )

    def _totals(self, one: FittedSeries, dates: Days, rows: pd.DataFrame) -> Floats:
        starts = one.frequency.start_of(np.datetime64(one.last), dates)
        found = one.forecast(starts, self.table)
        steps = one.horizon(starts)
        naive = one.naive.at(np.maximum(steps, 1))
        return np.column_stack([found.yhat, found.low, found.high, steps, naive, np.zeros(len(rows))])

    def _users(self, one: FittedSeries, dates: Days, rows: pd.DataFrame) -> Floats:
        starts = one.frequency.start_of(np.datetime64(one.last), dates)
        known = rows["spending"] if "spending" in rows else [None] * len(rows)
        found = one.forecast(starts, self.table)
        new = personal(one, found, History.none(), self.pools.get(one.name), self.table)
        lines = []
        for place, (stored, step) in enumerate(zip(known, one.horizon(starts), strict=True)):
            at = found.at(place)
            own = personal(one, at, History.stored(stored), self.pools.get(one.name), self.table)
            weight = own.pooling.weight if own.pooling else 0.0
            lines.append([own.yhat[0], own.low[0], own.high[0], step, new.yhat[place], weight])
        return np.array(lines)
