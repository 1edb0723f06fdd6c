"""The words of dates: months, weekdays, units and directions in English, Hinglish and Hindi."""

from collections.abc import Iterable, Mapping
from datetime import date

from finml.models.entities.periods import Grain
from finml.models.entities.words import both_spellings, listed


def _each(table: Mapping[int, str]) -> dict[str, int]:
    return {word: value for value, words in table.items() for word in both_spellings(listed(words))}


MONTHS = _each(
    {
        1: "january jan janvari जनवरी",
        2: "february feb farvari फरवरी फ\u093cरवरी",
        3: "march mar मार्च",
        4: "april apr अप्रैल",
        5: "may मई",
        6: "june jun जून",
        7: "july jul जुलाई",
        8: "august aug अगस्त",
        9: "september sept sep सितंबर सितम्बर",
        10: "october oct अक्टूबर अक्तूबर",
        11: "november nov नवंबर नवम्बर",
        12: "december dec दिसंबर दिसम्बर",
    }
)
WEEKDAYS = _each(
    {
        0: "monday mon somvar somwar सोमवार",
        1: "tuesday tues tue mangalvar mangalwar मंगलवार",
        2: "wednesday weds wed budhvar budhwar बुधवार",
        3: "thursday thurs thu guruvar guruwar गुरुवार",
        4: "friday fri shukravar shukrawar शुक्रवार",
        5: "saturday sat shanivar shaniwar शनिवार",
        6: "sunday sun ravivar raviwar रविवार",
    }
)
SHORT_OR_COMMON = frozenset({"may", "mar", "march", "sun", "sat", "mon", "wed", "dec", "jan", "jun", "fri"})
"""Names that are words or people's names too: they count with a capital, or behind `in`, `since` and so
on."""

UNITS: dict[str, Grain] = {
    **dict.fromkeys(listed("day days din dino dinon दिन दिनों"), Grain.DAY),
    **dict.fromkeys(
        both_spellings(listed("week weeks hafta hafte hafton हफ्ता हफ्ते हफ्तों हफ़ता हफ़्ते सप्ताह")), Grain.WEEK
    ),
    **dict.fromkeys(listed("weekend weekends"), Grain.WEEKEND),
    **dict.fromkeys(listed("month months mahina mahine mahinon maheene महीना महीने महीनों माह"), Grain.MONTH),
    **dict.fromkeys(listed("quarter quarters timahi तिमाही"), Grain.QUARTER),
    **dict.fromkeys(listed("year years yr yrs saal sal saalon साल सालों वर्ष"), Grain.YEAR),
    **dict.fromkeys(["financial year", "fiscal year", "fy"], Grain.FINANCIAL_YEAR),
}

# steps from the present one
STEPS: dict[str, int] = {
    **dict.fromkeys(
        listed("last previous past prev pichle pichhle pichla pichli pichhla pichhli पिछले पिछला पिछली गत"),
        -1,
    ),
    **dict.fromkeys(listed("this current is iss इस"), 0),
    **dict.fromkeys(listed("next coming upcoming following agle agla agli अगले अगला अगली आने"), 1),
}

DAYS: dict[str, int] = {
    **dict.fromkeys(listed("today aaj आज tonight"), 0),
    **dict.fromkeys(["this morning", "this afternoon", "this evening"], 0),
    **dict.fromkeys(listed("yesterday"), -1),
    **dict.fromkeys(["last night"], -1),
    "tomorrow": 1,
    "day before yesterday": -2,
    "day after tomorrow": 2,
}

EITHER_WAY: dict[str, int] = {
    **dict.fromkeys(listed("kal कल"), 1),
    **dict.fromkeys(listed("parso parson परसों"), 2),
}
"""Words that mean so many days from today, before or after: the text's tense decides."""

# of "how much did I spend on Monday" and of "pay it on Monday"
PAST_TENSE = frozenset(
    listed(
        "spent was were did had made paid charged bought purchased received got came lost stolen happened "
        "ordered credited debited withdrew withdrawn transferred sent since ago already history statement "
        "transactions kharch kharcha kiya kiye kari hua hui hue tha thi bheje bheja bheji aaya "
        "aaye aayi liya liye "
        "diya diye bhara gaya था थे थी किया किए हुआ हुई हुए दिया दिए भेजा भेजे आया आए गया खर्च"
    )
)
FUTURE_TENSE = frozenset(
    listed(
        "pay transfer send schedule remind will shall going due upcoming set plan book move change postpone "
        "make renew next by before until till bhejo bhejna bhej dena karna karo karni bharni "
        "bharna chahiye hoga "
        "karunga karungi dunga aayega aayegi tak भेजो भेजना देना करना करो चाहिए होगा भरना तक"
    )
)


# first day of each festival, as India's public holidays have it
FESTIVALS: dict[str, tuple[date, ...]] = {
    "diwali": tuple(
        date(*parts)
        for parts in (
            (2015, 11, 11), (2016, 10, 30), (2017, 10, 19), (2018, 11, 7), (2019, 10, 27), (2020, 11, 14),
            (2021, 11, 4), (2022, 10, 24), (2023, 11, 12), (2024, 10, 31), (2025, 10, 20), (2026, 11, 8),
            (2027, 10, 29), (2028, 10, 17), (2029, 11, 5), (2030, 10, 26), (2031, 11, 14), (2032, 11, 2),
        )
    ),
    "holi": tuple(
        date(*parts)
        for parts in (
            (2020, 3, 10), (2021, 3, 29), (2022, 3, 18), (2023, 3, 8), (2024, 3, 25), (2025, 3, 14),
            (2026, 3, 4), (2027, 3, 22), (2028, 3, 11), (2029, 3, 1), (2030, 3, 20),
        )
    ),
}  # fmt: skip
SAME_DAY_EACH_YEAR = {
    "christmas": (12, 25),
    "new year": (1, 1),
    "independence day": (8, 15),
    "republic day": (1, 26),
}
ALSO_CALLED = {
    "deepavali": "diwali",
    "deepawali": "diwali",
    "दिवाली": "diwali",
    "दीवाली": "diwali",
    "होली": "holi",
}


def alternatives(words: Iterable[str]) -> str:
    """A regular expression of words, the longest first, so that none hides another."""
    ordered = sorted({word.replace(" ", r"\s+") for word in words}, key=lambda word: -len(word))
    return "|".join(ordered)
