"""Measuring a trained model on labelled rows it has never seen."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from finml.errors import DataError
from finml.models.anomaly.behaviour import behaviour
from finml.models.anomaly.contract import KIND, LABEL, NAME, WEIGHT
from finml.models.anomaly.detector import Floats
from finml.models.anomaly.example import busy_habits, transaction_of
from finml.models.anomaly.frames import features_of
from finml.models.anomaly.habits import Habits
from finml.models.anomaly.matrix import KINDS
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import Evaluation, Interval
from finml.models.statistics import RESAMPLES, ScoredRows, interval, resample_weights

LATENCY_WARM_UP = 20
LATENCY_CALLS = 300
# resamples of a large table cost seconds each hundred and move the ends of an interval little
LEAST_RESAMPLES, MOST_CELLS = 200, 20_000_000
SHOWN_CATEGORIES, SHOWN_COLUMNS = 20, 10
LIFT = "average_precision_lift"
"""The one figure that is no share."""
METRICS = ("average_precision", LIFT, "recall_at_budget", "precision_at_budget", "auc")

log = structlog.get_logger(__name__)


def evaluate(
    predictor: AnomalyPredictor, frame: pd.DataFrame, *, champion: AnomalyPredictor | None, seed: int
) -> Evaluation:
    """Figures with bootstrap intervals (users drawn, or rows of a table), by kind and category, and latency.

    Rows that stand for several others (`weight`) count as often. Without any labelled anomaly nothing can be
    said about quality: there is no metric then, only the share of alerts.

    Args:
        predictor: the model to measure.
        frame: n checked rows.
        champion: the model in use, measured on the same rows; the paired differences say which is better.
            Where it takes another kind of rows, or columns that these lack, the evaluation says so instead.
        seed: seed of the resampling.

    Raises:
        DataError: there is no row, or the model takes rows of another kind.
    """
    if frame.empty:
        raise DataError("there is no row to evaluate on", hint="give labelled transactions or rows")
    answers = predictor.predict(frame)
    rows = Labelled.of(frame)
    score = answers["score"].to_numpy()
    flagged = answers["flagged"].to_numpy()
    measured = rows.has_both
    if not measured:
        log.warning("quality_cannot_be_measured", rows=len(frame), anomalies=int(rows.label.sum()))
    resamples = int(np.clip(MOST_CELLS // len(frame), LEAST_RESAMPLES, RESAMPLES))
    versus: dict[str, Interval] = {}
    incomparable = "" if champion is None else _incomparable(champion, frame)
    if champion is not None and measured and not incomparable:
        theirs = champion.predict(frame)["score"].to_numpy()
        ours, rival = rows.figures(score, predictor.budget), rows.figures(theirs, predictor.budget)

        def differences(weights: Floats) -> dict[str, Floats]:
            mine, their = ours(weights), rival(weights)
            return {name: mine[name] - their[name] for name in mine}

        versus = rows.intervals(differences, seed, resamples)
    share = float(np.average(flagged, weights=rows.weight))
    return Evaluation(
        model=NAME,
        metrics=rows.measured(score, predictor.budget, seed, resamples) if measured else {},
        scalars={
            "n": float(len(frame)),
            "users": float(frame["user_id"].nunique()) if features_of(frame) == "behaviour" else 0.0,
            "anomalies": float(rows.label.sum()),
            "base_rate": float(np.average(rows.label, weights=rows.weight)),
            "alert_budget": predictor.budget,
            "alert_share": share,
            "alert_share_ratio": share / predictor.budget,
            "threshold": predictor.threshold,
            "resamples": float(resamples),
            **latency(predictor, frame),
        },
        breakdown=breakdown(rows, frame, score, flagged, predictor.budget),
        versus_champion=versus,
        incomparable=incomparable,
    )


def _incomparable(champion: AnomalyPredictor, frame: pd.DataFrame) -> str:
    """Why the champion cannot be measured on these rows; empty where it can."""
    kind = features_of(frame)
    if champion.kind != kind:
        return f"it was trained on {KINDS[champion.kind]}, and these rows are of {KINDS[kind]}"
    lacking = champion.maker.lacking(frame)
    if not lacking:
        return ""
    more = f" and {len(lacking) - SHOWN_COLUMNS} more" if len(lacking) > SHOWN_COLUMNS else ""
    return f"it needs columns that these rows lack: {', '.join(lacking[:SHOWN_COLUMNS])}{more}"


class Labelled:
    """Labels and weights of n rows, and which rows are drawn together."""

    def __init__(self, label: npt.NDArray[np.bool_], weight: Floats, groups: npt.ArrayLike | None) -> None:
        self.label = label
        self.weight = weight
        self.groups = groups

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Labelled":
        """From a checked frame: a user's transactions are drawn together."""
        groups = frame["user_id"].to_numpy() if features_of(frame) == "behaviour" else None
        return cls(frame[LABEL].to_numpy(dtype=bool), frame[WEIGHT].to_numpy(dtype=np.float64), groups)

    @property
    def has_both(self) -> bool:
        """Whether there are anomalies and others."""
        return bool(self.label.any() and not self.label.all())

    def figures(self, score: Floats, budget: float) -> Callable[[Floats], dict[str, Floats]]:
        """A function from (B, n) counts of a resample to B values of each of `METRICS`."""
        rows = ScoredRows.of(self.label, score)

        def of(weights: Floats) -> dict[str, Floats]:
            drawn = weights * self.weight
            found = rows.figures(drawn)
            ordered = drawn[:, rows.order]
            total = ordered.sum(axis=1)
            bad = ordered @ rows.label
            looked_at = within_budget(ordered, rows.tie_ends, budget)
            caught = (ordered * looked_at) @ rows.label
            with np.errstate(invalid="ignore", divide="ignore"):
                return {
                    "average_precision": found["average_precision"],
                    LIFT: found["average_precision"] / (bad / total),
                    "recall_at_budget": np.where(bad > 0, caught / bad, np.nan),
                    "precision_at_budget": caught / (ordered * looked_at).sum(axis=1),
                    "auc": found["auc"],
                }

        return of

    def measured(self, score: Floats, budget: float, seed: int, resamples: int) -> dict[str, Interval]:
        """The figures of some scores with intervals; a share's interval ends at 1."""
        found = self.intervals(self.figures(score, budget), seed, resamples, least=0.0)
        return {
            name: figure if name == LIFT else figure.model_copy(update={"high": min(figure.high, 1.0)})
            for name, figure in found.items()
        }

    def intervals(
        self,
        figures: Callable[[Floats], Mapping[str, Floats]],
        seed: int,
        resamples: int,
        *,
        least: float = -np.inf,
    ) -> dict[str, Interval]:
        """The figures on all rows with 95 % bootstrap intervals; those that are not defined are left out."""
        value = figures(np.ones((1, len(self.label))))
        parts = [
            figures(weights) for weights in resample_weights(len(self.label), self.groups, seed, resamples)
        ]
        found = {
            name: interval(float(value[name][0]), np.concatenate([part[name] for part in parts]), least=least)
            for name in value
        }
        return {name: figure for name, figure in found.items() if figure is not None}


