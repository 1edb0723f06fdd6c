"""Training: a spaCy recogniser on annotated texts, stopped when others get no better by it."""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import structlog

from finml.errors import DataError, ModelError, UsageError
from finml.models.base import TrainingResult, TrainOptions
from finml.models.entities.annotations import MERCHANT, TEXT, Span, labels_of, spans_of
from finml.models.entities.contract import LABELS
from finml.models.entities.frames import place, words
from finml.models.entities.linking import LEAST_SCORE, Catalogue
from finml.models.entities.pretrained import HINT, find_base, recogniser
from finml.models.entities.rules import apply_rules
from finml.models.entities.runtime import CATALOGUE_FILE, FORMAT, INFO_FILE, NER_FOLDER, TEXTS_FILE
from finml.models.entities.scoring import counts, figures
from finml.models.entities.texts import hashes

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.training import Example

log = structlog.get_logger(__name__)

PARAMETERS: Mapping[str, float] = {
    "epochs": 10,
    # epochs without improvement after which training stops
    "patience": 5,
    "dropout": 0.2,
    # rises over the first tenth of the steps, then falls to nothing
    "learning_rate": 0.003,
    # texts that decide when to stop, of those to train on
    "stopping_share": 0.1,
    # texts that are also read in lower case: people type so
    "lower_share": 0.3,
}
# which dates the rules find does not depend on the day
ANY_DAY = date(2026, 1, 1)
# texts of an epoch's first batch, and of its largest
BATCH = (16, 128)
WARM_UP = 0.1


@dataclass(frozen=True)
class Best:
    """The best epoch: its F1 on the stopping texts, its number, and the recogniser's weights.

    Attributes:
        stopping: number of texts that were kept from training to stop by; 0 where the training texts served.
    """

    f1: float
    epoch: int
    weights: bytes
    stopping: int


