"""Reasons in words: what is unusual about a transaction, or about a row of a table."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from finml.models.anomaly.behaviour import Behaviour
from finml.models.anomaly.habits import Transaction

ORDINALS = {2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth"}
# ratios below which an amount is not worth a word
LEAST_TIMES = 1.5

Words = Callable[[Transaction, Behaviour], str]


def ordinal(number: int) -> str:
    """`second`, `third`, and from the ninth on in figures: `9th`, `51st`, `112th`."""
    teen = 10 < number % 100 < 20
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return ORDINALS.get(number, f"{number}{ending}")


def times(ratio: float) -> str:
    """A ratio as it is said: `18 times`, `2.5 times`."""
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def _amount(asked: Transaction, found: Behaviour) -> str:
    category = asked.category.replace("_", " ")
    facts = found.facts
    for name, usual in (
        ("category", f"your usual {category} amount"),
        ("merchant", "what you usually pay this merchant"),
        ("own", "what you usually pay"),
    ):
        if facts.get(f"times_{name}", 0.0) >= LEAST_TIMES:
            return f"{times(facts[f'times_{name}'])} {usual}"
    return f"a large amount for {category}"


def _time(asked: Transaction, found: Behaviour) -> str:
    hour = found.values["hour_rarity"] >= found.values["weekday_rarity"]
    return "at an hour at which you rarely pay" if hour else "on a day of the week on which you rarely pay"


def _novelty(asked: Transaction, found: Behaviour) -> str:
    merchant, category = found.values["new_merchant"] > 0, found.values["new_category"] > 0
    first = "first payment"
    if merchant and category:
        return f"{first} to this merchant and first for {asked.category.replace('_', ' ')}"
    return f"{first} to this merchant" if merchant else f"{first} for {asked.category.replace('_', ' ')}"


def _pace(asked: Transaction, found: Behaviour) -> str:
    values = found.values
    hour, day = int(found.facts["count_1h"]) + 1, int(found.facts["count_24h"]) + 1
    if hour > 1 and values["count_1h"] >= max(values["count_24h"], values["count_7d"]):
        return f"{ordinal(hour)} payment within an hour"
    if day > 1 and values["count_24h"] >= values["count_7d"]:
        return f"{ordinal(day)} payment within a day"
    if values["count_7d"] > 0:
        return "more payments within a week than usual"
    return "more spent within a day than usual"


def _repetition(asked: Transaction, found: Behaviour) -> str:
    whom = "to this merchant" if asked.merchant else f"for {asked.category.replace('_', ' ')}"
    same = int(found.facts["same_payment"])
    if same:
        return f"{ordinal(same + 1)} payment of the same amount {whom} within an hour"
    return f"{ordinal(int(found.facts['same_merchant']) + 1)} payment {whom} within an hour"


def _recurring(asked: Transaction, found: Behaviour) -> str:
    if found.values["recurring_day"] > found.values["recurring_amount"]:
        facts = found.facts
        days = f"{facts['days_since']:.0f} days" if facts["days_since"] >= 1.5 else "a day or less"
        return f"{days} after the last payment to this merchant, usually {facts['usual_days']:.0f}"
    return f"{times(found.facts['times_merchant'])} the amount of this recurring payment"


WORDS: Mapping[str, Words] = {
    "amount": _amount,
    "time": _time,
    "novelty": _novelty,
    "pace": _pace,
    "repetition": _repetition,
    "recurring": _recurring,
}
"""Words by topic of `behaviour.TOPICS`."""


def column_words(column: str, value: float, quantiles: npt.NDArray[np.float64]) -> str:
    """What is unusual about a table's value.

    Args:
        column: its name.
        value: the value.
        quantiles: evenly spaced quantiles of the column over the training rows, the extremes included.
    """
    below = float(np.searchsorted(quantiles, value, side="left")) / len(quantiles)
    above = float(len(quantiles) - np.searchsorted(quantiles, value, side="right")) / len(quantiles)
    usual = f"usually {quantiles[len(quantiles) // 4]:.3g} to {quantiles[3 * len(quantiles) // 4]:.3g}"
    if below >= 1:
        return f"{column} is {value:.3g}, higher than in any training row ({usual})"
    if above >= 1:
        return f"{column} is {value:.3g}, lower than in any training row ({usual})"
    side, share = ("higher", below) if below >= above else ("lower", above)
    return f"{column} is {value:.3g}, {side} than in {100 * share:.0f} % of the training rows ({usual})"
