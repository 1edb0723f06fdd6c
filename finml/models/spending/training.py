"""Training: the series of all users together, and how far single users lie from them."""

import json
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from finml.errors import DataError, UsageError
from finml.models.base import TrainingResult, TrainOptions
from finml.models.spending.calendar import COUNTRY, DayTable
from finml.models.spending.contract import FEATURE_SERVICE, NAME
from finml.models.spending.fitted import FittedSeries
from finml.models.spending.frames import DATE, SERIES, USER, VALUE, population, regressors, users
from finml.models.spending.parallel import PROCESSES
from finml.models.spending.periods import MONTHLY
from finml.models.spending.personal import shape_of
from finml.models.spending.pooling import UserPool, estimate
from finml.models.spending.population import fit_series
from finml.models.spending.runtime import CALENDAR_FILE, FORMAT, INFO_FILE, SERIES_FILE
from finml.models.spending.series import Series

log = structlog.get_logger(__name__)

PARAMETERS: Mapping[str, Any] = {"country": COUNTRY, "processes": PROCESSES}
CALENDAR_YEARS = 6
"""Years after the training for which the calendar is kept."""
CALENDAR_YEARS_BEFORE = 5
"""Years before the training for which it is kept: a user's history may begin before the bank's series."""
# months of history in the stored feature, and months ahead on which users' intervals are calibrated
HISTORY_MONTHS, AHEAD = 6, 3

Floats = npt.NDArray[np.float64]


def train(frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
    """Train on a checked frame and write the model's files into the empty `folder`.

    Args:
        frame: rows `series`, `ds`, `y`, of the population and perhaps of users; numeric columns beside them
            are regressors of the population's series.
        folder: for the model's files.
        options: `params` may hold `country` (ISO code of the holidays) and `processes`.

    Raises:
        DataError: there is no row about the population.
        UsageError: a parameter in `options.params` is not one that can be set, or not to that value.
    """
    unknown = sorted(set(options.params) - set(PARAMETERS))
    if unknown:
        raise UsageError(
            f"spending has no parameter {', '.join(unknown)}", hint=f"parameters: {', '.join(PARAMETERS)}"
        )
    chosen = {**PARAMETERS, **options.params}
    processes = _processes(chosen["processes"])
    series = series_of(frame)
    years = frame.loc[frame[VALUE].notna(), DATE].to_numpy().astype("datetime64[Y]")
    first = years.min() - CALENDAR_YEARS_BEFORE
    last = years.max() + CALENDAR_YEARS + 1
    table = DayTable.covering(
        first.astype("datetime64[D]"), last.astype("datetime64[D]") - 1, str(chosen["country"])
    )
    log.info("training_started", series=len(series), rows=len(frame), users=int(frame[USER].nunique()))
    begun = time.perf_counter()
    fitted = fit_series(series, table, processes)
    seconds = time.perf_counter() - begun
    pools = user_pools(frame, fitted, table)
    info = {
        "format": FORMAT,
        "model": NAME,
        "feature_service": FEATURE_SERVICE,
        "training": {
            "rows": len(frame),
            "series": len(fitted),
            "methods": {
                method: sum(one.method == method for one in fitted)
                for method in sorted({one.method for one in fitted})
            },
            "users": int(frame[USER].nunique()),
            "from": min(one.first for one in fitted),
            "to": max(one.last for one in fitted),
            "seed": options.seed,
            "parameters": chosen,
        },
        "versions": {name: version(name) for name in ("prophet", "holidays", "numpy", "pandas")},
    }
    _write(folder, table, fitted, pools, info)
    log.info("training_finished", series=len(fitted), seconds=round(seconds, 1))
    return TrainingResult(
        folder=folder,
        params={**chosen, "seed": options.seed},
        metrics={
            "series": float(len(fitted)),
            "series_by_prophet": float(sum(one.method == "prophet" for one in fitted)),
            "series_with_users": float(len(pools)),
            "seconds_a_series": seconds / len(fitted),
            "rows": float(len(frame)),
        },
    )


def _processes(given: object) -> int:
    try:
        processes = int(str(given))
    except (TypeError, ValueError):
        processes = 0
    if processes < 1:
        raise UsageError(f"processes is {given!r}", hint="give a whole number from 1 on")
    return processes


def series_of(frame: pd.DataFrame) -> list[Series]:
    """The population's series of a checked frame, by name.

    Raises:
        DataError: there is no row about the population.
    """
    rows = population(frame)
    known = rows[rows[VALUE].notna()]
    if known.empty:
        raise DataError(
            "no row is about the population",
            hint="leave user_id empty in the rows that say what all users spent together",
        )
    extra = regressors(rows)
    named = known[SERIES].unique()
    return [
        Series.of(str(name), part, extra) for name, part in rows.groupby(SERIES, sort=True) if name in named
    ]


def user_pools(frame: pd.DataFrame, fitted: Sequence[FittedSeries], table: DayTable) -> dict[str, UserPool]:
    """What the users of a frame say of each monthly series; months without a row were not spent on."""
    rows = users(frame)
    if rows.empty:
        return {}
    month = rows[DATE].to_numpy().astype("datetime64[M]")
    first, last = month.min(), month.max()
    months = np.arange(first, last + 1)
    ids, who = np.unique(rows[USER].to_numpy(dtype=str), return_inverse=True)
    place = (month - first).astype(np.int64)
    span = np.full((len(ids), 2), [len(months), -1])
    np.minimum.at(span[:, 0], who, place)
    np.maximum.at(span[:, 1], who, place)
    pools = {}
    for one in fitted:
        if one.frequency is not MONTHLY:
            continue
        mine = (rows[SERIES] == one.name).to_numpy()
        spent = np.zeros((len(ids), len(months)))
        np.add.at(spent, (who[mine], place[mine]), rows[VALUE].to_numpy()[mine])
        shape = shape_of(one.forecast(months.astype("datetime64[D]"), table).parts)
        found = estimate(
            [row[begin : end + 1] for row, (begin, end) in zip(spent, span, strict=True)],
            [shape[begin : end + 1] for begin, end in span],
            history=HISTORY_MONTHS,
            ahead=AHEAD,
        )
        if found is not None:
            pools[one.name] = found
    return pools


def _write(
    folder: Path,
    table: DayTable,
    fitted: Sequence[FittedSeries],
    pools: Mapping[str, UserPool],
    info: Mapping[str, Any],
) -> None:
    """Write the model's files; `model.json` comes last, so that a folder that has it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {
        "series": [one.to_dict() for one in fitted],
        "pools": {name: pool.to_dict() for name, pool in pools.items()},
    }
    documents = {CALENDAR_FILE: table.to_dict(), SERIES_FILE: stored, INFO_FILE: info}
    for name, document in documents.items():
        beside = folder / f"{name}.part"
        beside.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
        beside.replace(folder / name)
