"""A transaction, and its user's habits as they are stored."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

# a hundred-and-eighty-day window holds no more than this
WINDOW_DAYS = 180.0
HOURS, WEEKDAYS = 24, 7
HOUR_S, DAY_S = 3_600, 86_400
SAME_S = 1.0
"""Seconds within which two equal debits may be one: the habits hold whole seconds."""
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

    def before(self, asked: Transaction, moment: float) -> "Habits":
        """The habits without `asked` and what came after it, as far as they tell.

        A debit that is asked about after it was booked would else be compared with itself. Only debits that
        `recent` holds can be taken out. Of a merchant's last payment so taken out, the one before it is
        taken to lie the usual gap earlier. Medians and spreads stay.

        Args:
            asked: the debit.
            moment: what the habits are as of; where it is before the debit, they stay as they are.
        """
        if moment < int(asked.occurred_at):
            return self
        gone = self._since(asked)
        if len(gone) >= self.n:
            return NO_HABITS
        kept = [entry for place, entry in enumerate(self.recent) if place not in gone]
        taken = [self.recent[place] for place in gone]
        hours = Counter(hour(float(at)) for at, *_ in taken)
        weekdays = Counter(weekday(float(at)) for at, *_ in taken)
        categories = Counter(kind for _, _, kind, _ in taken)
        return replace(
            self,
            n=self.n - len(taken),
            days=max(self.days - (moment - asked.occurred_at) / DAY_S, 0.0),
            hours=[max(count - hours[place], 0) for place, count in enumerate(self.hours)],
            weekdays=[max(count - weekdays[place], 0) for place, count in enumerate(self.weekdays)],
            categories={
                name: [told[0] - categories[name], *told[1:]]
                for name, told in self.categories.items()
                if told[0] > categories[name]
            },
            merchants=_merchants(self.merchants, taken, kept),
            recent=kept,
        )

    def _since(self, asked: Transaction) -> set[int]:
        """Places in `recent` of the debit itself, if it is there, and of those after it."""
        itself = [
            (abs(at - asked.occurred_at), place)
            for place, (at, *told) in enumerate(self.recent)
            if told == [asked.minor, asked.category, asked.merchant] and abs(at - asked.occurred_at) <= SAME_S
        ]
        later = {place for place, (at, *_) in enumerate(self.recent) if at > asked.occurred_at}
        return later | ({min(itself)[1]} if itself else set())

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


def _merchants(
    known: Mapping[str, Sequence[Any]], taken: Sequence[Sequence[Any]], kept: Sequence[Sequence[Any]]
) -> dict[str, Sequence[Any]]:
    """What is known of merchants without the debits that were taken out of `recent`."""
    found = dict(known)
    times: dict[str, list[float]] = {}
    for at, _, _, name in taken:
        if name in known:
            times.setdefault(name, []).append(at)
    for name, gone in times.items():
        count, last, median, spread, gap, gap_spread = known[name]
        if count <= len(gone):
            del found[name]
            continue
        there = [at for at, _, _, merchant in kept if merchant == name]
        if there:
            last = max(there)
        elif gap is not None:
            last = min(gone) - gap * DAY_S
        # one payment alone has no gap
        gaps = (gap, gap_spread) if count - len(gone) > 1 else (None, None)
        found[name] = [count - len(gone), last, median, spread, *gaps]
    return found


def hour(moment: float) -> int:
    """Hour of the day, UTC."""
    return int(moment // HOUR_S % HOURS)


def weekday(moment: float) -> int:
    """Day of the week, Monday first, UTC."""
    # 1970 began on a Thursday
    return int((moment // DAY_S + 3) % WEEKDAYS)


NO_HABITS = Habits()
