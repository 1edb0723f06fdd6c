"""Amounts of money and percentages in a text: where they are and what they are worth."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from finml.models.entities.numerals import Quantity, quantity
from finml.models.entities.pieces import LEFT, RIGHT, Kind, Piece, joined, pieces
from finml.models.entities.words import PERCENT


@dataclass(frozen=True, slots=True)
class Amount:
    """A number found in a text, with its offsets.

    Attributes:
        value: the number; with a `currency`, in its major unit.
        currency: ISO 4217 code, or `None` where the text names none.
        money: whether the text says that it is money, by a currency or by a multiple such as lakh.
        scaled: whether words or multiples made it, so that trailing zeros mean nothing.
    """

    start: int
    end: int
    value: Decimal
    currency: str | None
    money: bool
    scaled: bool

    @property
    def written(self) -> str:
        """The value as a decimal string without exponent; a figure keeps the decimals it was written with."""
        return plain(self.value) if self.scaled else f"{self.value:f}"


@dataclass(frozen=True, slots=True)
class Percentage:
    """A percentage found in a text: `fraction` is 0.085 for 8.5 %."""

    start: int
    end: int
    fraction: Decimal


def plain(value: Decimal) -> str:
    """A decimal string without exponent and without trailing zeros."""
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def amounts(text: str) -> list[Amount]:
    """All numbers of a text from left to right, none overlapping another, with the currency beside each."""
    found = pieces(text)
    answer = []
    place = 0
    while place < len(found):
        read = quantity(text, found, place)
        if read is None:
            place += 1
            continue
        answer.append(_with_currency(text, found, read))
        place = read.after
    return answer


def percentages(text: str) -> list[Percentage]:
    """All percentages of a text from left to right."""
    found = []
    for number in amounts(text):
        sign = _percent().match(text, number.end)
        if sign and not number.money:
            found.append(Percentage(number.start, sign.end(), number.value / 100))
    return found


def _with_currency(text: str, found: Sequence[Piece], read: Quantity) -> Amount:
    """The number with a currency right before it or right after it; what stands before decides."""
    start, end, code = found[read.first].start, found[read.after - 1].end, None
    before = found[read.first - 1] if read.first else None
    if before and before.kind is Kind.CURRENCY and joined(text, before, found[read.first]):
        start, code = before.start, before.currency
    after = found[read.after] if read.after < len(found) else None
    if after and after.kind is Kind.CURRENCY and joined(text, found[read.after - 1], after):
        following = found[read.after + 1] if read.after + 1 < len(found) else None
        # "paid 20 $30": a sign between two figures belongs to the second
        leads = after.word == "$" and following is not None and following.start == after.end
        # "$500 dollars" names its currency twice, which only "Rs 500/-" does on purpose
        wanted = code is None or (after.word == "/-" and code == after.currency)
        if wanted and not leads:
            end, code = after.end, after.currency
    return Amount(start, end, read.value, code, read.money or code is not None, read.scaled)


@lru_cache(maxsize=1)
def _percent() -> "re.Pattern[str]":
    signs = "|".join(re.escape(word) for word in PERCENT if not word[-1].isalpha())
    names = "|".join(re.escape(word) for word in PERCENT if word[-1].isalpha())
    return re.compile(rf"\s?(?:{signs}|(?:{names}){RIGHT})", re.IGNORECASE)


__all__ = ["LEFT", "RIGHT", "Amount", "Percentage", "amounts", "percentages", "plain"]
