"""What an entity means: an amount, an interval, a fraction, a merchant …, and how it was read."""

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from finml.models.entities.amounts import Amount, Percentage, amounts, percentages, plain
from finml.models.entities.candidates import Candidate
from finml.models.entities.contract import (
    DateValue,
    EntitiesInput,
    IdentifierValue,
    Interval,
    MerchantValue,
    MoneyValue,
    NameValue,
    PercentValue,
    Value,
)
from finml.models.entities.dates import Dated, dates, in_the_past
from finml.models.entities.identifiers import Identified, identifiers, last_digits
from finml.models.entities.linking import Catalogue
from finml.models.entities.periods import Period, day

LEAST_ACCOUNT_DIGITS = 9
UNREAD = "nothing in it could be read as a value"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The value of an entity, `None` where there is none, and how it was read."""

    value: Value | None
    reading: str


class Reader:
    """Reads the entities of one request.

    Attributes:
        asked: the request.
        moment: now at the user's place.
    """

    def __init__(self, asked: EntitiesInput, catalogue: Catalogue) -> None:
        self.asked = asked
        self.moment = asked.moment()
        self.zone = ZoneInfo(asked.time_zone)
        self.catalogue = catalogue

    @property
    def today(self) -> date:
        """The day at the user's place."""
        return self.moment.date()

    def read(self, found: Candidate) -> Meaning:
        """What one entity means."""
        match found.label:
            case "MONEY":
                return self._money(found)
            case "DATE":
                return self._date(found)
            case "PERCENT":
                return self._percent(found)
            case "MERCHANT":
                return self._merchant(found)
            case "PERSON" | "CATEGORY":
                name = " ".join(self._text(found).casefold().split())
                return Meaning(NameValue(name=name), "lower case, single blanks")
        return self._identifier(found)

    def _text(self, found: Candidate) -> str:
        return self.asked.text[found.start : found.end]

    def _money(self, found: Candidate) -> Meaning:
        number = found.reading if isinstance(found.reading, Amount) else None
        if number is None:
            # of the numbers in it, the one that says that it is money
            inside = sorted(amounts(self._text(found)), key=lambda one: not one.money)
            number = inside[0] if inside else None
        if number is None:
            return Meaning(None, UNREAD)
        value = MoneyValue(
            amount=number.written,
            currency=number.currency or self.asked.currency,
            assumed=number.currency is None,
        )
        origin = "request" if value.assumed else "text"
        return Meaning(value, f"{value.amount} in the {origin}'s currency {value.currency}")

    def _percent(self, found: Candidate) -> Meaning:
        if isinstance(found.reading, Percentage):
            fraction = found.reading.fraction
        elif inside := percentages(self._text(found)):
            fraction = inside[0].fraction
        elif numbers := amounts(self._text(found)):
            fraction = numbers[0].value / 100
        else:
            return Meaning(None, UNREAD)
        written = plain(fraction)
        return Meaning(PercentValue(fraction=written), f"{written} as a fraction of one")

    def _date(self, found: Candidate) -> Meaning:
        reading = found.reading if isinstance(found.reading, Dated) else self._dated_inside(found)
        if reading is None:
            return self._date_by_library(found)
        if reading.period is None:
            why = (
                "it comes again and again, so no single interval is meant"
                if reading.rule == "recurring"
                else f"seen from {self.today} there is no such day"
            )
            return Meaning(None, f"the rule {reading.rule}: {why}")
        words = f"the rule {reading.rule}, read on {self.today}"
        if reading.relation:
            words += f", opened by {reading.relation}"
        if reading.period.alternatives:
            tense = "past" if in_the_past(self.asked.text) else "future"
            words += f"; it could mean either way, the text's tense ({tense}) decided"
        return Meaning(self._interval(reading.period, reading.relation), words)

    def _dated_inside(self, found: Candidate) -> Dated | None:
        """The longest date of the text that lies in the entity, read with the words around it."""
        inside = [
            one
            for one in dates(self.asked.text, self.today)
            if found.start <= one.start and one.end <= found.end
        ]
        return max(inside, key=lambda one: (one.end - one.start, -one.start), default=None)

    def _date_by_library(self, found: Candidate) -> Meaning:
        """A day that no rule reads but dateparser does."""
        when = _parsed(self._text(found), self.moment.replace(tzinfo=None), in_the_past(self.asked.text))
        if when is None:
            return Meaning(None, UNREAD)
        return Meaning(self._interval(day(when), ""), f"dateparser, read on {self.today}")

    def _interval(self, period: Period, relation: str) -> DateValue:
        return DateValue(
            start=self._midnight(period.start),
            end=self._midnight(period.end),
            grain=period.grain,
            relation=relation,
            alternatives=[
                Interval(start=self._midnight(other.start), end=self._midnight(other.end))
                for other in period.alternatives
            ],
        )

    def _midnight(self, when: date | None) -> datetime | None:
        return None if when is None else datetime.combine(when, time.min, tzinfo=self.zone)

    def _merchant(self, found: Candidate) -> Meaning:
        link = self.catalogue.link(self._text(found))
        value = MerchantValue(merchant=link.merchant, score=link.score)
        if link.merchant:
            return Meaning(
                value, f"the nearest of {len(self.catalogue.names)} merchants, score {link.score:g}"
            )
        return Meaning(value, f"no merchant reaches a score of {self.catalogue.least_score:g}")

    def _identifier(self, found: Candidate) -> Meaning:
        one = found.reading if isinstance(found.reading, Identified) else None
        if one is None:
            # what the model found may hold an identifier that a rule would find by itself
            # which may need the words around it to know one
            around = [
                each
                for each in identifiers(self.asked.text)
                if found.start <= each.start and each.end <= found.end
            ]
            inside = [*around, *identifiers(self._text(found))]
            one = next((each for each in inside if each.label == found.label), None)
        last4 = last_digits(self._text(found)) if found.label in {"CARD", "ACCOUNT"} else None
        if one is None:
            value = IdentifierValue(id=None, last4=last4, checked=False)
            return Meaning(value, "its last digits" if last4 else "named without a number")
        words = f"the rule {one.rule}, " + (
            "its check digit or letters are right" if one.checked else "by its shape"
        )
        # the last digits of a number are not the number
        known = one.checked or one.label not in {"CARD", "ACCOUNT"} or len(one.normal) >= LEAST_ACCOUNT_DIGITS
        return Meaning(
            IdentifierValue(id=one.normal if known else None, last4=last4, checked=one.checked), words
        )


@lru_cache(maxsize=1024)
def _parsed(text: str, now: datetime, past: bool) -> date | None:
    from dateparser import parse

    if not any(character.isalnum() for character in text):
        return None
    settings = {
        "RELATIVE_BASE": now,
        "DATE_ORDER": "DMY",
        "PREFER_DATES_FROM": "past" if past else "future",
        "STRICT_PARSING": False,
    }
    try:
        found = parse(text, languages=["en", "hi"], settings=settings)
    except (ValueError, OverflowError):
        # a year that no calendar has
        return None
    return found.date() if found else None
