"""Measuring a trained model on what was spent after its training."""

import math
import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError
from finml.models.base import Evaluation, Interval
from finml.models.spending.contract import NAME
from finml.models.spending.frames import DATE, SERIES, USER, VALUE
from finml.models.spending.runtime import SpendingPredictor
from finml.models.spending.series import by_period
from finml.models.statistics import RESAMPLES, interval, resample_weights

LATENCY_WARM_UP = 5
LATENCY_CALLS = 100
LATENCY_HORIZON = 3
# series that a bootstrap over series needs; with fewer, rows are drawn
LEAST_SERIES = 5
NO_USERS = {"user_error_ratio": 1.0, "user_coverage_80": 0.8}
"""What stands for figures about users where no row is about one: a rule of the gate needs a figure, and
without such rows there is nothing to hold against a model. They are scalars; `user_rows` is then 0."""
METRICS = ("mase", "smape", "coverage_80")

Floats = npt.NDArray[np.float64]


def evaluate(
    predictor: SpendingPredictor, frame: pd.DataFrame, *, champion: SpendingPredictor | None, seed: int
) -> Evaluation:
    """Figures with bootstrap intervals (series drawn, not rows), by series and by horizon, and latency.

    `mase` is the mean absolute error over that of a seasonal naive forecast within the training,
    `naive_ratio` over that of a naive forecast of the same values, `smape` the symmetric mean absolute
    percentage error as a share (0 to 2), `coverage_80` the share inside the 80 % interval. Rows about users
    give `user_error_ratio`: the error with their history over that without, and `user_coverage_80`; where
    there are none, neutral scalars stand for both.

    Args:
        predictor: the model to measure.
        frame: n checked rows. Those that are not after the training of their series are left out and counted.
        champion: the model in use, on the rows that are after its training too and that it forecasts by the
            same periods; the paired differences say which is better. Where there is no such row,
            `incomparable` says why.
        seed: seed of the resampling.

    Raises:
        DataError: no row is after the training, or a series is not one of the model's.
    """
    rows, left_out = after_training(predictor, frame)
    answers = predictor.predict(rows)
    everyone = rows[USER].isna().to_numpy()
    if not everyone.any():
        raise DataError(
            "no row about the population is after the training, which ends with "
            f"{predictor.info['training']['to']}",
            hint="give rows with a later ds and without user_id",
        )
    measured = _measured(predictor, rows[everyone], answers[everyone])
    weights = _weights(rows[everyone], seed)
    metrics = _intervals(measured, weights)
    naive = _scaled(predictor, rows[everyone], answers[everyone]["naive"].to_numpy())
    metrics |= _ratio("naive_ratio", measured["mase"], naive, weights)
    if "coverage_80" in metrics:
        metrics["coverage_80"] = _widened(metrics["coverage_80"], rows[everyone])
    if (~everyone).any():
        metrics |= _user_figures(rows[~everyone], answers[~everyone], seed)
    versus: dict[str, Interval] = {}
    incomparable = ""
    if champion is not None:
        shared, incomparable = _comparable(predictor, champion, rows[everyone])
        if not incomparable:
            versus = _versus(predictor, champion, rows[everyone][shared], answers[everyone][shared], seed)
    return Evaluation(
        model=NAME,
        metrics=metrics,
        scalars={
            "n": float(everyone.sum()),
            "series": float(rows[everyone][SERIES].nunique()),
            "user_rows": float((~everyone).sum()),
            **({} if (~everyone).any() else NO_USERS),
            "left_out": float(left_out),
            "width_ratio": _width_ratio(predictor, rows[everyone], answers[everyone]),
            "mase_naive": float(naive.mean()),
            "resamples": float(RESAMPLES),
            **latency(predictor),
        },
        breakdown={
            "series": _by(rows[everyone][SERIES].to_numpy(dtype=str), measured),
            "horizon": _by(answers[everyone]["horizon"].astype(int).to_numpy(), measured),
        },
        versus_champion=versus,
        incomparable=incomparable,
    )


