"""Measuring a trained model on labelled texts it has never seen."""

import time
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError
from finml.models import statistics
from finml.models.base import Evaluation, Interval
from finml.models.intent.contract import NAME, TEXT
from finml.models.intent.figures import RESAMPLES, Judged, compare, measure
from finml.models.intent.frames import contradictory
from finml.models.intent.head import Floats, Indicators, Scores
from finml.models.intent.runtime import IntentPredictor
from finml.models.intent.targets import in_scope, indicators
from finml.models.intent.texts import hashes

Columns = TypeVar("Columns", Floats, Indicators)
Hashes = npt.NDArray[np.uint64]

LATENCY_WARM_UP = 10
SHOWN = 5
LATENCY_CALLS = 200


def evaluate(
    predictor: IntentPredictor, frame: pd.DataFrame, *, champion: IntentPredictor | None, seed: int
) -> Evaluation:
    """Figures with bootstrap intervals, by intent, what quantization costs, and latency of one text.

    Args:
        predictor: the model to measure.
        frame: n checked rows. Those labelled `oos` measure the decision what is in scope and nothing else.
        champion: the model in use, measured on the same rows; the paired differences say which is better.
        seed: seed of the resampling.

    Raises:
        DataError: no text is in scope, or texts have intents that the model does not know; names them.
    """
    targets = indicators(frame, predictor.labels)
    inside = in_scope(targets)
    if not inside.any():
        raise DataError("no text is in scope", hint="give texts with their intents, not only `oos`")
    texts = frame[TEXT].tolist()
    # a text that is there twice is one observation
    distinct = hashes(texts)
    same = distinct[inside]
    scores = predictor.score(texts)
    ours = judged(predictor, scores, targets)
    versus, lost = {}, lost_intents(predictor, champion)
    if champion is not None and not lost:
        versus = compare(*side_by_side(predictor, scores, champion, frame, targets), seed=seed, groups=same)
    precise = predictor.in_float()
    loss = compare(judged(precise, precise.score(texts), targets), ours, seed=seed, groups=same)["accuracy"]
    rejected = scores.scope < 0
    return Evaluation(
        model=NAME,
        metrics={
            **measure(ours, seed=seed, groups=same),
            "int8_accuracy_loss": loss,
            **out_of_scope_figures(scores, inside, distinct, seed),
        },
        scalars={
            "n": float(len(frame)),
            "n_in_scope": float(inside.sum()),
            "distinct_in_scope": float(len(np.unique(same))),
            "n_out_of_scope": float((~inside).sum()),
            "intents": float(len(predictor.labels)),
            "seen_in_training": float(predictor.seen(texts).sum()),
            "contradictory": float(contradictory(frame).sum()),
            "mean_confidence": float(ours.confidence.mean()),
            "in_scope_rejected": float(rejected[inside].mean()),
            "resamples": float(RESAMPLES),
            **latency(predictor, texts),
        },
        breakdown={"intent": by_intent(predictor.labels, ours)},
        versus_champion=versus,
        incomparable=lost,
    )


def lost_intents(predictor: IntentPredictor, champion: IntentPredictor | None) -> str:
    """That intents of the champion would be lost, in words, or nothing.

    Rows that name the challenger's intents alone say nothing of those that only the champion knows.
    """
    lost = sorted(set(champion.labels if champion else ()).difference(predictor.labels))
    if not lost:
        return ""
    more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
    return f"it knows intents that this version does not: {', '.join(lost[:SHOWN])}{more}"


def judged(predictor: IntentPredictor, scores: Scores, targets: Indicators) -> Judged:
    """What a model says about the texts in scope, beside (n, k) targets of all texts."""
    inside = in_scope(targets)
    probabilities = scores.probabilities[inside]
    return Judged.of(targets[inside], probabilities, predictor.head.decided(probabilities))


def side_by_side(
    predictor: IntentPredictor,
    scores: Scores,
    champion: IntentPredictor,
    frame: pd.DataFrame,
    targets: Indicators,
) -> tuple[Judged, Judged]:
    """Two models on the same texts, over the intents that either knows.

    An intent that one of them does not know is one that it never names.
    """
    theirs = champion.score(frame[TEXT].tolist())
    labels = sorted({*predictor.labels, *champion.labels})
    inside = in_scope(targets)
    wanted = _spread(targets, predictor.labels, labels)[inside]
    pair = []
    for model, found in ((predictor, scores), (champion, theirs)):
        probabilities = found.probabilities[inside]
        decided = model.head.decided(probabilities)
        pair.append(
            Judged.of(
                wanted, _spread(probabilities, model.labels, labels), _spread(decided, model.labels, labels)
            )
        )
    return pair[0], pair[1]


def _spread(columns: Columns, names: Sequence[str], labels: Sequence[str]) -> Columns:
    """(n, k) columns by name at their places among more labels; the others are 0."""
    found = np.zeros((len(columns), len(labels)), dtype=columns.dtype)
    found[:, [labels.index(name) for name in names]] = columns
    return found


def out_of_scope_figures(
    scores: Scores, inside: Indicators, groups: Hashes, seed: int
) -> dict[str, Interval]:
    """How well texts in and out of scope are told apart: `oos_auroc` and `oos_recall`, if there are both."""
    if inside.all():
        return {}
    # a draw of a few texts out of scope can hold none of them, and then there is no such figure
    found = statistics.measure(inside, scores.scope, groups=groups, seed=seed).get("auc")
    rejected = (scores.scope < 0)[~inside].astype(float)
    drawn = np.concatenate(
        [
            weights @ rejected / len(rejected)
            for weights in statistics.resample_weights(len(rejected), groups[~inside], seed, RESAMPLES)
        ]
    )
    recall = statistics.interval(float(rejected.mean()), drawn, least=0.0)
    figures = {"oos_auroc": found, "oos_recall": recall}
    return {name: figure for name, figure in figures.items() if figure is not None}


def by_intent(labels: Sequence[str], found: Judged) -> dict[str, dict[str, float]]:
    """`precision`, `recall`, `f1` and `n` of every intent that occurs or is predicted."""
    figures = found.by_class()
    return {
        label: {name: float(values[place]) for name, values in figures.items() if np.isfinite(values[place])}
        for place, label in enumerate(labels)
        if np.isfinite(figures["f1"][place])
    }


def latency(predictor: IntentPredictor, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds that an answer about one text takes here: median and 95 % quantile."""
    seconds = []
    for call in range(LATENCY_WARM_UP + LATENCY_CALLS):
        begun = time.perf_counter()
        predictor.answer([texts[call % len(texts)]])
        seconds.append(time.perf_counter() - begun)
    median, slow = np.percentile(seconds[LATENCY_WARM_UP:], [50, 95]) * 1000
    return {"latency_p50_ms": float(median), "latency_p95_ms": float(slow)}
