"""Holding the end of every series out: a forecast is measured on what came after the training."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models.spending.frames import DATE, SERIES, USER, VALUE
from finml.models.spending.periods import DAILY, MONTHLY, WEEKLY
from finml.models.spending.series import detect

HELD_OUT = {MONTHLY.name: 3, WEEKLY.name: 6, DAILY.name: 28}
"""Periods at the end of a series that no training sees."""
# of a short series at most this share is held out
MOST_SHARE = 0.2


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows up to each series' cut, and the rows with a value after it, of the population and of users.

    Rows without value, which tell regressors of the future, are kept.
    """
    after = np.zeros(len(frame), dtype=bool)
    days = frame[DATE].to_numpy().astype("datetime64[D]")
    told = frame[VALUE].notna().to_numpy()
    everyone = frame[USER].isna().to_numpy()
    for found in frame.groupby(SERIES).indices.values():
        places = np.asarray(found)
        of_all = places[everyone[places] & told[places]]
        if len(of_all):
            after[places] = days[places] > _cut(np.sort(days[of_all]))
    held_out = after & told
    return frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)


def _cut(days: npt.NDArray[np.datetime64]) -> np.datetime64:
    """The last day of training: all days of a period fall on one side of it."""
    frequency, _ = detect(np.unique(days))
    starts = np.unique(frequency.start_of(days[0], days))
    wanted = min(HELD_OUT[frequency.name], int(len(starts) * MOST_SHARE))
    following = frequency.after(starts[len(starts) - 1 - wanted : len(starts) - wanted])[0]
    return np.datetime64(following - 1)