def after_training(predictor: SpendingPredictor, frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows of a checked frame that a model can be measured on, added up by period as in training.

    Returns:
        Rows `series`, `ds`, `y`, `user_id` and perhaps the stored history, a row a period after the training
        of its series; and how many rows with a value are not after it.

    Raises:
        DataError: the model does not know a series.
    """
    told = frame[frame[VALUE].notna()]
    starts, steps = predictor.periods(told)
    after = steps >= 1
    return by_period(told[after], starts[after]), int((~after).sum())


def latency(predictor: SpendingPredictor) -> dict[str, float]:
    """Milliseconds that forecasts of all series three periods ahead take here: median and 95 % quantile."""
    seconds = []
    for _ in range(LATENCY_WARM_UP + LATENCY_CALLS):
        begun = time.perf_counter()
        predictor.forecast(None, LATENCY_HORIZON)
        seconds.append(time.perf_counter() - begun)
    median, slow = np.percentile(seconds[LATENCY_WARM_UP:], [50, 95]) * 1000
    return {"latency_p50_ms": float(median), "latency_p95_ms": float(slow)}


def _scaled(predictor: SpendingPredictor, rows: pd.DataFrame, said: Floats) -> Floats:
    """Absolute errors over the seasonal naive error of the row's series."""
    scale = rows[SERIES].map({name: one.naive_error for name, one in predictor.series.items()}).to_numpy()
    return np.asarray(np.abs(rows[VALUE].to_numpy() - said) / scale)


def _measured(predictor: SpendingPredictor, rows: pd.DataFrame, answers: pd.DataFrame) -> dict[str, Floats]:
    """Each figure as n values whose mean it is."""
    actual, said = rows[VALUE].to_numpy(), answers["yhat"].to_numpy()
    size = np.abs(actual) + np.abs(said)
    inside = (actual >= answers["low"].to_numpy()) & (actual <= answers["high"].to_numpy())
    return {
        "mase": _scaled(predictor, rows, said),
        "smape": np.divide(2 * np.abs(actual - said), size, out=np.zeros(len(size)), where=size > 0),
        "coverage_80": inside.astype(np.float64),
    }


def _weights(rows: pd.DataFrame, seed: int) -> list[Floats]:
    series = rows[SERIES].to_numpy(dtype=str)
    groups = series if len(np.unique(series)) >= LEAST_SERIES else None
    return list(resample_weights(len(rows), groups, seed, RESAMPLES))


def _intervals(measured: Mapping[str, Floats], weights: list[Floats]) -> dict[str, Interval]:
    found = {}
    for name, values in measured.items():
        drawn = np.concatenate([part @ values / part.sum(axis=1) for part in weights])
        figure = interval(float(values.mean()), drawn)
        if figure is not None:
            found[name] = figure
    return found


def _widened(share: Interval, rows: pd.DataFrame) -> Interval:
    """The interval of a share, at least Wilson's over as many trials as there are series.

    Where all values lie inside, every resample says so too; that is no proof that all ever will.
    """
    n = rows[SERIES].nunique() if rows[SERIES].nunique() >= LEAST_SERIES else len(rows)
    z2 = 1.96**2 / n
    centre = (share.value + z2 / 2) / (1 + z2)
    half = math.sqrt(z2 * (share.value * (1 - share.value) + z2 / 4)) / (1 + z2)
    low, high = min(share.low, centre - half), max(share.high, centre + half)
    return Interval(value=share.value, low=max(0.0, low), high=min(1.0, high))


def _width_ratio(predictor: SpendingPredictor, rows: pd.DataFrame, answers: pd.DataFrame) -> float:
    """Mean half width of the intervals over the mean absolute error, both scaled as for MASE.

    About 1.6 where errors are normal and four fifths lie inside: wide intervals hold everything and say
    nothing.
    """
    actual = rows[VALUE].to_numpy()
    half = _scaled(predictor, rows, actual + (answers["high"] - answers["yhat"]).to_numpy())
    return float(half.mean() / max(_scaled(predictor, rows, answers["yhat"].to_numpy()).mean(), 1e-12))


def _user_figures(rows: pd.DataFrame, answers: pd.DataFrame, seed: int) -> dict[str, Interval]:
    actual = rows[VALUE].to_numpy()
    own = np.abs(actual - answers["yhat"].to_numpy())
    new = np.abs(actual - answers["naive"].to_numpy())
    inside = (actual >= answers["low"].to_numpy()) & (actual <= answers["high"].to_numpy())
    weights = list(resample_weights(len(rows), rows[USER].to_numpy(dtype=str), seed, RESAMPLES))
    covered = _intervals({"user_coverage_80": inside.astype(np.float64)}, weights)
    return _ratio("user_error_ratio", own, new, weights) | covered


def _ratio(name: str, errors: Floats, others: Floats, weights: list[Floats]) -> dict[str, Interval]:
    """The sum of n errors over that of n others, with its interval; nothing where it is not defined."""
    found = interval(
        float(errors.sum() / max(others.sum(), 1e-12)),
        np.concatenate([(part @ errors) / np.maximum(part @ others, 1e-12) for part in weights]),
    )
    return {name: found} if found is not None else {}


def _comparable(
    predictor: SpendingPredictor, champion: SpendingPredictor, rows: pd.DataFrame
) -> tuple[npt.NDArray[np.bool_], str]:
    """Which of n rows say which of two models is better, and why none does, if so."""
    left = rows[SERIES].isin(champion.series).to_numpy()
    if not left.any():
        return left, "the champion knows none of these series"
    starts = rows[DATE].to_numpy().astype("datetime64[D]")
    same, after, within = (np.zeros(len(rows), dtype=bool) for _ in range(3))
    for name, found in rows[left].groupby(SERIES).indices.items():
        places = np.flatnonzero(left)[found]
        one, mine = champion.series[str(name)], predictor.series[str(name)]
        theirs = one.frequency.start_of(np.datetime64(one.last), starts[places])
        same[places] = (one.frequency is mine.frequency) & (theirs == starts[places])
        after[places] = one.horizon(theirs) >= 1
        within[places] = one.frequency.after(theirs) <= champion.table.last + 1
    for kept, why in (
        (same, "the champion forecasts these series by other periods"),
        (
            after,
            f"no row is after the champion's training, which ends with {champion.info['training']['to']}",
        ),
        (within, f"the champion's calendar ends with {champion.table.last}, before these rows"),
    ):
        left &= kept
        if not left.any():
            return left, why
    return left, ""


def _versus(
    predictor: SpendingPredictor,
    champion: SpendingPredictor,
    rows: pd.DataFrame,
    answers: pd.DataFrame,
    seed: int,
) -> dict[str, Interval]:
    """Paired differences on rows that are comparable, both errors over the same scale."""
    theirs = _measured(predictor, rows, champion.predict(rows))
    ours = _measured(predictor, rows, answers)
    return _intervals({name: ours[name] - theirs[name] for name in METRICS}, _weights(rows, seed))


def _by(part: npt.NDArray[np.generic], measured: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
    return {
        str(value): {name: float(values[part == value].mean()) for name, values in measured.items()}
        | {"n": float((part == value).sum())}
        for value in np.unique(part)
    }
