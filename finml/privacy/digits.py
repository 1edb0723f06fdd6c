"""What a number is.

A run of digits says little by itself. Its kind is decided by its check digits (Luhn, Verhoeff), its layout
(`4-4-4-4`, `98765 43210`), and the words in front of it: an order number or a time of the same length stays.
"""

import re
from itertools import pairwise

from stdnum import luhn, verhoeff

ENDS = re.compile(r"(?i:pe|par|ko|se|ka|ki|wala|hai|is)?(?!\w)")
ABOUT_ACCOUNT = re.compile(
    r"(?i)(?:\ba/?c|\bacct?s?|account|\bkhat[ae]|\biban|\bfolio)[\W_]*(?:(?:no|num|number|is|hai)[\W_]*)*$"
)
ABOUT_AADHAAR = re.compile(r"(?i)(?:aadha?ar|\buid)[\W_]*(?:(?:no|num|number|card|is|hai)[\W_]*)*$")
ABOUT_PHONE = re.compile(
    r"(?i)(?:phone|\bph|mobile|\bmob|\btel|call|contact|whatsapp)[\W_]*(?:(?:no|num|number|me|us|on|is|hai)[\W_]*)*$"
)
# An order or a payment, not a person.
ABOUT_REFERENCE = re.compile(
    r"(?i)(?:(?:order|txn|transaction|ref|reference|utr|rrn|invoice|ticket|request|complaint|receipt|awb|tracking"
    r"|booking|pnr|batch|trace|run|seed|version|offset|epoch|timestamp)s?[\W_]*"
    r"(?:(?:no|num|number|id|is|hai)[\W_]*)*|#)$"
)
# In `L-2024-000123` and `12:000123` digits are part of a longer name or time.
PART_OF_ID = re.compile(r"[^\W_][-_.]$|\d:$")
PART_OF_NAME = re.compile(r"[^\W_][-_./]$|\d:$")
LAYOUTS_OF_CARDS = frozenset(
    {"4-4-4-4", "4-6-5", "4-6-4", "4-4-4-4-3", "4-4-4-4-2", "4-4-4-4-1", "4-4-4-1", "8-8", "6-10"}
)
LAYOUTS_OF_PHONES = frozenset(
    {"5-5", "3-3-4", "4-3-3", "3-4-3", "4-6", "2-4-4", "4-2-4", "2-2-2-2-2", "6-4", "3-7", "2-8"}
)
# Times as digits: year to second, or seconds since 1970 of the years 2017 to 2033, with or without fractions.
WHEN = re.compile(
    r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\d{3})?)?"
    r"|1[5-9]\d{8}(?:\d{3}|\d{6}|\d{9})?"
)
PLUS = re.compile(r"\+\s?\(?$")
FEWEST_DIGITS = 7
# Accounts have up to 18 digits; many more are a hash.
LONGEST_ACCOUNT = 24
# Characters in front of a number that are looked at.
LOOK_BACK = 40


def kind_of(text: str, groups: list[tuple[int, int]]) -> str | None:
    """What neighbouring groups of digits are together, or `None` where they are nothing of a person.

    Args:
        text: the text that they stand in.
        groups: where each begins and ends.
    """
    parts = [text[start:end] for start, end in groups]
    digits = "".join(parts)
    if len(digits) < FEWEST_DIGITS or not ENDS.match(text, groups[-1][1]):
        return None
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    before = text[max(0, groups[0][0] - LOOK_BACK) : groups[0][0]]
    if PLUS.search(before) and 8 <= len(digits) <= 15:
        return "phone" if _fits_country(digits) else None
    if _is_card(digits) and (len(parts) == 1 or _layout(parts) in LAYOUTS_OF_CARDS):
        return "card"
    if len(digits) == 12 and _is_aadhaar(digits, parts, before):
        return "aadhaar"
    if len(parts) == 1:
        return _kind_of_one(digits, before)
    spaced = any(text[one[1] : other[0]].isspace() for one, other in pairwise(groups))
    return _kind_of_several(digits, parts, before, spaced=spaced)


def _kind_of_one(digits: str, before: str) -> str | None:
    size = len(digits)
    if size > LONGEST_ACCOUNT:
        return None
    if ABOUT_ACCOUNT.search(before):
        return "account"
    if ABOUT_PHONE.search(before):
        return "phone" if size <= 15 else "account"
    if size < 9 or ABOUT_REFERENCE.search(before) or WHEN.fullmatch(digits):
        return None
    phone = _is_national(digits)
    if (PART_OF_ID if phone else PART_OF_NAME).search(before):
        return None
    return "phone" if phone else "account"


def _kind_of_several(digits: str, parts: list[str], before: str, *, spaced: bool) -> str | None:
    if ABOUT_ACCOUNT.search(before) and 9 <= len(digits) <= 18:
        return "account"
    dialled = _is_dialled(digits, parts[0]) or _is_phone(digits, parts, before, spaced=spaced)
    return "phone" if dialled else None


def _layout(parts: list[str]) -> str:
    return "-".join(str(len(part)) for part in parts)


def _is_national(digits: str) -> bool:
    """Whether this is an Indian mobile number, with or without what is dialled in front of it."""
    return bool(re.fullmatch(r"(?:0|91|091|0091)?[6-9]\d{9}", digits))


def _is_dialled(digits: str, first: str) -> bool:
    """Whether digits begin as one dials: `00` abroad, `0` another town, `91` India."""
    if digits.startswith("00"):
        return 10 <= len(digits) <= 17
    if digits.startswith("0"):
        return len(digits) in (10, 11)
    return first == "91" and _is_national(digits)


def _is_phone(digits: str, parts: list[str], before: str, *, spaced: bool) -> bool:
    if ABOUT_PHONE.search(before):
        return len(digits) <= 11
    layout = _layout(parts)
    if layout not in LAYOUTS_OF_PHONES or (spaced and _are_amounts(parts)):
        return False
    return digits[0] in "6789" or (layout == "3-3-4" and (not spaced or before.endswith("(")))


def _is_aadhaar(digits: str, parts: list[str], before: str) -> bool:
    if ABOUT_AADHAAR.search(before):
        return True
    if _layout(parts) not in ("12", "4-4-4") or (len(parts) == 1 and ABOUT_REFERENCE.search(before)):
        return False
    return digits[0] > "1" and verhoeff.is_valid(digits) and not _are_amounts(parts)


def _are_amounts(parts: list[str]) -> bool:
    """Whether groups are round hundreds each, so amounts in a row."""
    return len(parts) > 1 and all(part.endswith("00") for part in parts)


def _fits_country(digits: str) -> bool:
    """Whether digits behind a plus can be a number of their country; of most, any length can."""
    for code, size in (("91", 12), ("1", 11)):
        if digits.startswith(code):
            return len(digits) == size
    return True


def _is_card(digits: str) -> bool:
    size = len(digits)
    issued = (
        (size == 16 and digits[0] in "2345678")
        or (size == 15 and digits[:2] in ("34", "37"))
        or (size == 14 and digits[:2] in ("30", "36", "38", "39"))
        or (size in (13, 17, 18, 19) and digits[0] in "456")
    )
    return issued and luhn.is_valid(digits)
