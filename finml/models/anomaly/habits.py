"""A transaction, and its user's habits as they are stored."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

# a hundred-and-eighty-day window holds no more than this
WINDOW_DAYS = 180.0
HOURS = 24
# what a short history leaves open about the hours
FIRST_SEEN = 0.1
SHORT_HISTORY = 20
"""Debits below which a history is called short."""

History = Literal["ok", "short", "none"]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A debit. Time in seconds since 1970 (UTC), amount in major units, above zero."""

    occurred_at: float
    amount: float
    category: str
    merchant: str | None = None

    @property
    def minor(self) -> int:
        """The amount in minor units."""
        return round(self.amount * 100)


@dataclass(frozen=True, slots=True)
class Habits:
    """A user's habits, read from their JSON; without history everything is empty."""

    n: int = 0
    days: float = 0.0
    amount: tuple[float, float] | None = None
    hours: Sequence[int] = ()
    weekdays: Sequence[int] = ()
    categories: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    merchants: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    recent: Sequence[Sequence[Any]] = ()

    @classmethod
    def read(cls, text: str | None) -> "Habits":
        """From the stored JSON; `None`, empty or without a debit: no history."""
        document = json.loads(text) if text else {}
        if not document.get("n"):
            return cls()
        median, spread = document["amount"]
        return cls(
            n=int(document["n"]),
            days=float(document["days"] or 0.0),
            amount=(median, spread),
            hours=document["hours"],
            weekdays=document["weekdays"],
            categories=document["categories"],
            merchants=document["merchants"],
            recent=document["recent"],
        )

    @property
    def history(self) -> History:
        """How much is known of the user."""
        return "none" if self.n == 0 else "short" if self.n < SHORT_HISTORY else "ok"

    @property
    def daily(self) -> float:
        """Debits a day."""
        return self.n / min(max(self.days, 1.0), WINDOW_DAYS)

    @property
    def hours_a_day(self) -> float:
        """Hours among which the debits of a day are spread: 1 where all come in one, of 24 if in any alike.

        The exponential of the entropy of the hours, of which each was seen a little before.
        """
        seen = [count + FIRST_SEEN for count in self.hours]
        total = sum(seen)
        return math.exp(-sum(count / total * math.log(count / total) for count in seen)) if seen else HOURS


NO_HABITS = Habits()
