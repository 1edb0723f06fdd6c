"""The slots of the templates: which label each carries and what fills it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from finml.ledger.synthetic.sentences import amounts, days, names
from finml.ledger.synthetic.sentences.chance import Chance

_MAKERS: Mapping[str, tuple[str | None, Callable[[Chance, str], str]]] = {
    "MONEY": ("MONEY", amounts.everyday),
    "LARGE": ("MONEY", amounts.large),
    "MERCHANT": ("MERCHANT", names.merchant),
    "PERSON": ("PERSON", names.person),
    "ACCOUNT": ("ACCOUNT", names.account),
    "CARD": ("CARD", names.card),
    "CATEGORY": ("CATEGORY", names.category),
    "BILL": ("CATEGORY", names.bill),
    "PERCENT": ("PERCENT", names.percent),
    "UPI": ("UPI", names.upi_id),
    "IFSC": ("IFSC", names.ifsc),
    "PAN": ("PAN", names.pan),
    "CITY": (None, names.city),
    "DISH": (None, names.dish),
    "IDEA": (None, names.idea),
    "THEME": (None, names.theme),
    "NUMBER": (None, lambda chance, _: chance.digits(chance.of((2, 3, 6, 10)))),
}
_DAYS: Mapping[str, Callable[[Chance, str, date], str]] = {"PAST": days.back, "COMING": days.ahead}

LABELS: Mapping[str, str | None] = {name: label for name, (label, _) in _MAKERS.items()} | dict.fromkeys(
    _DAYS, "DATE"
)
"""Label by slot."""


@dataclass(frozen=True)
class Scene:
    """Where a message is typed: the choices to make, the language, the day."""

    chance: Chance
    language: str
    today: date

    def fill(self, slot: str) -> str:
        """What a slot is filled with."""
        if slot in _DAYS:
            return _DAYS[slot](self.chance, self.language, self.today)
        return _MAKERS[slot][1](self.chance, self.language)
