"""Measuring a trained model on labelled rows it has never seen."""

import time
from typing import Any

import numpy as np
import pandas as pd

from finml.errors import DataError
from finml.models.base import Evaluation
from finml.models.credit_risk.contract import LABEL, NAME, PROTECTED
from finml.models.credit_risk.runtime import CreditRiskPredictor
from finml.models.fairness import age_group, fairness_table
from finml.models.statistics import RESAMPLES, compare, measure

LATENCY_WARM_UP = 20
LATENCY_CALLS = 300


def evaluate(
    predictor: CreditRiskPredictor, frame: pd.DataFrame, *, champion: CreditRiskPredictor | None, seed: int
) -> Evaluation:
    """Figures with bootstrap intervals (users drawn, not rows), fairness by group, latency of a single row.

    Args:
        predictor: the model to measure.
        frame: n checked rows.
        champion: the model in use, measured on the same rows; the paired differences say which is better.
        seed: seed of the resampling.

    Raises:
        DataError: there is no row.
    """
    if frame.empty:
        raise DataError(
            "there is no row to evaluate on", hint="give labelled rows: loans with a known outcome"
        )
    label, users = frame[LABEL].to_numpy(dtype=bool), frame["user_id"].to_numpy()
    answers = predictor.predict(frame)
    probability = answers["probability"].to_numpy()
    flagged = answers["flagged"].to_numpy()
    versus = {}
    if champion is not None:
        theirs = champion.predict(frame)["probability"].to_numpy()
        versus = compare(label, probability, theirs, groups=users, seed=seed)
    return Evaluation(
        model=NAME,
        metrics=measure(label, probability, groups=users, seed=seed),
        scalars={
            "n": float(len(frame)),
            "users": float(len(np.unique(users))),
            "defaults": float(label.sum()),
            "base_rate": float(label.mean()),
            "mean_probability": float(probability.mean()),
            "threshold": predictor.threshold,
            "flagged_share": float(flagged.mean()),
            "resamples": float(RESAMPLES),
            **latency(predictor, frame),
        },
        groups=fairness_table(protected_groups(frame), label, flagged, probability),
        versus_champion=versus,
    )


def protected_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Protected attributes of n rows as group names, a column each; absent ones are left out."""
    given = {name: frame[column] for name, column in PROTECTED.items() if column in frame}
    return pd.DataFrame(
        {name: age_group(values) if name == "age" else values for name, values in given.items()},
        index=frame.index,
    )


def latency(predictor: CreditRiskPredictor, frame: pd.DataFrame) -> dict[str, float]:
    """Milliseconds that an answer about one row, with its reasons, takes here: median and 95 % quantile."""
    head = frame.head(LATENCY_CALLS)
    records: list[dict[str, Any]] = head[predictor.columns].to_dict("records")  # type: ignore[assignment]  # str
    seconds = []
    for call in range(LATENCY_WARM_UP + LATENCY_CALLS):
        begun = time.perf_counter()
        record = [records[call % len(records)]]
        predictor.judge(record, [True])
        seconds.append(time.perf_counter() - begun)
    median, slow = np.percentile(seconds[LATENCY_WARM_UP:], [50, 95]) * 1000
    return {"latency_p50_ms": float(median), "latency_p95_ms": float(slow)}
