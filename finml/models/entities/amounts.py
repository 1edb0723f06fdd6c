"""Amounts of money and percentages in a text: where they are and what they are worth."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from finml.models.entities.numerals import Quantity, quantity
from finml.models.entities.pieces import LEFT, RIGHT, Kind, Piece, joined, pieces
from finml.models.entities.words import PERCENT

# what stands between the ends of a range, as in `50-60k` or `5 to 10 lakh`
_RANGE = re.compile(r"\s?[-\N{EN DASH}]\s?|\s(?:to|se|से)\s", re.IGNORECASE)
_PAISE = re.compile(rf"\s?(?:paise|paisa|paisas|पैसे|पैसा){RIGHT}", re.IGNORECASE)
_AND = re.compile(r"\s?(?:and|aur|और)?\s", re.IGNORECASE)
PAISE_OF_A_RUPEE = 100


@dataclass(frozen=True, slots=True)
class Amount:
    """A number found in a text, with its offsets.

    Attributes:
        value: the number; with a `currency`, in its major unit.
        currency: ISO 4217 code, or `None` where the text names none.
        money: whether the text says that it is money, by a currency or by a multiple such as lakh.
        scaled: whether words or multiples made it, so that trailing zeros mean nothing.
        minor: whether it is one of paise, its value in rupees.
    """

    start: int
    end: int
    value: Decimal
    currency: str | None
    money: bool
    scaled: bool
    minor: bool = False

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
    answer: list[Amount] = []
    place = 0
    before: Quantity | None = None
    while place < len(found):
        read = quantity(text, found, place)
        if read is None:
            place += 1
            continue
        amount = _in_paise(text, _with_currency(text, found, read, answer[-1].end if answer else 0))
        if answer and before and _is_range(text, found, (before, answer[-1]), (read, amount)):
            factor = found[read.after - 1].value
            code = answer[-1].currency or amount.currency
            answer[-1] = replace(
                answer[-1], value=answer[-1].value * factor, currency=code, money=amount.money, scaled=True
            )
            amount = replace(amount, currency=amount.currency or code)
        if answer and _is_rest(text, answer[-1], amount):
            answer[-1] = replace(answer[-1], end=amount.end, value=answer[-1].value + amount.value)
        else:
            answer.append(amount)
        before, place = read, read.after
    return answer


def _is_range(
    text: str, found: Sequence[Piece], low: tuple[Quantity, Amount], high: tuple[Quantity, Amount]
) -> bool:
    """Whether the multiple of the second figure is the first one's too."""
    (first, begin), (second, end) = low, high
    return (
        [piece.kind for piece in found[first.first : first.after]] == [Kind.FIGURE]
        and [piece.kind for piece in found[second.first : second.after]] == [Kind.FIGURE, Kind.SCALE]
        and first.value < found[second.first].value
        and (begin.currency is None or end.currency in {None, begin.currency})
        and _RANGE.fullmatch(text, begin.end, end.start) is not None
    )


def _in_paise(text: str, amount: Amount) -> Amount:
    """The amount in rupees where it is one of paise. The word for it means money in general, too."""
    sign = _PAISE.match(text, amount.end)
    if sign is None or amount.currency or not amount.value < PAISE_OF_A_RUPEE:
        return amount
    value = amount.value / PAISE_OF_A_RUPEE
    return replace(amount, end=sign.end(), value=value, currency="INR", money=True, scaled=True, minor=True)


def _is_rest(text: str, rupees: Amount, paise: Amount) -> bool:
    """Whether paise are those of the rupees before them."""
    whole = rupees.currency == "INR" and not rupees.minor and rupees.value == int(rupees.value)
    return whole and paise.minor and _AND.fullmatch(text, rupees.end, paise.start) is not None


def percentages(text: str) -> list[Percentage]:
    """All percentages of a text from left to right."""
    found = []
    for number in amounts(text):
        sign = _percent().match(text, number.end)
        if sign and not number.money:
            found.append(Percentage(number.start, sign.end(), number.value / 100))
    return found


def _with_currency(text: str, found: Sequence[Piece], read: Quantity, free: int) -> Amount:
    """The number with a currency right before it or right after it; what stands before decides.

    `free` is the offset from which on no other amount has taken the currency.
    """
    start, end, code = found[read.first].start, found[read.after - 1].end, None
    before = found[read.first - 1] if read.first else None
    if (
        before
        and before.kind is Kind.CURRENCY
        and before.start >= free
        and joined(text, before, found[read.first])
    ):
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
