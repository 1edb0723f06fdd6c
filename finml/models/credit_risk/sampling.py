"""Splits in which no user is in two parts, and outcomes are spread as evenly as users allow."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError

Rows = npt.NDArray[np.intp]


def split_users(users: pd.Series, label: pd.Series, share: float) -> tuple[Rows, Rows]:
    """Positions of the rows of two parts, the second with about `share` of the users.

    A hash of the user's id decides, and nothing else: a user who was held out from one version is held out
    from all, whatever rows come or go. Otherwise a champion would be measured on users it was trained on, and
    no challenger could fairly beat it.

    Args:
        users: n user ids.
        label: n outcomes, bool.
        share: share of the users in the second part, between 0 and 1.

    Raises:
        DataError: there are too few users of one outcome for both parts.
    """
    place = pd.util.hash_array(users.to_numpy(dtype=object), categorize=False) / 2.0**64
    chosen = place < share
    outcome = label.to_numpy(dtype=bool)
    if any(users[part & side].nunique() < 1 for part in (chosen, ~chosen) for side in (outcome, ~outcome)):
        raise DataError(
            "too few users of one outcome to split them into two parts",
            hint="credit_risk needs users who defaulted and users who did not on both sides; more users help",
        )
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def user_folds(users: pd.Series, label: pd.Series, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Cross-validation folds by user: (rows to fit on, rows to score), every row scored once.

    Fewer folds are made where the rarer outcome has fewer users than `folds`.

    Raises:
        DataError: fewer than two users have the rarer outcome.
    """
    from sklearn.model_selection import StratifiedKFold

    defaulted = label.groupby(users.to_numpy()).max()
    rarer = int(defaulted.value_counts().reindex([False, True], fill_value=0).min())
    if rarer < 2:
        raise DataError(
            "too few users of one outcome to train on",
            hint="credit_risk needs at least two users who defaulted and two who did not",
        )
    place = pd.Series(0, index=defaulted.index)
    splitter = StratifiedKFold(min(folds, rarer), shuffle=True, random_state=seed)
    for number, (_, scored) in enumerate(splitter.split(defaulted.index, defaulted)):
        place.iloc[scored] = number
    fold = users.map(place).to_numpy()
    return [
        (np.flatnonzero(fold != number), np.flatnonzero(fold == number))
        for number in range(splitter.get_n_splits())
    ]


def later_rows(
    times: pd.Series, users: pd.Series, label: pd.Series, *, share: float, least: int
) -> tuple[Rows, Rows] | None:
    """Earlier rows to fit on and later rows to stop by, or `None` where time does not offer such a split.

    The later part holds about `share` of the rows, all of them after every earlier one; users of the later
    part are left out of the earlier.

    Args:
        times: n moments.
        users: n user ids.
        label: n outcomes, bool.
        share: share of the rows in the later part.
        least: rows that each part must have of each outcome.
    """
    cut = times.quantile(1 - share, interpolation="lower")
    later = (times > cut).to_numpy()
    earlier = ~later & ~users.isin(users[later]).to_numpy()
    outcome = label.to_numpy(dtype=bool)
    if min((part & side).sum() for part in (earlier, later) for side in (outcome, ~outcome)) < least:
        return None
    return np.flatnonzero(earlier), np.flatnonzero(later)
