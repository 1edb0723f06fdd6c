"""All rules together: what they find in a text."""

from datetime import date

from finml.models.entities.amounts import amounts, percentages
from finml.models.entities.candidates import Candidate
from finml.models.entities.dates import dates
from finml.models.entities.identifiers import identifiers


def apply_rules(text: str, today: date) -> list[Candidate]:
    """What the rules find: amounts that say they are money, percentages, dates, identifiers.

    Args:
        text: what was typed, in any script.
        today: the day at the asker's place; which dates are found does not depend on it, what they mean does.
    """
    return [
        *(Candidate(one.start, one.end, "MONEY", "amount", one) for one in amounts(text) if one.money),
        *(Candidate(one.start, one.end, "PERCENT", "percentage", one) for one in percentages(text)),
        *(Candidate(one.start, one.end, "DATE", one.rule, one) for one in dates(text, today)),
        *(Candidate(one.start, one.end, one.label, one.rule, one) for one in identifiers(text)),
    ]
