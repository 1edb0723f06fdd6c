"""Templates of sentences: alternatives, optional parts and slots.

    (show|tell) me my spending on {CATEGORY} [in {PAST}|so far]

Round brackets hold alternatives, square ones a part that may be left out, braces a slot. A sentence is a list
of pieces, each with the label of the slot it came from, so that the places of the names in the text follow
from the pieces themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from finml.ledger.synthetic.sentences.chance import Chance

OPTIONAL_SHARE = 0.45


class Piece(NamedTuple):
    """A part of a sentence; `label` is missing for plain words."""

    text: str
    label: str | None = None


class Slot(NamedTuple):
    """A place for a name: the label of what fills it, if it has one, and the name of the filler."""

    label: str | None
    name: str


@dataclass(frozen=True)
class Choice:
    """Alternatives, one of which is taken, or none where that is allowed."""

    options: tuple["Phrase", ...]
    optional: bool


Phrase = tuple["str | Slot | Choice", ...]
Filler = Callable[[str], str]
"""What fills a slot, by its name."""


def parse(template: str, labels: Mapping[str, str | None]) -> Phrase:
    """Read a template.

    Args:
        template: the template.
        labels: label by slot; `None` for a slot whose filling is plain words.

    Raises:
        ValueError: brackets do not match, or there is no such slot.
    """
    phrase, rest = _sequence(template, labels, closing="")
    if rest:
        raise ValueError(f"{template!r}: a bracket too many before {rest!r}")
    return phrase


def write(phrase: Phrase, chance: Chance, fill: Filler) -> list[Piece]:
    """One sentence of a phrase, without double, leading or trailing spaces."""
    parts: list[str | Piece] = []
    _emit(phrase, chance, fill, parts)
    return _tidy(parts)


def _sequence(text: str, labels: Mapping[str, str | None], closing: str) -> tuple[Phrase, str]:
    """The phrase up to one of the characters `closing` or `|`, and what is left from there on."""
    found: list[str | Slot | Choice] = []
    while text and text[0] not in ")]|":
        if text[0] in "([":
            choice, text = _choice(text, labels)
            found.append(choice)
        elif text[0] == "{":
            name, _, text = text[1:].partition("}")
            if name not in labels:
                raise ValueError(f"there is no slot {name!r}")
            found.append(Slot(labels[name], name))
        else:
            end = next((i for i, character in enumerate(text) if character in "([{)]|"), len(text))
            found.append(text[:end])
            text = text[end:]
    if closing and (not text or text[0] not in closing + "|"):
        raise ValueError(f"a bracket is not closed by {closing!r}")
    return tuple(found), text


def _choice(text: str, labels: Mapping[str, str | None]) -> tuple[Choice, str]:
    optional = text[0] == "["
    closing = "]" if optional else ")"
    options, text = [], "|" + text[1:]
    while text[0] == "|":
        option, text = _sequence(text[1:], labels, closing)
        options.append(option)
    return Choice(tuple(options), optional), text[1:]


def _emit(phrase: Phrase, chance: Chance, fill: Filler, parts: list[str | Piece]) -> None:
    """Append what a phrase becomes: plain words, and what fills its slots."""
    for part in phrase:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, Slot):
            words = fill(part.name)
            parts.append(Piece(words, part.label) if part.label else words)
        elif not part.optional or chance.happens(OPTIONAL_SHARE):
            _emit(chance.of(part.options), chance, fill, parts)


def _tidy(parts: list[str | Piece]) -> list[Piece]:
    """Join plain words, with single spaces between them."""
    pieces: list[Piece] = []
    plain = ""
    for part in parts:
        if isinstance(part, str):
            plain += part
            continue
        if plain and (words := _spaced(plain, first=not pieces, last=False)):
            pieces.append(Piece(words))
        pieces.append(part)
        plain = ""
    if plain and (words := _spaced(plain, first=not pieces, last=True)):
        pieces.append(Piece(words))
    return pieces


def _spaced(text: str, *, first: bool, last: bool) -> str:
    """Plain words with single spaces between them, and at an end only where something follows."""
    words = " ".join(text.split()).replace(" ,", ",")
    if not words:
        return "" if first or last else " "
    before = " " if not first and text[0] == " " and words[0] != "," else ""
    after = " " if not last and text[-1] == " " else ""
    return before + words + after
