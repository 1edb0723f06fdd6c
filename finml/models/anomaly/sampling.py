"""The part of a frame that training never sees."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError
from finml.models.anomaly.contract import ORDER
from finml.models.anomaly.frames import features_of, table_columns

HELD_OUT = 0.3
Rows = npt.NDArray[np.intp]


def split(frame: pd.DataFrame) -> tuple[Rows, Rows]:
    """Positions of the rows to train on and of those held out.

    Of transactions, about `HELD_OUT` of the users, by a hash of the user's id: the same users for every
    version, whatever rows come or go. Of a table with times, the rows from a moment on, as it will be when
    the model is used; of one without, about that share of the rows, by a hash of the row.

    Raises:
        DataError: a part would be empty.
    """
    if features_of(frame) == "behaviour":
        held_out = _hashed(frame["user_id"].to_numpy(dtype=object)) < HELD_OUT
    elif frame[ORDER].notna().all():
        times = frame[ORDER].to_numpy(dtype=np.float64)
        cut = np.sort(times)[int((1 - HELD_OUT) * len(times))]
        # rows of one moment stay together; where most are of the first, what comes after it is held out
        held_out = times >= cut if cut > times.min() else times > cut
    else:
        rows = pd.util.hash_pandas_object(frame[table_columns(frame)], index=False).to_numpy()
        held_out = rows / 2.0**64 < HELD_OUT
    if held_out.all() or not held_out.any():
        raise DataError(
            "too few users or rows to hold a part out", hint="anomaly needs users, or rows, in both parts"
        )
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _hashed(ids: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    place: npt.NDArray[np.float64] = pd.util.hash_array(ids, categorize=False) / 2.0**64
    return place
