"""How people name days and periods, looking back or ahead from the day on which they type."""

from datetime import date, timedelta

from finml.ledger.synthetic.sentences.chance import Chance

_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
    "hi": (
        "जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर",
        "दिसंबर",
    ),
}  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_BACK = {
    "en": (
        "last month", "last month", "this month", "this month", "last week", "this week", "yesterday",
        "today",
        "this year", "last year", "last quarter", "this quarter", "the last {n} months", "last {n} months",
        "past {n} months", "last {d} days", "past {d} days", "the past week", "last weekend",
        "previous month",
        "day before yesterday", "last 24 hours",
    ),
    "hinglish": (
        "pichhle mahine", "pichle mahine", "is mahine", "iss mahine", "last month", "is month",
        "pichle hafte",
        "is hafte", "kal", "aaj", "parso", "is saal", "pichle saal", "pichhle {n} mahine", "last {d} din",
        "pichle {d} dino", "last week", "this month",
    ),
    "hi": (
        "पिछले महीने", "इस महीने", "पिछले हफ़्ते", "इस हफ़्ते", "कल", "आज", "इस साल", "पिछले साल",
        "पिछले {n} महीने",
        "पिछले {d} दिन",
    ),
}  # fmt: skip
_AHEAD = {
    "en": (
        "today", "tomorrow", "next week", "next month", "this month", "the {o}", "{o}", "this weekend",
        "day after tomorrow", "next year", "end of the month", "month end", "the end of this year",
    ),
    "hinglish": (
        "aaj", "kal", "parso", "agle mahine", "agle hafte", "is mahine", "{t} tareekh", "{t} tarikh",
        "agle saal", "month end", "mahine ke end", "next month",
    ),
    "hi": ("आज", "कल", "अगले महीने", "अगले हफ़्ते", "इस महीने", "{t} तारीख", "अगले साल"),
}  # fmt: skip


def back(chance: Chance, language: str, today: date) -> str:
    """A day or period that has begun."""
    if chance.happens(0.6):
        return _relative(chance, chance.of(_BACK[language]))
    return _calendar(chance, language, today - timedelta(days=chance.between(1, 330)))


def ahead(chance: Chance, language: str, today: date) -> str:
    """A day or period that is still to come, or has just begun."""
    if chance.happens(0.65):
        return _relative(chance, chance.of(_AHEAD[language]))
    if language == "en" and chance.happens(0.3):
        return chance.of(("", "next ", "this ")) + chance.of(_WEEKDAYS)
    return _calendar(chance, language, today + timedelta(days=chance.between(1, 300)))


def _relative(chance: Chance, words: str) -> str:
    day = chance.between(1, 28)
    months, days = chance.of((2, 3, 3, 6, 6, 12)), chance.of((7, 10, 15, 30, 60, 90))
    return words.format(n=months, d=days, t=day, o=_ordinal(day))


def _calendar(chance: Chance, language: str, day: date) -> str:
    """A month or a day of the calendar."""
    name = _MONTHS["hi" if language == "hi" else "en"][day.month - 1]
    short = name if language == "hi" else name[:3]
    forms = [name, name, f"{name} {day.year}", f"{day.day} {name}", f"{day.day} {name} {day.year}"]
    if language != "hi":
        forms += [
            f"{short} {day.year}",
            f"{day.day} {short}",
            f"{_ordinal(day.day)} {name}",
            f"{name} {day.day}",
            f"{day:%d/%m/%Y}",
            f"{day:%d-%m-%Y}",
            f"{day:%Y-%m-%d}",
            f"{day.day}/{day.month}",
            f"{day.day} {short} {day:%y}",
        ]
    return chance.of(forms)


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"
