"""Measuring a trained model on annotated texts it has never seen."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from finml.errors import DataError
from finml.models.base import Evaluation
from finml.models.entities.annotations import TEXT, Span, labels_of, spans_of
from finml.models.entities.contract import NAME, EntitiesInput, Entity
from finml.models.entities.frames import words
from finml.models.entities.runtime import EntitiesPredictor
from finml.models.entities.scoring import Floats, by_type, compare, counts, measure, overall
from finml.models.entities.texts import hashes
from finml.models.statistics import RESAMPLES

LATENCY_WARM_UP = 10
LATENCY_CALLS = 200
SPEED_TEXTS = 128
# the fastest of these counts: other work on the machine only ever slows
SPEED_RUNS = 5
# types whose value is computed from the words, so that a right span can still have none
COMPUTED = frozenset({"MONEY", "DATE", "PERCENT"})
# no figure may depend on the day it was measured: a day such as the 31st of last month may not exist
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def evaluate(
    predictor: EntitiesPredictor, frame: pd.DataFrame, *, champion: EntitiesPredictor | None, seed: int
) -> Evaluation:
    """Strict span figures with bootstrap intervals over texts, by type and language, and speed.

    A type that a text was not annotated with is not held against the model there.

    Args:
        predictor: the model to measure.
        frame: rows as `checked` gives them; those that name merchants are not looked at.
        champion: the model in use, measured on the same texts; the paired differences say which is better.
        seed: seed of the resampling.

    Raises:
        DataError: there is no text, or rows break the contract; names their lines.
    """
    if wrong := words(frame):
        raise DataError(
            f"{int((frame['problem'] != '').sum()):,} rows cannot be measured on: {wrong}",
            hint="correct the annotations, or leave these lines out",
        )
    rows = frame[frame["role"] == TEXT].reset_index(drop=True)
    if rows.empty:
        raise DataError("there is no text to measure on", hint="give annotated texts")
    truth = [set(spans_of(spans)) for spans in rows["spans"]]
    entities = predictor.extract(_inputs(rows["text"]))
    scored = counts(truth, _looked_for(entities, rows))
    texts = hashes(rows["text"])
    versus = {}
    if champion is not None:
        versus = compare(scored, counts(truth, found_spans(champion, rows)), groups=texts, seed=seed)
    first = ~pd.Series(texts).duplicated()
    return Evaluation(
        model=NAME,
        metrics=measure(scored, groups=texts, seed=seed),
        scalars={
            "n": float(len(rows)),
            "spans": float(sum(len(spans) for spans in truth)),
            "distinct_texts": float(first.sum()),
            "distinct_spans": float(sum(len(spans) for spans, new in zip(truth, first, strict=True) if new)),
            "seen_in_training": float(predictor.seen(rows["text"]).sum()),
            "resamples": float(RESAMPLES),
            **valued_share(entities, truth),
            **speed(predictor, rows["text"].tolist()),
        },
        breakdown={"type": by_type(scored), **_by_language(rows, scored)},
        versus_champion=versus,
    )


def found_spans(predictor: EntitiesPredictor, rows: pd.DataFrame) -> list[set[Span]]:
    """Spans that a model finds in n rows, of the types that each row was annotated with."""
    return _looked_for(predictor.extract(_inputs(rows["text"])), rows)


def valued_share(found: Sequence[Sequence[Entity]], truth: Sequence[set[Span]]) -> dict[str, float]:
    """Of the amounts, dates and percentages that were found rightly, the share whose value could be read."""
    values = [
        entity.value is not None
        for entities, spans in zip(found, truth, strict=True)
        for entity in entities
        if entity.type in COMPUTED and Span(entity.start, entity.end, entity.type) in spans
    ]
    return {"valued_share": float(np.mean(values))} if values else {}


def speed(predictor: EntitiesPredictor, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds that an answer about one text takes here, and texts a second in batches."""
    inputs = _inputs(texts)
    seconds = []
    for call in range(LATENCY_WARM_UP + LATENCY_CALLS):
        begun = time.perf_counter()
        predictor.extract([inputs[call % len(inputs)]])
        seconds.append(time.perf_counter() - begun)
    median, slow = np.percentile(seconds[LATENCY_WARM_UP:], [50, 95]) * 1000
    many = [inputs[place % len(inputs)] for place in range(SPEED_TEXTS)]
    runs = []
    for _ in range(SPEED_RUNS):
        begun = time.perf_counter()
        predictor.extract(many)
        runs.append(time.perf_counter() - begun)
    return {
        "latency_p50_ms": float(median),
        "latency_p95_ms": float(slow),
        "texts_per_second": SPEED_TEXTS / min(runs),
    }


def _inputs(texts: Iterable[str]) -> list[EntitiesInput]:
    return [EntitiesInput.of(text, now=NOW) for text in texts]


def _looked_for(found: Sequence[Sequence[Entity]], rows: pd.DataFrame) -> list[set[Span]]:
    """Spans of the types that each row was annotated with."""
    return [
        {Span(one.start, one.end, one.type) for one in entities if one.type in labels_of(annotated)}
        for entities, annotated in zip(found, rows["annotated"], strict=True)
    ]


def _by_language(rows: pd.DataFrame, scored: Floats) -> dict[str, dict[str, dict[str, float]]]:
    """Figures of each language, where rows say theirs."""
    languages = sorted(set(rows["language"]) - {""})
    if not languages:
        return {}
    answer = {}
    for language in languages:
        chosen = (rows["language"] == language).to_numpy()
        answer[language] = {**overall(scored[chosen]), "texts": float(chosen.sum())}
    return {"language": answer}
