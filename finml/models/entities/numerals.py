"""Numbers as people type them: figures in any script, words in English, Hinglish and Hindi, lakh and crore.

A text is cut into pieces (a figure, a word that counts, a word that multiplies, a currency, …) and a small grammar
reads the longest number that begins at a piece. Values are `Decimal`: an amount of money has no rounding.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache

from finml.models.entities.words import CURRENCIES, JOINED, PARTS, SCALES, UNITS, Scale

# Python counts Hindi's vowel signs among neither letters nor digits, so that \b would cut words at them
WORD = "\\w\u0900-\u0963\u0970-\u097f\u200c\u200d"
LEFT, RIGHT = rf"(?<![{WORD}])", rf"(?![{WORD}])"
FIGURE = r"\d{1,3}(?:,\d{2,3})+(?:\.\d+)?|\d+(?:\.\d+)?"
# more digits than any amount or date has
MOST_DIGITS = 18


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
        weak: an everyday word (`do`, `a`, `das`) that is a number only before a scale or a currency.
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


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that begins at one piece and ends before another.

    Attributes:
        value: the number.
        first: place of its first piece.
        after: place after its last piece.
        scaled: whether words or multiples made it, so that trailing zeros mean nothing.
        money: whether it can only be money.
    """

    value: Decimal
    first: int
    after: int
    scaled: bool
    money: bool


def figure(text: str) -> Decimal:
    """A figure such as `1,50,000.50` or `५००`."""
    return Decimal(text.replace(",", ""))


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


def quantity(text: str, found: Sequence[Piece], first: int) -> Quantity | None:
    """The longest number that begins with the piece at place `first`, or `None`.

    Args:
        text: the text, for what stands between pieces.
        found: its pieces.
        first: place of the piece to begin at.
    """
    reading = _Reading(text, found)
    place = first
    while place < len(found) and (place == first or joined(text, found[place - 1], found[place])):
        step = reading.take(place)
        if not step:
            break
        place += step
    return reading.result(first)


def joined(text: str, left: Piece, right: Piece) -> bool:
    """Whether nothing but a blank or a hyphen stands between two pieces."""
    return text[left.end : right.start] in {"", " ", "-", "\u00a0", "  "}


