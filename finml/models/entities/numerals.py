"""Numbers as people type them: figures, words in English, Hinglish and Hindi, lakh and crore.

A small grammar reads the longest number that begins at one of a text's pieces. Values are `Decimal`: money
has no rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from finml.models.entities.pieces import HALF, MOST_DIGITS, Kind, Piece, joined
from finml.models.entities.words import JOINED


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


def quantity(text: str, found: Sequence[Piece], first: int) -> Quantity | None:
    """The longest number that begins with the piece at place `first`, or `None`.

    Args:
        text: the text, for what stands between pieces.
        found: its pieces.
        first: place of the piece to begin at.
    """
    before = found[first - 1] if first else None
    paid = before is not None and before.kind is Kind.CURRENCY and joined(text, before, found[first])
    reading = _Reading(text, found, paid)
    place = first
    while place < len(found) and (place == first or joined(text, found[place - 1], found[place])):
        if not reading.take(place):
            break
        place += 1
    return reading.result(first)


class _Reading:
    """A number being read: `total` of the parts that a scale has closed, `current` of the open one."""

    def __init__(self, text: str, found: Sequence[Piece], paid: bool) -> None:
        self.text = text
        self.found = found
        self.paid = paid  # whether a currency stands before it
        self.total, self.current = Decimal(0), Decimal(0)
        self.open = False  # whether `current` holds anything
        self.room = Decimal(10) ** MOST_DIGITS  # what the next word must be smaller than
        self.least_scale = Decimal(10) ** MOST_DIGITS
        self.extra = Decimal(0)  # of a part such as `saadhe`, in units of what follows
        self.scaled = self.money = False
        # the last state that is a number, as (value, place after it, scaled, money)
        self.good: tuple[Decimal, int, bool, bool] | None = None

    def take(self, place: int) -> bool:
        """Read the piece at `place` into the number; false where it cannot go on with it."""
        piece = self.found[place]
        readers = {
            Kind.FIGURE: self._figure,
            Kind.UNIT: self._unit,
            Kind.PART: self._part,
            Kind.HALF: self._part,
            Kind.HUNDRED: self._multiple,
            Kind.SCALE: self._multiple,
            Kind.AND_A_HALF: self._and_a_half,
            Kind.AND: self._and,
        }
        read = readers.get(piece.kind)
        return read is not None and read(piece, place)

    def result(self, first: int) -> Quantity | None:
        if self.good is None:
            return None
        value, after, scaled, money = self.good
        return Quantity(value, first, after, scaled, money)

    def _figure(self, piece: Piece, place: int) -> bool:
        # after "2 lakh" a figure belongs to it only if it is multiplied itself, as in "2 lakh 50 thousand"
        if self.open or (self.total and not self._multiplied(place)):
            return False
        self.current, self.open, self.room = piece.value, True, Decimal(0)
        self._keep(place)
        return True

    def _unit(self, piece: Piece, place: int) -> bool:
        if piece.weak and not self._multiplied(place) and not (not self.open and self._paid(place)):
            return False
        if self.open and piece.value >= self.room:
            return False
        self.current += piece.value
        self.open, self.scaled = True, True
        tens = piece.value >= 20 and piece.value % 10 == 0
        self.room = Decimal(10) if tens else Decimal(0)
        self._keep(place)
        return True

    def _part(self, piece: Piece, place: int) -> bool:
        if self.open or not place + 1 < len(self.found):
            return False
        if piece.kind is Kind.HALF or piece.word in JOINED:
            if not self._multiplied(place):
                return False
            self.current, self.open = piece.value, True
            return True
        # sava lakh is one and a quarter; sava do lakh two and a quarter
        self.extra = piece.value
        if self._multiplied(place):
            self.current, self.open = Decimal(1), True
            return True
        following = self.found[place + 1]
        return following.kind in {Kind.UNIT, Kind.FIGURE} and self._multiplied(place + 1)

    def _and_a_half(self, piece: Piece, place: int) -> bool:
        if not self.open or not self._multiplied(place):
            return False
        self.extra = HALF
        return True

    def _and(self, piece: Piece, place: int) -> bool:
        following = self.found[place + 1] if place + 1 < len(self.found) else None
        return self.scaled and following is not None and following.kind is Kind.UNIT and not following.weak

    def _multiple(self, piece: Piece, place: int) -> bool:
        hundred = piece.kind is Kind.HUNDRED
        # `5 k` is money at times, `5 l` and `5 m` hardly ever: both need a currency
        if piece.weak and not self.paid:
            return False
        if not self.open or (not hundred and piece.value >= self.least_scale):
            return False
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
        return True

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
        if following.kind is Kind.SCALE and following.weak and not self.paid:
            return False
        return following.kind in kinds and joined(self.text, here, following)

    def _keep(self, place: int) -> None:
        if not self.extra:
            self.good = (self.total + self.current, place + 1, self.scaled, self.money)
