"""A forecast in words: what it is made of, and where the trend turned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finml.models.spending.fitted import FittedSeries
from finml.models.spending.personal import Answer

WORDS = {
    "yearly": "the time of year",
    "weekly": "the day of the week",
    "holidays": "holidays and festivals",
    "regressors": "paydays, the calendar and the further columns",
    "recent": "the level of the last periods and the last season",
    "personal": "the user's own history",
}
# parts below this share of the forecast are not worth a sentence
LEAST_SHARE = 0.001
# turns whose slope changes by less than this share of the level a period are noise of the fit
LEAST_TURN = 0.0005
MOST_TURNS = 5


@dataclass(frozen=True)
class Turn:
    """A moment at which the trend turned: slopes before and after are amounts a period."""

    ds: np.datetime64
    before: float
    after: float
    text: str


def sentences(answer: Answer) -> list[str]:
    """The decomposition, averaged over the horizon, the largest part first; then the pooling."""
    unit = answer.series.frequency.unit
    means = {name: float(values.mean()) for name, values in answer.parts.items()}
    level = means.pop("trend")
    size = max(abs(float(answer.yhat.mean())), abs(level), 1e-9)
    start = "The mean user spends" if answer.subject == "user" else "The trend alone says"
    found = [f"{start} {level:,.2f} a {unit}."]
    for name, value in sorted(means.items(), key=lambda pair: -abs(pair[1])):
        if abs(value) >= LEAST_SHARE * size:
            found.append(f"{WORDS[name].capitalize()}: {value:+,.2f} ({value / size:+.1%}).")
    if answer.pooling is not None and answer.pooling.months:
        found.append(
            f"{answer.pooling.months} months of own history count {answer.pooling.weight:.0%}, "
            f"what all users spend {1 - answer.pooling.weight:.0%}."
        )
    return found


def turns(series: FittedSeries) -> list[Turn]:
    """The strongest changes of the population's trend, the newest first."""
    if series.components is None:
        return []
    days = series.frequency.days
    before, after = (slope * days for slope in series.components.slopes())
    when = series.components.changepoint_days()
    change = np.abs(after - before)
    places: Sequence[int] = [
        int(place) for place in np.argsort(-change)[:MOST_TURNS] if change[place] >= LEAST_TURN * series.unit
    ]
    unit = series.frequency.unit
    return [
        Turn(
            when[place],
            float(before[place]),
            float(after[place]),
            f"from {before[place]:+,.2f} to {after[place]:+,.2f} a {unit}",
        )
        for place in sorted(places, key=lambda place: when[place], reverse=True)
    ]