def train(frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
    """Train on a checked frame and write the model's files into the empty `folder`.

    Rows with a problem are left out and counted. Types that a row was not annotated with are filled in by the
    rules, so that the recogniser does not learn that they are nothing.

    Raises:
        ModelError: there is no pretrained pipeline.
        DataError: no text can be used.
        UsageError: a parameter in `options.params` is not one that can be set.
    """
    unknown = sorted(set(options.params) - set(PARAMETERS))
    if unknown:
        raise UsageError(
            f"entities has no parameter {', '.join(unknown)}", hint=f"parameters: {', '.join(PARAMETERS)}"
        )
    base = find_base()
    if base is None:
        raise ModelError("there is no pretrained spaCy pipeline to start from", hint=HINT)
    chosen = dict(PARAMETERS) | {name: float(value) for name, value in options.params.items()}
    nlp = recogniser(base, options.seed)
    texts = frame[(frame["role"] == TEXT) & (frame["problem"] == "")]
    aligned, split_tokens = _examples(nlp, texts)
    if not aligned:
        raise DataError("there is no text to train on", hint="give annotated texts whose offsets are right")
    log.info("training_started", texts=len(aligned), base=base)
    best = _fit(nlp, aligned, chosen, options)
    catalogue = _catalogue(frame)
    left_out = _left_out(frame) | ({"an annotation splits a token": split_tokens} if split_tokens else {})
    info = {
        "format": FORMAT,
        "model": "entities",
        "labels": list(LABELS),
        "training": {
            "texts": len(aligned),
            "spans": _spans_by_label(texts),
            "left_out": left_out,
            "problems": words(frame),
            "merchants": len(catalogue.names),
            "base": Path(base).name,
            "seed": options.seed,
            "epoch": best.epoch,
            "stopping_f1": best.f1,
            "stopping_texts": best.stopping,
            "stopped_by": "texts kept from training" if best.stopping else "the training texts",
            "parameters": chosen,
        },
        "versions": {name: version(name) for name in ("spacy", "rapidfuzz", "python-stdnum", "dateparser")},
    }
    _write(folder, nlp, catalogue, [text for text, _ in aligned], info)
    log.info("training_finished", epoch=best.epoch, f1=round(best.f1, 4), left_out=sum(left_out.values()))
    return TrainingResult(
        folder=folder,
        params={**chosen, "seed": options.seed, "base": Path(base).name, "epoch": best.epoch},
        metrics={
            "stopping_f1": best.f1,
            "texts": float(len(aligned)),
            "rows_left_out": float(sum(left_out.values())),
        },
    )


def _examples(nlp: "Language", texts: pd.DataFrame) -> tuple[list[tuple[str, list[Span]]], int]:
    """Texts with their spans, missing types filled in; and how many have spans that cut a token."""
    found, misfits = [], 0
    for text, spans, annotated in zip(texts["text"], texts["spans"], texts["annotated"], strict=True):
        gold = spans_of(spans)
        doc = nlp.make_doc(text)
        if any(doc.char_span(span.start, span.end) is None for span in gold):
            misfits += 1
            continue
        missing = set(LABELS) - labels_of(annotated)
        for one in apply_rules(text, ANY_DAY) if missing else []:
            free = all(one.end <= span.start or span.end <= one.start for span in gold)
            if one.label in missing and free and doc.char_span(one.start, one.end) is not None:
                gold.append(Span(one.start, one.end, one.label))
        found.append((text, sorted(gold)))
    return found, misfits


def _fit(
    nlp: "Language",
    texts: Sequence[tuple[str, list[Span]]],
    chosen: Mapping[str, float],
    options: TrainOptions,
) -> Best:
    """Train the pipeline's recogniser, and leave it with the weights of its best epoch."""
    from spacy.util import minibatch
    from thinc.api import Adam, warmup_linear

    order = random.Random(options.seed)  # noqa: S311  # nosec B311  # an order of texts, no secret
    stops = [place(text, "stopping") < chosen["stopping_share"] for text, _ in texts]
    training = [text for text, stop in zip(texts, stops, strict=True) if not stop] or list(texts)
    kept_back = [text for text, stop in zip(texts, stops, strict=True) if stop]
    # with all of them kept back, or none, the same texts do both
    apart = len(kept_back) if len(kept_back) < len(texts) else 0
    stopping = kept_back or training
    ner = nlp.get_pipe("ner")
    steps = int(chosen["epochs"]) * len(list(minibatch(training, _batch_sizes())))
    rate = warmup_linear(chosen["learning_rate"], int(WARM_UP * steps), steps)
    optimizer = Adam(rate, grad_clip=1.0, L2=0.01, L2_is_weight_decay=True)
    begun = time.monotonic()
    best = Best(-1.0, 0, b"", apart)
    for epoch in range(1, int(chosen["epochs"]) + 1):
        examples = [
            _example(nlp, text, spans, order.random() < chosen["lower_share"]) for text, spans in training
        ]
        order.shuffle(examples)
        losses: dict[str, float] = {}
        for batch in minibatch(examples, _batch_sizes()):
            nlp.update(batch, sgd=optimizer, drop=chosen["dropout"], losses=losses)
            optimizer.step_schedules()
        f1 = _f1(nlp, stopping)
        log.info("epoch", epoch=epoch, loss=round(float(losses["ner"]), 1), f1=round(f1, 4))
        if f1 > best.f1:
            best = Best(f1, epoch, ner.model.to_bytes(), apart)
        late = options.timeout_s is not None and time.monotonic() - begun > options.timeout_s
        if late or epoch - best.epoch >= chosen["patience"]:
            break
    ner.model.from_bytes(best.weights)
    return best


def _batch_sizes() -> Iterator[int]:
    """Sizes of an epoch's batches: small at first, where a step teaches most."""
    size, largest = float(BATCH[0]), BATCH[1]
    while True:
        yield min(int(size), largest)
        size *= 1.01


def _example(nlp: "Language", text: str, spans: Sequence[Span], lower: bool) -> "Example":
    from spacy.training import Example

    # a letter whose lower case is two would move the offsets
    typed = text.lower() if lower and len(text.lower()) == len(text) else text
    doc = nlp.make_doc(typed)
    entities = [(span.start, span.end, span.label) for span in spans]
    if any(doc.char_span(start, end) is None for start, end, _ in entities):
        doc = nlp.make_doc(text)
    return Example.from_dict(doc, {"entities": entities})


def _f1(nlp: "Language", texts: Sequence[tuple[str, list[Span]]]) -> float:
    """Strict F1 of the recogniser alone."""
    found = [
        {Span(span.start_char, span.end_char, span.label_) for span in doc.ents}
        for doc in nlp.pipe([text for text, _ in texts], batch_size=BATCH[1])
    ]
    return figures(counts([set(spans) for _, spans in texts], found).sum(axis=(0, 1)))["f1"]


def _catalogue(frame: pd.DataFrame) -> Catalogue:
    """The merchants that the frame names; where it names none, those that its texts mention."""
    usable = frame[frame["problem"] == ""]
    names = usable.loc[usable["role"] == MERCHANT, "text"].tolist()
    if not names:
        texts = usable[usable["role"] == TEXT]
        names = [
            text[span.start : span.end]
            for text, spans in zip(texts["text"], texts["spans"], strict=True)
            for span in spans_of(spans)
            if span.label == "MERCHANT"
        ]
    return Catalogue(names, least_score=LEAST_SCORE)


def _left_out(frame: pd.DataFrame) -> dict[str, int]:
    """How many rows of each role have a problem."""
    wrong = frame.loc[frame["problem"] != "", "role"].value_counts()
    return {f"{role} rows that break the contract": int(number) for role, number in wrong.items()}


def _spans_by_label(texts: pd.DataFrame) -> dict[str, int]:
    labels = pd.Series([span.label for spans in texts["spans"] for span in spans_of(spans)], dtype=object)
    return {label: int((labels == label).sum()) for label in LABELS}


def _write(
    folder: Path, nlp: "Language", catalogue: Catalogue, texts: Sequence[str], info: Mapping[str, Any]
) -> None:
    """Write the model's files; `model.json` comes last, so that a folder that has it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{NER_FOLDER}.part"
    nlp.to_disk(beside)
    beside.replace(folder / NER_FOLDER)
    with (folder / f"{TEXTS_FILE}.part").open("wb") as file:
        np.savez(file, hashes=np.unique(hashes(texts)))
    (folder / f"{TEXTS_FILE}.part").replace(folder / TEXTS_FILE)
    merchants = {"least_score": catalogue.least_score, "merchants": list(catalogue.names)}
    for name, document in ((CATALOGUE_FILE, merchants), (INFO_FILE, info)):
        part = folder / f"{name}.part"
        part.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(folder / name)
