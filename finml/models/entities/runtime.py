"""The trained model as it is served: spaCy's recogniser, the rules, the catalogue. No training code.

A model's folder holds `ner/` (spaCy's own files: JSON and MessagePack), `catalogue.json` (the merchants),
`texts.npz` (64 bits of each training text, to know one again) and `model.json` (what it was trained with).
Nothing in it is executed on loading.
"""

import json
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import ModelError
from finml.models.entities.candidates import Candidate, Decision, resolve
from finml.models.entities.contract import LABELS, EntitiesInput, Entity, Found
from finml.models.entities.linking import Catalogue
from finml.models.entities.rules import apply_rules
from finml.models.entities.texts import Hashes, hashes
from finml.models.entities.values import Reader

if TYPE_CHECKING:
    from spacy.language import Language

NER_FOLDER = "ner"
CATALOGUE_FILE = "catalogue.json"
TEXTS_FILE = "texts.npz"
INFO_FILE = "model.json"
FORMAT = 2
BATCH = 32


class EntitiesPredictor:
    """A loaded model.

    Attributes:
        info: the contents of `model.json`.
        catalogue: the merchants that names are linked to.
    """

    def __init__(
        self, nlp: "Language", catalogue: Catalogue, info: Mapping[str, Any], trained_on: Hashes
    ) -> None:
        self.nlp = nlp
        self.catalogue = catalogue
        self.info = info
        self._trained_on = trained_on
        # spaCy's vocabulary is written to while it reads
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> "EntitiesPredictor":
        """Load a model that training wrote.

        Raises:
            ModelError: a file is missing, unreadable or of another format.
        """
        import spacy

        try:
            info = json.loads((folder / INFO_FILE).read_text())
            if info["format"] != FORMAT:
                raise ModelError(
                    f"{folder / INFO_FILE} has format {info['format']!r}, this finml reads {FORMAT}",
                    hint="train the model again with this version of finml",
                )
            catalogue = json.loads((folder / CATALOGUE_FILE).read_text())
            nlp = spacy.load(folder / NER_FOLDER)
            with np.load(folder / TEXTS_FILE, allow_pickle=False) as arrays:
                trained_on: Hashes = arrays["hashes"]
            merchants = Catalogue(catalogue["merchants"], least_score=float(catalogue["least_score"]))
            return cls(nlp, merchants, info, trained_on)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"no usable entities model in {folder}: {error}",
                hint="download the version again from the registry, or train a new one",
            ) from error

    def seen(self, texts: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Which of n texts it was trained on, whatever their case, punctuation and blanks."""
        return np.isin(hashes(texts), self._trained_on)

    def spans(self, texts: Sequence[str]) -> list[list[Candidate]]:
        """What the recogniser finds in each of n texts, without the rules: at most one type a character."""
        # a lone surrogate is no character, and spaCy cannot hash it; what stands for it is as long
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        with self._lock, self.nlp.memory_zone():
            return [
                [Candidate(span.start_char, span.end_char, span.label_) for span in doc.ents]
                for doc in self.nlp.pipe(clean, batch_size=BATCH)
            ]

    def decide(self, inputs: Sequence[EntitiesInput]) -> Iterator[tuple[Reader, list[Decision]]]:
        """For each of n requests, what was found and what stays, and what reads the values."""
        for asked, found in zip(inputs, self.spans([asked.text for asked in inputs]), strict=True):
            reader = Reader(asked, self.catalogue)
            named = [Candidate(*place, "MERCHANT", "catalogue") for place in self.catalogue.named(asked.text)]
            yield reader, resolve([*found, *apply_rules(asked.text, reader.today), *named], LABELS)

    def extract(self, inputs: Sequence[EntitiesInput]) -> list[list[Entity]]:
        """The entities of n requests, each list from left to right without overlaps."""
        return [
            [_entity(reader, made.candidate) for made in decisions if made.kept]
            for reader, decisions in self.decide(inputs)
        ]

    def explain(self, inputs: Sequence[EntitiesInput]) -> list[list[Found]]:
        """Everything that was found in n requests, with what became of it."""
        return [[_found(reader, made) for made in decisions] for reader, decisions in self.decide(inputs)]

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Find the entities of n texts.

        Args:
            frame: n rows with `text`; other columns are not looked at.

        Returns:
            n rows with the frame's index: `spans`, a JSON list of `{"start", "end", "label"}` each.
        """
        inputs = [EntitiesInput.of(text) for text in frame["text"]]
        spans = [
            json.dumps(
                [
                    {"start": made.candidate.start, "end": made.candidate.end, "label": made.candidate.label}
                    for made in decisions
                    if made.kept
                ]
            )
            for _, decisions in self.decide(inputs)
        ]
        return pd.DataFrame({"spans": spans}, index=frame.index)


def _entity(reader: Reader, found: Candidate) -> Entity:
    return Entity.model_validate(
        {
            "type": found.label,
            "text": reader.asked.text[found.start : found.end],
            "start": found.start,
            "end": found.end,
            "value": reader.read(found).value,
            "source": "rule" if found.rule else "model",
        }
    )


def _found(reader: Reader, made: Decision) -> Found:
    one, winner = made.candidate, made.lost_to
    meaning = reader.read(one) if made.kept else None
    if made.kept:
        because = f"found by {one.name}; nothing that ranks higher overlaps it"
    elif winner is None:
        because = f"no rule confirms that it is a valid {one.label}"
    elif (winner.start, winner.end, winner.label) == (one.start, one.end, one.label):
        because = f"{winner.name} found the same"
    else:
        text = reader.asked.text[winner.start : winner.end]
        because = f"gave way to {winner.label} {text!r}, found by {winner.name}"
    return Found.model_validate(
        {
            "type": one.label,
            "text": reader.asked.text[one.start : one.end],
            "start": one.start,
            "end": one.end,
            "source": "rule" if one.rule else "model",
            "rule": one.rule,
            "kept": made.kept,
            "because": because,
            "value": meaning.value if meaning else None,
            "reading": meaning.reading if meaning else "",
        }
    )
