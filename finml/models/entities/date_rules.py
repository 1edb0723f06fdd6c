"""The rules by which dates are read: a name, a regular expression, and what makes days of its match."""

from finml.models.entities import calendar_readings as calendar
from finml.models.entities import relative_readings as relative
from finml.models.entities.date_context import Reader
from finml.models.entities.date_words import (
    ALSO_CALLED,
    DAYS,
    EITHER_WAY,
    FESTIVALS,
    MONTHS,
    SAME_DAY_EACH_YEAR,
    STEPS,
    UNITS,
    WEEKDAYS,
    alternatives,
)
from finml.models.entities.periods import Grain

_MONTH, _WEEKDAY = alternatives(MONTHS), alternatives(WEEKDAYS)
_STEP, _UNIT = alternatives(STEPS), alternatives(UNITS)
_PLAIN_UNIT = alternatives(word for word, grain in UNITS.items() if grain is not Grain.FINANCIAL_YEAR)
_FESTIVAL = alternatives([*FESTIVALS, *SAME_DAY_EACH_YEAR, *ALSO_CALLED])
_COUNT = (
    r"\d{1,4}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"ek|do|teen|char|paanch|chhe|saat|aath|nau|das|एक|दो|तीन|चार|पाँच|पांच|छह|सात|आठ|नौ|दस"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?!,\d{2,3}(?!\d))"
_YEAR = r"(?:\d{4}|'?\d{2}(?!\d|[,.]\d))"

RULES: tuple[tuple[str, str, Reader], ...] = (
    ("iso_date", r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", calendar.iso),
    ("numeric_date", r"(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>\d{4}|\d{2})", calendar.numeric),
    ("day_and_month", r"(?<!/)(?P<day>\d{1,2})/(?P<month>\d{1,2})(?!/)", calendar.day_slash_month),
    ("month_and_year", r"(?<![\d/])(?P<month>\d{1,2})/(?P<year>(?:19|20)\d{2})", calendar.month_slash_year),
    (
        "day_of_month",
        rf"(?:(?:{_WEEKDAY}),?\s+(?:the\s+)?)?{_DAY}[\s-]+(?:of\s+)?(?P<month>{_MONTH})"
        rf"(?:[\s,-]+(?P<year>{_YEAR})|\s+(?P<step>last|this|next)\s+year)?",
        calendar.day_of_month_name,
    ),
    (
        "day_of_month",
        rf"(?:(?:{_WEEKDAY}),?\s+)?(?P<month>{_MONTH})[\s-]+(?:the\s+)?{_DAY}"
        rf"(?:(?:\s*,\s*|\s+)(?P<year>{_YEAR})|\s+(?P<step>last|this|next)\s+year)?",
        calendar.day_of_month_name,
    ),
    (
        "month",
        rf"(?:(?P<step>{_STEP})\s+)?(?P<month>{_MONTH})"
        rf"(?:[\s,-]+(?:of\s+)?(?P<year>{_YEAR})|\s+(?P<of_step>last|this|next)\s+year)?",
        calendar.month_name,
    ),
    (
        "weekday",
        rf"(?:(?P<before_week>last|this|next)\s+week\s+)?(?:(?P<step>{_STEP})\s+)?(?P<weekday>{_WEEKDAY})"
        r"(?:\s+(?P<week>last|this|next)\s+week)?",
        relative.weekday,
    ),
    ("named_day", rf"(?:{alternatives(DAYS)})", relative.named_day),
    ("kal", rf"(?:{alternatives(EITHER_WAY)})", relative.either_way),
    ("relative_period", rf"(?P<step>{_STEP})\s+(?P<unit>{_UNIT})", relative.stepped),
    ("before_last", r"(?P<unit>week|month|quarter|year)\s+before\s+last", relative.before_last),
    (
        "length_of_time",
        rf"(?P<step>{_STEP})\s+(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})",
        relative.length_of_time,
    ),
    (
        "hours",
        rf"(?:last|past|pichle|pichhle)\s+(?P<count>{_COUNT})\s+(?:hours?|hrs?|ghante)",
        relative.hours,
    ),
    (
        "ago",
        rf"(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})\s+(?:ago|back|earlier|pehle|pahle|पहले)",
        relative.ago,
    ),
    ("ahead", rf"in\s+(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})(?:'\s+time)?", relative.ahead),
    (
        "ahead",
        rf"(?P<count>{_COUNT})\s+(?P<unit>{_PLAIN_UNIT})\s+(?:from\s+now|from\s+today|later|baad|बाद)",
        relative.ahead,
    ),
    (
        "financial_year",
        r"(?:fy|financial\s+year|fiscal\s+year)[\s-]?(?P<year>20\d{2}|\d{2})(?:\s?[-/]\s?(?P<second>\d{4}|\d{2}))?",
        calendar.named_financial_year,
    ),
    (
        "quarter",
        r"q(?P<quarter>[1-4])[\s,-]*(?:of\s+)?(?P<financial>fy\s?)?(?P<year>20\d{2}|'?\d{2})",
        calendar.named_quarter,
    ),
    ("year", r"(?P<year>(?:19[5-9]|20[0-4])\d)", calendar.named_year),
    ("ordinal_day", r"(?:(?P<step>last)\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)", calendar.ordinal),
    ("ordinal_day", r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?P<step>this|last|next)\s+month", calendar.ordinal),
    ("ordinal_day", r"(?P<day>\d{1,2})\s+(?:tareekh|tarikh|tareek|तारीख)", calendar.ordinal),
    (
        "edge",
        r"(?P<edge>end|beginning|start)\s+of\s+(?:the\s+)?(?:(?P<step>last|this|next)\s+)?(?P<unit>month|year|week)",
        relative.edge,
    ),
    ("edge", r"(?P<unit>month|year|week)\s+(?P<edge>end)(?P<step>)", relative.edge),
    ("edge", r"(?P<unit>mahine|saal|hafte)\s+ke\s+(?P<edge>end)(?P<step>)", relative.edge),
    ("to_date", r"(?:(?P<unit>week|month|quarter|year)\s+to\s+date|ytd|mtd)", relative.to_date),
    (
        "festival",
        rf"(?P<name>{_FESTIVAL})(?:\s+(?P<year>20\d{{2}}))?",
        calendar.festival,
    ),
    (
        "recurring",
        rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|(?:first|last)\s+(?:{_WEEKDAY}))\s+of\s+(?:each|every)\s+(?:month|year|week)",
        relative.again_and_again,
    ),
)