class _Reading:
    """A number being read: `total` of the parts that a scale has closed, `current` of the open one."""

    def __init__(self, text: str, found: Sequence[Piece]) -> None:
        self.text = text
        self.found = found
        self.total, self.current = Decimal(0), Decimal(0)
        self.open = False  # whether `current` holds anything
        self.room = Decimal(10) ** MOST_DIGITS  # what the next word must be smaller than
        self.least_scale = Decimal(10) ** MOST_DIGITS
        self.extra = Decimal(0)  # of a part such as `saadhe`, in units of what follows
        self.scaled = self.money = False
        # the last state that is a number, as (value, place after it, scaled, money)
        self.good: tuple[Decimal, int, bool, bool] | None = None

    def take(self, place: int) -> int:
        """Read the piece at `place` into the number; 0 where it cannot go on with it, else pieces read."""
        piece = self.found[place]
        match piece.kind:
            case Kind.FIGURE:
                return self._figure(piece, place)
            case Kind.UNIT:
                return self._unit(piece, place)
            case Kind.PART | Kind.HALF:
                return self._part(piece, place)
            case Kind.AND_A_HALF if self.open:
                self.extra = Decimal("0.5")
                return 1 if self._multiplied(place) else 0
            case Kind.HUNDRED | Kind.SCALE:
                return self._multiple(piece, place)
            case Kind.AND if self.scaled and place + 1 < len(self.found):
                following = self.found[place + 1]
                return int(following.kind is Kind.UNIT and not following.weak)
        return 0

    def result(self, first: int) -> Quantity | None:
        if self.good is None:
            return None
        value, after, scaled, money = self.good
        return Quantity(value, first, after, scaled, money)

    def _figure(self, piece: Piece, place: int) -> int:
        # after "2 lakh" a figure belongs to it only if it is multiplied itself, as in "2 lakh 50 thousand"
        if self.open or (self.total and not self._multiplied(place)):
            return 0
        self.current, self.open, self.room = piece.value, True, Decimal(0)
        self._keep(place)
        return 1

    def _unit(self, piece: Piece, place: int) -> int:
        if piece.weak and not self._multiplied(place) and not (not self.open and self._paid(place)):
            return 0
        if self.open and piece.value >= self.room:
            return 0
        self.current += piece.value
        self.open, self.scaled = True, True
        tens = piece.value >= 20 and piece.value % 10 == 0
        self.room = Decimal(10) if tens else Decimal(0)
        self._keep(place)
        return 1

    def _part(self, piece: Piece, place: int) -> int:
        if self.open or not place + 1 < len(self.found):
            return 0
        if piece.kind is Kind.HALF or piece.word in JOINED:
            if not self._multiplied(place):
                return 0
            self.current, self.open = piece.value, True
            return 1
        # sava lakh is one and a quarter; sava do lakh two and a quarter
        self.extra = piece.value
        if self._multiplied(place):
            self.current, self.open = Decimal(1), True
            return 1
        following = self.found[place + 1]
        return int(following.kind in {Kind.UNIT, Kind.FIGURE} and self._multiplied(place + 1))

    def _multiple(self, piece: Piece, place: int) -> int:
        hundred = piece.kind is Kind.HUNDRED
        if not self.open or (not hundred and piece.value >= self.least_scale):
            return 0
        if hundred:
            self.current = (self.current + self.extra) * 100
            self.room = Decimal(100)
        else:
            self.total += (self.current + self.extra) * piece.value
            self.current, self.open, self.room = Decimal(0), False, piece.value
            self.least_scale = piece.value
        self.extra = Decimal(0)
        self.scaled, self.money = True, self.money or piece.money
        self._keep(place)
        return 1

    def _multiplied(self, place: int) -> bool:
        """Whether a hundred or a scale follows the piece at `place`."""
        return self._followed(place, (Kind.HUNDRED, Kind.SCALE))

    def _paid(self, place: int) -> bool:
        """Whether a currency follows the piece at `place`."""
        return self._followed(place, (Kind.CURRENCY,))

    def _followed(self, place: int, kinds: tuple[Kind, ...]) -> bool:
        if place + 1 >= len(self.found):
            return False
        here, following = self.found[place], self.found[place + 1]
        return following.kind in kinds and joined(self.text, here, following)

    def _keep(self, place: int) -> None:
        if not self.extra:
            self.good = (self.total + self.current, place + 1, self.scaled, self.money)


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
        rf"|(?P<stuck>(?<=\d)(?:{names}){RIGHT})"
        rf"|{LEFT}(?:(?P<half>half(?:\s+an?)?)|(?P<scale>{apart})|(?P<hundred>hundred|sau|सौ)"
        rf"|(?P<part>{words(list(PARTS))})|(?P<unit>{words(list(UNITS))})|(?P<and>and)){RIGHT}",
        re.IGNORECASE,
    )


def _inside_word(text: str, place: int) -> bool:
    return re.match(RIGHT, text[place - 1 : place]) is None if place else False


def _piece(match: "re.Match[str]") -> Piece | None:
    group, word = str(match.lastgroup), match.group().lower()
    start, end = match.span()
    match group:
        case "figure":
            if sum(character.isdigit() for character in word) > MOST_DIGITS:
                return None
            return Piece(Kind.FIGURE, start, end, word, value=figure(word))
        case "currency" | "stuck":
            code = CURRENCIES.get(word) or CURRENCIES[word.removesuffix(".")]
            return Piece(Kind.CURRENCY, start, end, word, currency=code)
        case "glued" | "scale":
            scale: Scale = SCALES[word]
            return Piece(Kind.SCALE, start, end, word, value=scale.factor, money=scale.money)
        case "unit":
            unit = UNITS[word]
            return Piece(Kind.UNIT, start, end, word, value=Decimal(unit.value), weak=unit.weak)
        case "part":
            return Piece(Kind.PART, start, end, word, value=PARTS[word])
        case "half":
            return Piece(Kind.HALF, start, end, word, value=Decimal("0.5"))
        case "half_more":
            return Piece(Kind.AND_A_HALF, start, end, word)
        case "hundred":
            return Piece(Kind.HUNDRED, start, end, word)
    return Piece(Kind.AND, start, end, word)
