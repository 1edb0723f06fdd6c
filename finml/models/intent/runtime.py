"""The trained model as it is served: ONNX Runtime, tokenizers and numpy. No torch, no training code.

A model's folder holds `encoder.int8.onnx` (served), `encoder.float.onnx` (what it was quantized from, to
measure the loss by), `tokenizer.json`, `head.npz`, `texts.npz` (64 bits of each training text, to know one
again) and `model.json` (labels, and what it was trained with). Nothing in it is executed on loading.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError, ModelError
from finml.models.intent.contract import ALTERNATIVES, SEPARATOR, TEXT
from finml.models.intent.encoder import FLOAT_FILE, Encoder
from finml.models.intent.explain import Explanation, Word, words_of
from finml.models.intent.head import HEAD_FILE, Floats, Head, Scores
from finml.models.intent.texts import hashes

TEXTS_FILE = "texts.npz"
INFO_FILE = "model.json"
FORMAT = 2
# its encoder takes one text at a time
SINGLE_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer about one text; see `IntentOutput` for each field."""

    intent: str
    intents: list[str]
    confidence: float
    alternatives: list[tuple[str, float]]
    out_of_scope: bool
    scope_score: float


class IntentPredictor:
    """A loaded model.

    Attributes:
        info: the contents of `model.json`.
        labels: the k intents, in the order of the head.
        head: turns embeddings into answers.
    """

    def __init__(self, folder: Path, encoder: "Encoder", head: Head, info: Mapping[str, Any]) -> None:
        self._folder, self._encoder = folder, encoder
        self.head = head
        self.info = info
        self.labels: list[str] = list(info["labels"])

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "IntentPredictor":
        """Load a model that training wrote.

        Args:
            folder: the model's folder.
            threads: threads of a prediction; one for each process that serves is best.

        Raises:
            ModelError: a file is missing, unreadable or of another format.
        """
        try:
            info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
            if info["format"] not in (SINGLE_FORMAT, FORMAT):
                raise ModelError(
                    f"{folder / INFO_FILE} has format {info['format']!r}, this finml reads up to {FORMAT}",
                    hint="train the model again with this version of finml",
                )
            head = Head.load(folder / HEAD_FILE)
            if len(info["labels"]) != len(head.bias):
                raise ValueError(f"{len(info['labels'])} labels for {len(head.bias)} classes")
            return cls(folder, Encoder.load(folder, threads=threads), head, info)
        except ModelError:
            raise
        # tokenizers raises plain exceptions, and onnxruntime classes that it does not export
        except Exception as error:
            raise ModelError(
                f"no usable intent model in {folder}: {error}",
                hint="download the version again from the registry, or train a new one",
            ) from error

    def in_float(self, *, threads: int = 1) -> "IntentPredictor":
        """The same model before its encoder was quantized."""
        encoder = Encoder.load(self._folder, FLOAT_FILE, threads=threads)
        return IntentPredictor(self._folder, encoder, self.head, self.info)

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, d) embeddings of length 1 of n texts."""
        return self._encoder.embed(texts)

    def score(self, texts: Sequence[str]) -> Scores:
        """Logits, probabilities and scope of n texts."""
        return self.head.score(self.embed(texts))

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """Answers to n texts, in the same order: the way of the HTTP service."""
        return self.answers(self.score(texts))

    def answers(self, scores: Scores) -> list[Answer]:
        """Scores in words."""
        decided = self.head.decided(scores.probabilities)
        ranked = np.argsort(-scores.probabilities, axis=1, kind="stable")
        return [
            Answer(
                intent=self.labels[order[0]],
                intents=[] if scope < 0 else [self.labels[place] for place in order if chosen[place]],
                confidence=float(probability[order[0]]),
                alternatives=[
                    (self.labels[place], float(probability[place])) for place in order[:ALTERNATIVES]
                ],
                out_of_scope=bool(scope < 0),
                scope_score=float(scope),
            )
            for order, probability, chosen, scope in zip(
                ranked, scores.probabilities, decided, scores.scope, strict=True
            )
        ]

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Score rows.

        Args:
            frame: n rows with a column `text`; others are not looked at.

        Returns:
            n rows with the frame's index: `intent`, `intents` (joined by `|`, empty where out of scope),
            `confidence`, `out_of_scope`, `scope_score`.

        Raises:
            DataError: there is no column `text`.
        """
        if TEXT not in frame:
            raise DataError("there is no column text", hint="give the texts in a column of that name")
        answers = self.answer(frame[TEXT].tolist())
        return pd.DataFrame(
            {
                "intent": [answer.intent for answer in answers],
                "intents": [SEPARATOR.join(answer.intents) for answer in answers],
                "confidence": np.array([answer.confidence for answer in answers], dtype=np.float64),
                "out_of_scope": np.array([answer.out_of_scope for answer in answers], dtype=bool),
                "scope_score": np.array([answer.scope_score for answer in answers], dtype=np.float64),
            },
            index=frame.index,
        )

    def explain(self, texts: Sequence[str]) -> list[tuple[Answer, Explanation]]:
        """Answers to n texts with what each word adds, from one pass over the texts and what is left of each.

        A word's contribution is the log-odds of the likeliest intent with it, less those without it.
        """
        found = [words_of(text) for text in texts]
        reduced = [words.without(place) for words in found for place in range(len(words.spans))]
        scores = self.score([*texts, *reduced])
        answers = self.answers(scores.head(len(texts)))
        explained, start = [], len(texts)
        for row, (answer, words) in enumerate(zip(answers, found, strict=True)):
            rows = np.append(row, np.arange(start, start + len(words.spans)))
            start += len(words.spans)
            odds = log_odds(scores.logits[rows], self.labels.index(answer.intent), self.head.multiple)
            contributions = [
                Word(words.text[begin:end], begin, end, float(odds[0] - without))
                for (begin, end), without in zip(words.spans, odds[1:], strict=True)
            ]
            explained.append((answer, Explanation(contributions, words.capped)))
        return explained

    def seen(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which of n texts the model was trained on, normalized."""
        with np.load(self._folder / TEXTS_FILE, allow_pickle=False) as arrays:
            return np.isin(hashes(texts), arrays["hashes"])


def log_odds(logits: Floats, place: int, multiple: bool) -> Floats:
    """N log-odds of one intent from (n, k) logits."""
    if multiple:
        return logits[:, place]
    return np.asarray(logits[:, place] - np.logaddexp.reduce(np.delete(logits, place, axis=1), axis=1))
