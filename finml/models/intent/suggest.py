"""Which texts of an inference log to label next: those that the model is unsure of, unlike each other."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from finml.errors import DataError
from finml.models.intent.contract import TEXT
from finml.models.intent.head import Floats
from finml.models.intent.runtime import IntentPredictor
from finml.models.intent.texts import LEAST_LENGTH, MOST_LENGTH, fault, hashes

MOST_SCORED = 5000
"""Texts that are looked at; each costs a pass through the encoder."""
CONFIDENCE = "confidence"
# columns in which a log may keep requests as JSON
REQUEST_COLUMNS = ("inputs", "input", "request", "payload", "features")


@dataclass(frozen=True)
class Suggestion:
    """A text to label.

    Attributes:
        text: as it was written.
        guess: what the model takes it for.
        confidence: the model's probability of that.
        out_of_scope: whether the model takes it for out of scope.
        uncertainty: 1 less what the likeliest intent is ahead of the next one.
    """

    text: str
    guess: str
    confidence: float
    out_of_scope: bool
    uncertainty: float


@dataclass(frozen=True)
class Suggestions:
    """What to label, and what became of the rest of the log.

    Attributes:
        chosen: the texts, the most useful first.
        logged: texts in the log.
        unreadable: left out, as no text that the model takes.
        repeated: left out, as another one in the log says the same.
        known: left out, as the model was trained on them.
        not_scored: left out, as there were more than `MOST_SCORED`.
    """

    chosen: list[Suggestion]
    logged: int
    unreadable: int
    repeated: int
    known: int
    not_scored: int


def suggest(predictor: IntentPredictor, log: pd.DataFrame, number: int, *, seed: int) -> Suggestions:
    """The texts of a log that are worth labelling next.

    Args:
        predictor: the model that is to learn from them.
        log: what `read_log` read.
        number: how many texts to choose.
        seed: of the sample that is scored where the log is long and has no confidence.
    """
    stripped = log.assign(**{TEXT: log[TEXT].astype(str).str.strip()})
    readable = stripped[stripped[TEXT].map(_is_readable).astype(bool)]
    distinct = readable[~pd.Series(hashes(readable[TEXT]), index=readable.index).duplicated()]
    new = distinct[~predictor.seen(distinct[TEXT].tolist())] if len(distinct) else distinct
    scored = new
    if len(new) > MOST_SCORED:
        scored = (
            new.nsmallest(MOST_SCORED, CONFIDENCE)
            if CONFIDENCE in new
            else new.sample(MOST_SCORED, random_state=seed)
        )
    return Suggestions(
        chosen=_choose(predictor, scored[TEXT].tolist(), number),
        logged=len(log),
        unreadable=len(stripped) - len(readable),
        repeated=len(readable) - len(distinct),
        known=len(distinct) - len(new),
        not_scored=len(new) - len(scored),
    )


def _is_readable(text: str) -> bool:
    return LEAST_LENGTH <= len(text) <= MOST_LENGTH and not fault(text)


def _choose(predictor: IntentPredictor, texts: Sequence[str], number: int) -> list[Suggestion]:
    if not texts:
        return []
    embedding = predictor.embed(texts)
    scores = predictor.head.score(embedding)
    best = np.sort(scores.probabilities, axis=1)[:, ::-1]
    uncertainty = 1 - (best[:, 0] - best[:, 1])
    answers = predictor.answers(scores)
    return [
        Suggestion(
            texts[place],
            answers[place].intent,
            answers[place].confidence,
            answers[place].out_of_scope,
            float(uncertainty[place]),
        )
        for place in spread_out(embedding, uncertainty, number)
    ]


def spread_out(embedding: Floats, weight: Floats, number: int) -> list[int]:
    """Greedy weighted k-centre: rows of large weight that are far from each other, the best first.

    Args:
        embedding: (n, d) of length 1.
        weight: n weights, not negative.
        number: how many rows to choose; all of them if there are fewer.
    """
    distance = np.ones(len(embedding))
    free = np.ones(len(embedding), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(number, len(embedding)):
        place = int(np.argmax(np.where(free, weight * distance, -1.0)))
        chosen.append(place)
        free[place] = False
        distance = np.minimum(distance, np.clip(1 - embedding @ embedding[place], 0, None))
    return chosen


def read_log(file: Path) -> pd.DataFrame:
    """The texts of an inference log: a Parquet, JSONL or CSV file.

    Texts are in a column `text`, or in requests kept as JSON in one of `REQUEST_COLUMNS`, however deep.

    Returns:
        `text`, and `confidence` where the log has it for every text.

    Raises:
        DataError: the file cannot be read, or holds no text; says where it was looked for.
    """
    try:
        match file.suffix.lower():
            case ".parquet":
                rows = pd.read_parquet(file)
            case ".jsonl" | ".ndjson" | ".json":
                rows = pd.read_json(file, lines=True, dtype=False)
            case ".csv":
                rows = pd.read_csv(file)
            case suffix:
                raise DataError(
                    f"{file} is a {suffix or 'nameless'} file",
                    hint="logs are read from .parquet, .jsonl, .csv",
                )
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read: {error}", hint="see that it is whole") from error
    if TEXT in rows:
        kept = rows[rows[TEXT].notna()]
        has_confidence = CONFIDENCE in kept and pd.api.types.is_numeric_dtype(kept[CONFIDENCE])
        return kept[[TEXT, CONFIDENCE] if has_confidence else [TEXT]].reset_index(drop=True)
    columns = [name for name in REQUEST_COLUMNS if name in rows]
    found = [text for name in columns for value in rows[name] for text in _texts(value)]
    if not found:
        raise DataError(
            f"{file} holds no text",
            hint=f"give a log with a column {TEXT}, or with requests in {', '.join(REQUEST_COLUMNS)}",
        )
    return pd.DataFrame({TEXT: found})


def _texts(value: object) -> Iterator[str]:
    """Every `text` inside a request."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        for name, part in value.items():
            if name == TEXT and isinstance(part, str):
                yield part
            else:
                yield from _texts(part)
    elif isinstance(value, list | tuple | np.ndarray):
        for part in value:
            yield from _texts(part)
