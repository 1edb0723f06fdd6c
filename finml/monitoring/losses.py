"""How wrong an answer was, once the outcome is known: for each model a number from 0, right, to 1."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Quality:
    """How a model's answers are judged.

    Attributes:
        name: what the loss is, in words.
        loss: of an answer and its outcome, both as their JSON.
        shares: figures of many answers and outcomes, by name: how many hold, and of how many.
    """

    name: str
    loss: Callable[[Json, Json], float]
    shares: Mapping[str, Callable[[Sequence[Json], Sequence[Json]], tuple[int, int]]]


def _count(
    holds: Callable[[Json, Json], bool], among: Callable[[Json, Json], bool] = lambda *_: True
) -> Callable[[Sequence[Json], Sequence[Json]], tuple[int, int]]:
    def count(answers: Sequence[Json], outcomes: Sequence[Json]) -> tuple[int, int]:
        found = [holds(*pair) for pair in zip(answers, outcomes, strict=True) if among(*pair)]
        return sum(found), len(found)

    return count


def brier(answer: Json, outcome: Json) -> float:
    """Squared distance of a probability from what came to pass."""
    return float((answer["probability"] - float(outcome["defaulted"])) ** 2)


def wrong_flag(answer: Json, outcome: Json) -> float:
    """Whether a flag was raised for nothing, or not raised."""
    return float(answer["flagged"] != outcome["anomalous"])


def wrong_intent(answer: Json, outcome: Json) -> float:
    """Whether another intent was right; an answer out of scope says `oos`."""
    said = "oos" if answer["out_of_scope"] else answer["intent"]
    return float(said != outcome["intent"])


def missed_entities(answer: Json, outcome: Json) -> float:
    """1 less the F1 of the entities by type and place; 0 or 1 where only right or wrong was told."""
    if "correct" in outcome:
        return float(not outcome["correct"])
    said, right = (
        {(one["type"], one["start"], one["end"]) for one in some["entities"]} for some in (answer, outcome)
    )
    return 1 - 2 * len(said & right) / (len(said) + len(right)) if said or right else 0.0


def distance_of_forecast(answer: Json, outcome: Json) -> float:
    """Mean over what was spent of |forecast - spent| / (|forecast| + spent), as in sMAPE; 1 unforecast."""
    points = _points(answer)
    found = []
    for spent in outcome["spent"]:
        point = points.get((spent["category"], spent["ds"]))
        yhat, amount = (point["yhat"] if point else 0.0), spent["amount"]
        size = abs(yhat) + amount
        found.append(1.0 if point is None else abs(yhat - amount) / size if size else 0.0)
    return float(np.mean(found))


def within_interval(answers: Sequence[Json], outcomes: Sequence[Json]) -> tuple[int, int]:
    """How many amounts lay in the forecast's 80 % interval, and of how many that were forecast."""
    found = [
        point["low"] <= spent["amount"] <= point["high"]
        for answer, outcome in zip(answers, outcomes, strict=True)
        for spent in outcome["spent"]
        if (point := _points(answer).get((spent["category"], spent["ds"])))
    ]
    return sum(found), len(found)


def _points(answer: Json) -> dict[tuple[str, str], Json]:
    return {
        (series["category"], point["ds"]): point
        for series in answer["forecasts"]
        for point in series["forecast"]
    }


QUALITIES: Mapping[str, Quality] = {
    "credit_risk": Quality(
        "Brier score",
        brier,
        {
            "default rate among approved": _count(
                lambda _, outcome: outcome["defaulted"], lambda answer, _: not answer["flagged"]
            ),
            "approved": _count(lambda answer, _: not answer["flagged"]),
        },
    ),
    "anomaly": Quality(
        "share of wrong flags",
        wrong_flag,
        {
            "precision": _count(lambda _, outcome: outcome["anomalous"], lambda answer, _: answer["flagged"]),
            "recall": _count(lambda answer, _: answer["flagged"], lambda _, outcome: outcome["anomalous"]),
        },
    ),
    "intent": Quality(
        "share of wrong intents",
        wrong_intent,
        {"accuracy": _count(lambda answer, outcome: not wrong_intent(answer, outcome))},
    ),
    "entities": Quality(
        "1 - F1",
        missed_entities,
        {"wholly right": _count(lambda answer, outcome: not missed_entities(answer, outcome))},
    ),
    "spending": Quality(
        "relative distance", distance_of_forecast, {"within the 80 % interval": within_interval}
    ),
}
"""How the answers of each model are judged."""
