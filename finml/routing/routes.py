"""What is asked at every input: a rule as of a moment, with nothing left to compute but the user's place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from finml.routing.rules import Rule


class Choice(NamedTuple):
    """Who answers an input.

    Attributes:
        variant: whose answer is returned.
        shadow: who scores it unseen, or `None`.
    """

    variant: str
    shadow: str | None = None


TO_CHAMPION, TO_CHALLENGER, TO_PREVIOUS = Choice("champion"), Choice("challenger"), Choice("previous")


@dataclass(frozen=True, slots=True)
class Route:
    """A rule as of a moment.

    Attributes:
        rest: for whom neither bound holds.
        place: gives a user's place; `None` where all go the same way.
        challenger_below: places below go to the challenger.
        previous_from: places from here on go to the previous champion.
    """

    rest: Choice = TO_CHAMPION
    place: Callable[[str], float] | None = None
    challenger_below: float = 0.0
    previous_from: float = 1.0

    def shares(self) -> dict[str, float | str | None]:
        """Percent of users by variant beside the champion, and the shadow."""
        previous = 1 - self.previous_from if self.place else float(self.rest is TO_PREVIOUS)
        return {
            "challenger_percent": round(100 * self.challenger_below, 6),
            "previous_percent": round(100 * previous, 6),
            "shadow": self.rest.shadow,
        }


def route_of(rule: Rule, place: Callable[[str], float], now: datetime) -> Route:
    """A rule as of a moment."""
    if rule.canary:
        return Route(place=place, challenger_below=rule.canary.percent_at(now) / 100)
    if rule.split:
        return Route(
            place=place,
            challenger_below=rule.split.challenger / 100,
            previous_from=1 - rule.split.previous / 100,
        )
    if rule.shadow:
        return Route(rest=Choice("champion", rule.shadow))
    return Route(rest=TO_PREVIOUS if rule.to == "previous" else TO_CHAMPION)
