"""The pieces of numbers: a figure in any script, a word that counts or multiplies, a currency."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from finml.models.entities.words import CURRENCIES, PARTS, SCALES, UNITS

# Python counts Hindi's vowel signs among neither letters nor digits, so that \b would cut words at them
WORD = "\\w\u0900-\u0963\u0970-\u097f\u200c\u200d"
LEFT, RIGHT = rf"(?<![{WORD}])", rf"(?![{WORD}])"
FIGURE = r"\d{1,3}(?:,\d{2,3})+(?:\.\d+)?|\d+(?:\.\d+)?"
# more digits than any amount or date has
MOST_DIGITS = 18
HALF = Decimal("0.5")


class Kind(Enum):
    """What a piece of text does in a number."""

    FIGURE = auto()
    UNIT = auto()
    HUNDRED = auto()
    SCALE = auto()
    PART = auto()
    HALF = auto()
    AND_A_HALF = auto()
    AND = auto()
    CURRENCY = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text with its meaning.

    Attributes:
        value: of a figure or word; the factor of a scale; what a part adds.
        word: the lower-case text.
        weak: an everyday word (`do`, `a`, `das`) that is a number only before a scale or a currency; a scale
            of one letter behind a blank, as in `$5.5 k`, that is one only behind a figure with its currency.
        money: a scale that is only ever said of money (`lakh`), so that it needs no currency.
        currency: ISO 4217 code of a currency.
    """

    kind: Kind
    start: int
    end: int
    word: str
    value: Decimal = Decimal(0)
    weak: bool = False
    money: bool = False
    currency: str = ""


def pieces(text: str) -> list[Piece]:
    """All pieces of a text that can be part of an amount, in order."""
    found: list[Piece] = []
    for match in _pattern().finditer(text):
        piece = _piece(match)
        # a figure inside a word is none (`abc12`), but a currency may be written onto it (`Rs12`)
        glued = piece is not None and piece.kind is Kind.FIGURE and _inside_word(text, piece.start)
        behind_currency = bool(found) and found[-1].kind is Kind.CURRENCY and found[-1].end == match.start()
        if piece is not None and (not glued or behind_currency):
            found.append(piece)
    return found


def joined(text: str, left: Piece, right: Piece) -> bool:
    """Whether nothing but a blank or a hyphen stands between two pieces."""
    return text[left.end : right.start] in {"", " ", "-", "\u00a0", "  "}


@lru_cache(maxsize=1)
def _pattern() -> "re.Pattern[str]":
    """One alternation of everything that a piece can be."""

    def words(known: Sequence[str]) -> str:
        return "|".join(re.escape(word) for word in sorted(known, key=lambda word: -len(word)))

    behind_figures = words(list(SCALES))
    apart = words([word for word, scale in SCALES.items() if not scale.glued])
    signs = words([word for word in CURRENCIES if not word[0].isalpha()])
    prefixed = words([word for word in CURRENCIES if word[0].isalpha() and word[-1] == "$"])
    names = words([word for word in CURRENCIES if word[0].isalpha() and word[-1] != "$"])
    return re.compile(
        rf"(?P<half_more>{LEFT}and\s+a\s+half{RIGHT})"
        rf"|(?P<currency>{signs}|{LEFT}(?:{prefixed})|{LEFT}(?:{names})(?=\d|{RIGHT})(?:\.(?=\s?\d))?)"
        rf"|(?P<figure>(?<!\d[.,])(?:{FIGURE})(?=(?:{behind_figures}|{names}){RIGHT}|{RIGHT}))"
        rf"|(?P<glued>(?<=\d)(?:{behind_figures}){RIGHT})"
        rf"|(?P<spaced>(?<=\d\s)(?:k|l|m|b){RIGHT}(?!\s+(?:liye|लिए)))"
        rf"|(?P<stuck>(?<=\d)(?:{names}){RIGHT})"
        rf"|{LEFT}(?:(?P<half>half(?:\s+an?)?)|(?P<scale>{apart})|(?P<hundred>hundred|sau|सौ)"
        rf"|(?P<part>{words(list(PARTS))})|(?P<unit>{words(list(UNITS))})|(?P<and>and)){RIGHT}",
        re.IGNORECASE,
    )


def _figure(text: str) -> Decimal:
    """A figure such as `1,50,000.50` or `५००`."""
    return Decimal(text.replace(",", ""))


def _inside_word(text: str, place: int) -> bool:
    return re.match(RIGHT, text[place - 1 : place]) is None if place else False


def _piece(match: "re.Match[str]") -> Piece | None:
    group, word = str(match.lastgroup), match.group().lower()
    kind, value = Kind.AND, Decimal(0)
    more: dict[str, Any] = {}
    match group:
        case "figure":
            kind, value = Kind.FIGURE, _figure(word)
        case "currency" | "stuck":
            code = CURRENCIES.get(word) or CURRENCIES[word.removesuffix(".")]
            kind, more = Kind.CURRENCY, {"currency": code}
        case "glued" | "scale":
            kind, value, more = Kind.SCALE, SCALES[word].factor, {"money": SCALES[word].money}
        case "spaced":
            kind, value, more = Kind.SCALE, SCALES[word].factor, {"weak": True}
        case "unit":
            kind, value, more = Kind.UNIT, Decimal(UNITS[word].value), {"weak": UNITS[word].weak}
        case "part":
            kind, value = Kind.PART, PARTS[word]
        case "half":
            kind, value = Kind.HALF, HALF
        case "half_more":
            kind = Kind.AND_A_HALF
        case "hundred":
            kind = Kind.HUNDRED
    long = kind is Kind.FIGURE and sum(character.isdigit() for character in word) > MOST_DIGITS
    return None if long else Piece(kind, *match.span(), word, value, **more)