def within_budget(weights: Floats, tie_ends: npt.NDArray[np.intp], budget: float) -> Floats:
    """How far each row is looked at where the budget is spent on the highest scores.

    The row that reaches the budget is still looked at. Rows of one score have an equal part in what is left
    for them, so that their order decides nothing.

    Args:
        weights: (B, n) weights of the rows by falling score.
        tie_ends: last position of each run of equal scores.
        budget: share of the whole weight.

    Returns:
        (B, n) shares from 0 to 1.
    """
    sizes = np.diff(tie_ends, prepend=-1)
    until = np.cumsum(weights, axis=1)[:, tie_ends]
    each = np.diff(until, axis=1, prepend=0.0)
    left = budget * until[:, -1:] - (until - each)
    with np.errstate(invalid="ignore", divide="ignore"):
        # a rounding error is no further row
        looked_at = np.where(each > 0, np.ceil(left / (each / sizes) - 1e-9) / sizes, 0.0)
    return np.repeat(np.clip(looked_at, 0.0, 1.0), sizes, axis=1)


def breakdown(
    rows: Labelled, frame: pd.DataFrame, score: Floats, flagged: npt.NDArray[np.bool_], budget: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by kind of anomaly (among all that is usual) and by category of transaction."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    kinds = frame[KIND].to_numpy(dtype=object)
    named = sorted({str(kind) for kind in kinds[rows.label] if kind is not None})
    if named:
        # the budget is spent on all rows together
        ranked = ScoredRows.of(rows.label, score)
        looked_at = np.empty(len(score))
        looked_at[ranked.order] = within_budget(rows.weight[None, ranked.order], ranked.tie_ends, budget)[0]
        found["kind"] = {}
        for name in named:
            of_kind = rows.label & (kinds == name)
            kept = ~rows.label | of_kind
            part = Labelled(of_kind[kept], rows.weight[kept], None)
            figures = part.figures(score[kept], budget)(np.ones((1, int(kept.sum()))))
            found["kind"][name] = {
                "n": float(of_kind.sum()),
                "average_precision": float(figures["average_precision"][0]),
                "auc": float(figures["auc"][0]),
                "recall_at_budget": float(np.average(looked_at[of_kind], weights=rows.weight[of_kind])),
                "flagged_share": float(np.average(flagged[of_kind], weights=rows.weight[of_kind])),
            }
    if "category" in frame and features_of(frame) == "behaviour":
        found["category"] = {}
        names = frame["category"].to_numpy(dtype=object)
        for name in frame["category"].value_counts().index[:SHOWN_CATEGORIES]:
            of_name = names == name
            part = Labelled(rows.label[of_name], rows.weight[of_name], None)
            figures_of_name = {
                "n": float(of_name.sum()),
                "anomalies": float(part.label.sum()),
                "alert_share": float(np.average(flagged[of_name], weights=part.weight)),
            }
            if part.has_both:
                figures = part.figures(score[of_name], budget)(np.ones((1, int(of_name.sum()))))
                figures_of_name |= {
                    figure: float(figures[figure][0]) for figure in ("average_precision", "auc")
                }
            found["category"][str(name)] = figures_of_name
    return found


def latency(predictor: AnomalyPredictor, frame: pd.DataFrame) -> dict[str, float]:
    """Milliseconds that an answer with its reasons takes here: median and 95 % quantile.

    Of a transaction: from the JSON of a very busy user's habits on.
    """
    if predictor.kind == "behaviour":
        habits = busy_habits()
        head = frame.head(LATENCY_CALLS)
        asked = [transaction_of(row) for row in head.to_dict("records")]

        def answer(call: int) -> object:
            one = asked[call % len(asked)]
            return predictor.judge([(one, behaviour(one, Habits.read(habits)))])
    else:
        records: list[Any] = frame[predictor.columns].head(LATENCY_CALLS).to_dict("records")

        def answer(call: int) -> object:
            return predictor.judge_values([records[call % len(records)]])

    seconds = []
    for call in range(LATENCY_WARM_UP + LATENCY_CALLS):
        begun = time.perf_counter()
        answer(call)
        seconds.append(time.perf_counter() - begun)
    median, slow = np.percentile(seconds[LATENCY_WARM_UP:], [50, 95]) * 1000
    return {"latency_p50_ms": float(median), "latency_p95_ms": float(slow)}
