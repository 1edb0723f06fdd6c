"""The words of amounts: counting words, multiples, parts and currencies in English, Hinglish and Hindi."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """A counting word. A `weak` one has another sense and counts only before a multiple or a currency."""

    value: int
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """A multiple.

    Attributes:
        factor: what it multiplies by.
        money: it is said of money and hardly of anything else, so that it needs no currency.
        glued: a letter that counts only right behind a figure, as in `50k`.
    """

    factor: Decimal
    money: bool = False
    glued: bool = False


def listed(words: str) -> list[str]:
    """The words of a list that is written with blanks between them."""
    return words.split()


# letters with a dot below are typed as one character or as two
_DOTTED = {"फ़": "\u095e", "ज\u093c": "\u095b", "ड\u093c": "\u095c", "ढ\u093c": "\u095d"}


def both_spellings(words: Iterable[str]) -> list[str]:
    """The words, and those with a dotted letter also in its other spelling."""
    found = []
    for word in words:
        joined = word
        for parts, single in _DOTTED.items():
            joined = joined.replace(parts, single)
        found += [word] if joined == word else [word, joined]
    return found


_ENGLISH = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
# value: spellings; all are weak, for most are everyday words of other senses too
_HINGLISH = {
    1: "ek",
    2: "do",
    3: "teen tin",
    4: "char chaar",
    5: "paanch panch",
    6: "chhe chhah che",
    7: "saat",
    8: "aath",
    9: "nau",
    10: "das",
    12: "baarah barah",
    15: "pandrah",
    20: "bees",
    25: "pachees pachis",
    30: "tees",
    40: "chalis chaalis",
    50: "pachas pachaas",
    60: "saath",
    70: "sattar",
    75: "pachhattar",
    80: "assi",
    90: "nabbe",
}
_HINDI = {
    1: "एक",
    2: "दो",
    3: "तीन",
    4: "चार",
    5: "पाँच पांच",
    6: "छह छः छे",
    7: "सात",
    8: "आठ",
    9: "नौ",
    10: "दस",
    12: "बारह",
    15: "पंद्रह",
    20: "बीस",
    25: "पच्चीस",
    30: "तीस",
    40: "चालीस",
    50: "पचास",
    60: "साठ",
    70: "सत्तर",
    75: "पचहत्तर",
    80: "अस्सी",
    90: "नब्बे",
}

UNITS: dict[str, Unit] = {
    **{word: Unit(value) for value, word in enumerate(_ENGLISH)},
    **{word: Unit(10 * place) for place, word in enumerate(_TENS, start=2)},
    "a": Unit(1, weak=True),
    "an": Unit(1, weak=True),
    **{
        word: Unit(value, weak=True)
        for table in (_HINGLISH, _HINDI)
        for value, spellings in table.items()
        for word in spellings.split()
    },
}

# of "sava do lakh" (two and a quarter) and the like: what is added to the number that follows
_ADDED = {"0.25": "sava sawa सवा", "0.5": "saadhe sadhe साढ़े", "-0.25": "paune पौने"}
_WHOLE = {"1.5": "dedh डेढ़", "2.5": "dhai dhaai ढाई"}
PARTS: dict[str, Decimal] = {
    word: Decimal(value)
    for value, words in (_ADDED | _WHOLE).items()
    for word in both_spellings(listed(words))
}
JOINED = frozenset(both_spellings(" ".join(_WHOLE.values()).split()))
"""Parts that are a number of their own: nothing counted follows them."""

_LAKH, _CRORE, _THOUSAND = Decimal(100_000), Decimal(10_000_000), Decimal(1_000)
SCALES: dict[str, Scale] = {
    "thousand": Scale(_THOUSAND, money=True),
    **dict.fromkeys(
        both_spellings(listed("hazaar hazar hajar hajaar हज़ार हजार")), Scale(_THOUSAND, money=True)
    ),
    **dict.fromkeys(listed("lakh lakhs lac lacs laakh लाख"), Scale(_LAKH, money=True)),
    **dict.fromkeys(both_spellings(listed("crore crores karod karor करोड़")), Scale(_CRORE, money=True)),
    "million": Scale(Decimal(10) ** 6),
    "billion": Scale(Decimal(10) ** 9),
    "mn": Scale(Decimal(10) ** 6),
    "bn": Scale(Decimal(10) ** 9),
    "cr": Scale(_CRORE, money=True),
    "k": Scale(_THOUSAND, money=True, glued=True),
    "l": Scale(_LAKH, money=True, glued=True),
    "m": Scale(Decimal(10) ** 6, glued=True),
    "b": Scale(Decimal(10) ** 9, glued=True),
}

CURRENCIES: dict[str, str] = {
    **dict.fromkeys(
        listed("₹ /- rs inr rupee rupees rupaye rupay rupaya rupaiya rupye rupaiye रुपये रुपए रुपया रुपयों रु"),
        "INR",
    ),
    **dict.fromkeys(listed("$ us$ usd dollar dollars bucks buck"), "USD"),
    **dict.fromkeys(listed("€ eur euro euros"), "EUR"),
    **dict.fromkeys(listed("£ gbp pound pounds quid"), "GBP"),
    **dict.fromkeys(listed("¥ jpy yen"), "JPY"),
    **dict.fromkeys(listed("aed dirham dirhams"), "AED"),
    **dict.fromkeys(listed("sgd s$"), "SGD"),
}
"""Names and signs of currencies, lower case, with ISO 4217 codes. A dollar is one of the United States."""

PERCENT = ("%", "percent", "per cent", "pct", "pratishat", "फीसदी", "प्रतिशत")
