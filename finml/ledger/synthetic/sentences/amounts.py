"""How people write amounts of money: ₹1,50,000, 1.5 lakh, 20k, dhai lakh, पाँच हज़ार रुपये."""

from finml.ledger.synthetic.sentences.chance import Chance

THOUSAND, LAKH, CRORE = 1_000, 100_000, 10_000_000
_DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")

_WORDS = {
    "hinglish": {
        1.0: "ek", 1.5: "dedh", 2.0: "do", 2.5: "dhai", 3.0: "teen", 4.0: "chaar", 5.0: "paanch", 6.0: "chhe",
        7.0: "saat", 8.0: "aath", 9.0: "nau", 10.0: "das", 15.0: "pandrah", 20.0: "bees", 25.0: "pachees",
        30.0: "tees", 50.0: "pachaas",
    },
    "hi": {
        1.0: "एक", 1.5: "डेढ़", 2.0: "दो", 2.5: "ढाई", 3.0: "तीन", 4.0: "चार", 5.0: "पाँच", 6.0: "छह",
        7.0: "सात", 8.0: "आठ", 9.0: "नौ", 10.0: "दस", 15.0: "पंद्रह", 20.0: "बीस", 25.0: "पच्चीस",
        30.0: "तीस", 50.0: "पचास",
    },
}  # fmt: skip
_UNITS = {
    "en": {
        THOUSAND: ("k", "K", " thousand"),
        LAKH: (" lakh", " lakhs", " lac", "L"),
        CRORE: (" crore", " cr"),
    },
    "hinglish": {
        THOUSAND: ("k", " hazaar", " hazar"),
        LAKH: (" lakh", " lac", "L"),
        CRORE: (" crore", " cr"),
    },
    "hi": {THOUSAND: (" हज़ार", " हजार"), LAKH: (" लाख",), CRORE: (" करोड़",)},
}
_PLAIN = {
    "en": (
        "₹{}", "₹{}", "₹ {}", "Rs {}", "Rs. {}", "Rs.{}", "rs {}", "INR {}", "{} rupees", "{} rs", "{}/-",
        "{}",
        "{} INR",
    ),
    "hinglish": ("₹{}", "Rs {}", "rs {}", "Rs. {}", "{} rupaye", "{} rupay", "{} rs", "{} rupees", "{}/-",
    "{}"),
    "hi": ("₹{}", "{} रुपये", "{} रुपए", "₹ {}"),
}  # fmt: skip
_AFTER = {"en": ("", "", " rupees"), "hinglish": ("", "", " rupaye"), "hi": ("", " रुपये")}


def everyday(chance: Chance, language: str) -> str:
    """An amount that somebody pays or spends."""
    return _written(_rounded(chance, chance.scale(50, 60_000)), chance, language)


def large(chance: Chance, language: str) -> str:
    """An amount that somebody borrows, saves or invests."""
    return _written(_rounded(chance, chance.scale(40_000, 30_000_000)), chance, language)


def grouped(amount: int) -> str:
    """An amount with commas as India writes them: 12,34,567."""
    head, tail = str(amount)[:-3], str(amount)[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ",".join((*groups, tail))


def _rounded(chance: Chance, amount: float) -> int:
    """Mostly a round sum, now and then an exact one, as on a bill."""
    if amount < LAKH and chance.happens(0.15):
        return int(amount)
    half = 10 ** (len(str(int(amount))) - 1) / 2
    return int(int(amount / half + 0.5) * half)


def _written(amount: int, chance: Chance, language: str) -> str:
    unit = next((unit for unit in (CRORE, LAKH, THOUSAND) if amount >= unit), None)
    if unit and amount % (unit // 20) == 0 and chance.happens(0.85 if unit > THOUSAND else 0.4):
        return _in_units(amount / unit, unit, chance, language)
    number = grouped(amount) if chance.happens(0.5) else str(amount)
    if language == "hi" and chance.happens(0.4):
        number = number.translate(_DEVANAGARI)
    return chance.of(_PLAIN[language]).format(number)


def _in_units(count: float, unit: int, chance: Chance, language: str) -> str:
    """So many thousands, lakhs or crores."""
    after = chance.of(_AFTER[language])
    word = _WORDS.get(language, {}).get(count)
    units = [name for name in _UNITS[language][unit] if name.startswith(" ")]
    if word and chance.happens(0.4):
        return word + chance.of(units) + after
    name = chance.of(_UNITS[language][unit])
    sign = chance.of(("₹", "Rs ", "₹")) if chance.happens(0.3) else ""
    return sign + f"{count:g}" + name + ("" if sign else after if name.startswith(" ") else "")
