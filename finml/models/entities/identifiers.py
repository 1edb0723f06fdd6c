"""Identifiers that a text names: payment addresses, branch codes, tax numbers, card and account numbers.

Where an identifier has a check of its own, only one that passes is found: a number that merely looks like a
card's is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from finml.models.entities.pieces import LEFT, RIGHT
from finml.models.entities.words import listed

# an address of the Unified Payments Interface: no dot behind the @, which tells it from an e-mail address
_UPI = re.compile(
    rf"{LEFT}(?<![.@+-])[a-z0-9][a-z0-9._-]{{1,255}}@[a-z][a-z0-9]{{1,63}}{RIGHT}(?!\.[a-z]|[@-])",
    re.IGNORECASE,
)
# what payment apps and banks of India end their customers' addresses with
_UPI_HANDLES = frozenset(
    listed(
        "okaxis okhdfcbank okicici oksbi ybl ibl axl paytm ptyes ptaxis ptsbi pthdfc upi apl yapl rapl axisb "
        "axisbank hdfcbank hdfcbankjd icici icicibank sbi kotak kotak811 barodampay pnb cnrb idfcbank "
        "idfcfirst indus indusind federal fbl aubank rbl yesbank yesbankltd waaxis wahdfcbank waicici wasbi "
        "freecharge ikwik jupiteraxis fam yescred axiscred sliceaxis goaxb naviaxis timecosmos tapicici "
        "airtel postbank jio pingpay dbs hsbc citi sc unionbank uboi mahb boi idbi dlb kvb sib bhim"
    )
)
_MAIL = frozenset(listed("gmail yahoo ymail outlook hotmail live rediffmail rediff icloud proton protonmail"))
_UPI_BEFORE = re.compile(
    rf"{LEFT}(?:upi|vpa|pay)(?:\s+(?:id|address|handle))?(?:\s+(?:is|to))?\s*[:=-]?\s*$", re.IGNORECASE
)
_UPI_AFTER = re.compile(
    rf"\s*[(,]?\s*(?:(?:is\s+)?(?:my|the|his|her)\s+)?(?:upi|vpa|pay){RIGHT}", re.IGNORECASE
)
# bank, a zero kept for later use, branch
_IFSC = re.compile(rf"{LEFT}[A-Za-z]{{4}}0[A-Za-z0-9]{{6}}{RIGHT}")
_IFSC_BEFORE = re.compile(
    rf"{LEFT}ifsc(?:\s+code)?(?:\s+(?:is|no\.?|number|hai))?\s*[:=#-]?\s*$", re.IGNORECASE
)
_IFSC_AFTER = re.compile(rf"\s*[(,]?\s*(?:(?:is\s+)?(?:my|the|his|her)\s+)?ifsc{RIGHT}", re.IGNORECASE)
_PAN = re.compile(rf"{LEFT}[A-Z]{{5}}[0-9]{{4}}[A-Z]{RIGHT}", re.IGNORECASE)
_CARD_NUMBER = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){11,18}(?![\w-]|[.,]\d)")
_CARD_LENGTHS = range(13, 20)
_BEHIND = r"(?:(?:ending(?:\s+(?:in|with))?|number|no\.?|num|#|संख्या)\s*:?\s*)?"
_ENDING = re.compile(
    rf"{LEFT}(?:(?:credit|debit|atm|visa|rupay)\s+)?(?:card|mastercard|कार्ड)\s+{_BEHIND}"
    rf"(?P<digits>[x*•]{{0,12}}\d{{4}}){RIGHT}(?![ -]?\d)",
    re.IGNORECASE,
)
_ACCOUNT_NUMBER = re.compile(
    rf"{LEFT}(?:savings\s+)?(?:a/c|acct?|account|khata|खाता|खाते)\.?\s+{_BEHIND}"
    rf"(?P<digits>[x*•]{{1,12}}\d{{3,6}}|\d{{9,18}}|(?!19|20)\d{{4}}){RIGHT}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Identified:
    """An identifier found in a text.

    Attributes:
        label: its type.
        rule: name of the rule.
        normal: as it is written in full: upper case where case means nothing, digits without blanks.
        checked: whether it passed a check of its own, beyond its shape.
    """

    start: int
    end: int
    label: str
    rule: str
    normal: str
    checked: bool


def identifiers(text: str) -> list[Identified]:
    """All identifiers of a text, those of each type from left to right."""
    return [*_upi(text), *_ifsc(text), *_pan(text), *_card_numbers(text), *_partial_numbers(text)]


def _upi(text: str) -> Iterator[Identified]:
    """Addresses with a known handle, or with a word beside them that says what they are."""
    for match in _UPI.finditer(text):
        handle = match.group().rpartition("@")[2].lower()
        named = handle not in _MAIL and _beside(match, _UPI_BEFORE, _UPI_AFTER)
        if handle not in _UPI_HANDLES and not named:
            continue
        yield Identified(*match.span(), "UPI", "upi_address", match.group().lower(), checked=False)


def _ifsc(text: str) -> Iterator[Identified]:
    """Branch codes, which are written in upper case or beside the word for them."""
    for match in _IFSC.finditer(text):
        if not match.group().isupper() and not _beside(match, _IFSC_BEFORE, _IFSC_AFTER):
            continue
        yield Identified(*match.span(), "IFSC", "ifsc", match.group().upper(), checked=False)


def _beside(match: "re.Match[str]", before: "re.Pattern[str]", after: "re.Pattern[str]") -> bool:
    """Whether the words right before or right after a match are these."""
    return bool(before.search(match.string[: match.start()]) or after.match(match.string, match.end()))


def _pan(text: str) -> Iterator[Identified]:
    """Permanent account numbers whose fourth letter names a kind of holder."""
    from stdnum.in_ import pan

    for match in _PAN.finditer(text):
        if match.group().isascii() and pan.is_valid(match.group()):
            yield Identified(*match.span(), "PAN", "pan", match.group().upper(), checked=True)


def _card_numbers(text: str) -> Iterator[Identified]:
    """Numbers of a card's length whose last digit checks by Luhn's formula."""
    from stdnum import luhn

    for match in _CARD_NUMBER.finditer(text):
        digits = _ascii("".join(character for character in match.group() if character.isdigit()))
        if len(digits) in _CARD_LENGTHS and luhn.is_valid(digits) and len(set(digits)) > 1:
            yield Identified(*match.span(), "CARD", "card_number", digits, checked=True)


def _partial_numbers(text: str) -> Iterator[Identified]:
    """The last digits of a card, and account numbers behind a word for account."""
    for pattern, label, rule in (
        (_ENDING, "CARD", "card_ending"),
        (_ACCOUNT_NUMBER, "ACCOUNT", "account_number"),
    ):
        for match in pattern.finditer(text):
            yield Identified(*match.span(), label, rule, _ascii(match["digits"]).upper(), checked=False)


def last_digits(text: str) -> str | None:
    """The last four digits of what names a card or an account, or `None`."""
    digits = [character for character in text if character.isdecimal()]
    return _ascii("".join(digits[-4:])) if len(digits) >= 4 else None


@lru_cache(maxsize=1)
def _decimal_digits() -> dict[int, str]:
    """Digits of the scripts of India as ASCII digits."""
    zeros = (0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0x660, 0x6F0, 0xFF10)
    return {zero + digit: str(digit) for zero in zeros for digit in range(10)}


def _ascii(digits: str) -> str:
    return digits.translate(_decimal_digits())
