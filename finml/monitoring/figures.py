"""The figures of one variant."""

import json
from typing import TYPE_CHECKING

from finml.monitoring.losses import Quality
from finml.monitoring.report import Share, VariantFigures
from finml.monitoring.sequential import Estimate, estimate, half_width

if TYPE_CHECKING:
    import pandas as pd


def mean_loss(values: "pd.Series[float]", *, least: float = 0.0) -> Estimate:
    """Mean over users of their losses, which lie between `least` and 1."""
    total, squares = float(values.sum()), float((values**2).sum())
    return estimate(float(len(values)), total, squares, least=least)


def figures_of(model: str, rows: "pd.DataFrame", quality: Quality) -> VariantFigures:
    """What one variant did.

    Args:
        model: its name.
        rows: its answers, one at least, with `loss` and `outcome` where they are known.
        quality: how they are judged.
    """
    told = rows[rows.loss.notna()]
    answers = [json.loads(text) for text in told.output]
    outcomes = [json.loads(text) for text in told.outcome]
    users = told.groupby("subject").loss.mean()
    loss = low = high = None
    if len(users):
        found = mean_loss(users)
        loss, width = float(found.value), float(half_width(found.variance))
        low, high = max(0.0, loss - width), min(1.0, loss + width)
    first = rows.iloc[0]
    return VariantFigures(
        variant=first.variant,
        version=first.version,
        shadow=bool(first.shadow),
        n=len(rows),
        users=rows.subject.nunique(),
        with_outcome=len(told) / len(rows),
        error_rate=float((rows.error != "").mean()),
        latency_p50_ms=float(rows.latency_ms.quantile(0.5)),
        latency_p95_ms=float(rows.latency_ms.quantile(0.95)),
        loss=loss,
        loss_low=low,
        loss_high=high,
        auc=_auc(answers, outcomes) if model == "credit_risk" else None,
        shares={
            name: made for name, of in quality.shares.items() if (made := _share(*of(answers, outcomes)))
        },
    )


def _share(holds: int, n: int) -> Share | None:
    from scipy.stats import binomtest

    if not n:
        return None
    interval = binomtest(holds, n).proportion_ci(method="wilson")
    return Share(value=holds / n, low=float(interval.low), high=float(interval.high), n=n)


def _auc(answers: list[dict[str, float]], outcomes: list[dict[str, bool]]) -> float | None:
    from sklearn.metrics import roc_auc_score

    labels = [outcome["defaulted"] for outcome in outcomes]
    if len(set(labels)) < 2:
        return None
    return float(roc_auc_score(labels, [answer["probability"] for answer in answers]))
