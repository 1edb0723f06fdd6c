"""Numbers that lead to a person, found in texts: cards, phones, accounts, Aadhaar and tax numbers, IBANs.

Amounts, dates, times, decimals and network addresses are recognized first and stepped over.
"""

import re

from stdnum import iban
from stdnum.exceptions import ValidationError

from finml.privacy.digits import ABOUT_ACCOUNT, LOOK_BACK, kind_of

SEPARATORS = " .()\u00a0\u2009\u202f\\-\u2010-\u2013"
AMOUNT = r"\d{1,12}(?:[.,]\d+){0,6}"
CURRENCY = r"(?i:rs\.?|inr|usd|eur|gbp|rupees|rupaye)"
# a currency in front of the next number says nothing of the one before it
UNITS = (
    r"(?:/-|(?i:(?:rs|inr|usd|eur)\b(?!\.?\s?\d)"
    r"|(?:rupees?|rupaye|lakhs?|crores?|bytes|rows|ms|ns|us|seconds)\b))"
)

# Nothing in a text without a match here is a number of a person: at least seven digits close together, or a
# letter code.
HINT = re.compile(
    rf"\d(?:[{SEPARATORS}]{{0,2}}\d){{6}}|[A-Za-z]{{5}} ?\d{{4}}|[A-Za-z]{{2}}\d\d ?[A-Za-z\d]{{4}}"
)
DIGIT = re.compile(r"\d")

# What stays stands first, so that it is stepped over as a whole.
TOKENS = re.compile(
    rf"""
    (?<!\w)(?=[\w+(])(?:
        (?P<keep>
            (?i:[\da-f]{{8}}(?:-[\da-f]{{4}}){{3}}-[\da-f]{{12}}\b)                  # UUIDs
          | \d{{4}}-\d\d-\d\d(?!\d)(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?!\d))?
          | (?<!-)\d\d?(?P<between>[-/.])\d\d?(?P=between)(?:\d{{4}}|\d\d)(?![\d.-])    # dates
          | {CURRENCY}\s?{AMOUNT}(?!\d)
          | (?<![.+-]){AMOUNT}\s?{UNITS}
          | (?<![.+-])\d+\.\d{{1,9}}(?![\w-]|\.\d)                                     # decimals
          | (?<![.+-])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\w.-])                            # IPv4 addresses
        )
      | (?P<gstin>\d\d(?i:[a-z]{{5}}\d{{4}}[a-z][a-z\d]z[a-z\d])(?!\w))
      | (?P<pan>(?:[A-Z]{{5}}[ -]?\d{{4}}[ -]?[A-Z]|(?i:[a-z]{{3}}[abcfghjklpt][a-z]\d{{4}}[a-z]))(?!\w))
      | (?P<glued>(?i:phone|ph|mobile|mob|tel|call|contact|whatsapp|number|no|on)[6-9]\d{{9}}(?!\d))
      | (?P<iban>(?i:[a-z]{{2}}\d\d(?:[ ]?[a-z\d]{{4}}){{2,7}}(?:[ ]?[a-z\d]{{1,4}})?)(?!\w))
      | (?P<run>(?<!@)(?:\+\s?|\(\+?)?\d(?:[{SEPARATORS}]{{0,2}}\d){{6,}})
    )
  | (?P<amount>[₹$€£]\s?{AMOUNT}(?!\d))
    """,
    re.VERBOSE,
)
MOST_GROUPS = 7
GROUP = re.compile(r"\d+")
# Of words alone one in a hundred has right check digits.
FEWEST_DIGITS_OF_IBANS = 8


def mask_numbers(text: str) -> str:
    """`text` with each number of a person replaced by its kind, as in `<card>`."""
    if not DIGIT.search(text) or not HINT.search(text):
        return text
    return TOKENS.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    kind, found = match.lastgroup, match.group()
    if kind == "run":
        return _mask_run(match.string, match.start(), match.end())
    if kind == "iban":
        return _mask_iban(match)
    if kind in ("pan", "gstin"):
        return f"<{kind}>"
    if kind == "glued":
        return found[:-10] + "<phone>"
    return found


def _mask_iban(match: re.Match[str]) -> str:
    words = match.group().split(" ")
    # words in capitals may follow: the longest beginning with right check digits is the number
    for size in range(len(words), 0, -1):
        if _is_iban("".join(words[:size])):
            rest = " ".join(["", *words[size:]])
            return "<iban>" + TOKENS.sub(_replacement, rest)
    if len(words) == 1 and ABOUT_ACCOUNT.search(
        match.string, max(0, match.start() - LOOK_BACK), match.start()
    ):
        return "<account>"
    # what begins like an IBAN may still hold another number
    rest = " ".join(["", *words[1:]])
    return words[0] + TOKENS.sub(_replacement, rest)


def _is_iban(compact: str) -> bool:
    if sum(map(str.isdigit, compact)) < FEWEST_DIGITS_OF_IBANS:
        return False
    try:
        iban.validate(compact, check_country=False)
    except ValidationError:
        return False
    return True


def _mask_run(text: str, start: int, end: int) -> str:
    """A run of groups of digits with the numbers in it replaced; the longest that fits is taken first."""
    groups = [(found.start(), found.end()) for found in GROUP.finditer(text, start, end)]
    masked, done, first = [], start, 0
    while first < len(groups):
        for last in range(min(len(groups), first + MOST_GROUPS), first, -1):
            kind = kind_of(text, groups[first:last])
            if kind:
                opening = _opening(text, groups[first][0], done)
                masked += [text[done:opening], f"<{kind}>"]
                done, first = groups[last - 1][1], last
                break
        else:
            first += 1
    return "".join([*masked, text[done:end]])


def _opening(text: str, place: int, limit: int) -> int:
    """Where a number begins that has a plus or a bracket in front of its first digit."""
    while place > limit and text[place - 1] in "+(":
        place -= 1
    return place
