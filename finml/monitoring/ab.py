"""Compares two versions of a model by what became of their answers.

The unit is the subject that the routing kept on one version, not the answer: a user's answers are not
independent of each other. Each subject counts once, by the mean loss of its answers.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from finml.errors import UsageError
from finml.monitoring.feedback import joined
from finml.monitoring.figures import figures_of, mean_loss
from finml.monitoring.losses import QUALITIES, Quality
from finml.monitoring.report import Difference, Report, Said, SampleRatio
from finml.monitoring.sequential import (
    LEAST_UNITS,
    Estimate,
    growth_until_told,
    half_width,
    p_value,
)
from finml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "request_id",
    "at",
    "version",
    "variant",
    "shadow",
    "action",
    "subject",
    "position",
    "latency_ms",
    "error",
    "output",
)
PREDICTION = ["request_id", "caller", "position", "variant", "shadow"]
Groups = Mapping[tuple[str, bool], "pd.DataFrame"]
"""Answers by variant and whether they were scored unseen."""

MARGIN = 0.01
"""Smallest difference of losses that matters, unless said otherwise."""
RATIO_ALPHA = 0.001
"""Chance at which a split counts as broken: a false alarm discredits a whole comparison."""


def report(
    settings: Settings,
    model: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    other: str = "challenger",
    share: float | None = None,
    margin: float = MARGIN,
) -> Report:
    """Compare a variant with the champion.

    Args:
        settings: name the log and the outcomes.
        model: its name.
        since: first moment of the predictions.
        until: first moment that is left out.
        other: the variant that is compared with the champion.
        share: of the users that `other` was to get, 0 to 1; by default what the routing file splits.
        margin: smallest difference of losses that matters.

    Raises:
        UsageError: there is no such model or variant, or no such share.
        MonitoringError: log or outcomes cannot be read.
    """
    if model not in QUALITIES:
        raise UsageError(f"{model} is not judged by outcomes", hint=f"one of {', '.join(QUALITIES)}")
    if other not in ("challenger", "previous"):
        raise UsageError(f"{other!r} is no variant beside the champion", hint="challenger or previous")
    if share is not None and not 0 < share < 1:
        raise UsageError("the share of users lies between 0 and 1", hint="0.5 for one half")
    quality = QUALITIES[model]
    rows = joined(settings, model, since, until, columns=COLUMNS)
    rows = rows[rows.variant.isin(["champion", other])].drop_duplicates([*PREDICTION, "error"])
    rows, notes = _newest_versions(rows)
    rows = _without_stand_ins(rows, other, notes)
    if unheard := int(rows.unheard.sum()):
        words = "have outcomes by other callers alone, which need the scope feedback-all and do not count"
        notes.append(f"{unheard} answers {words}")
    rows = rows.assign(loss=_losses(rows, quality))
    groups = {
        (variant, shadow): rows[(rows.variant == variant) & (rows.shadow == shadow)]
        for variant, shadow in (("champion", False), (other, False), (other, True))
    }
    return Report(
        model=model,
        loss=quality.name,
        variants=[figures_of(model, part, quality) for part in groups.values() if len(part)],
        split=_split(groups, other, margin, notes),
        shadow=_paired(groups, other, margin),
        sample_ratio=_sample_ratio(groups, other, share or declared_share(settings, model, other)),
        notes=notes,
    )


def declared_share(settings: Settings, model: str, other: str) -> float | None:
    """Share of `other` among its users and the champion's, where the routing file splits users.

    Raises:
        RoutingError: the file is broken.
    """
    from finml.routing.file import read

    split = read(settings.routing).rule(model).split
    if split is None:
        return None
    shares = {"challenger": split.challenger, "previous": split.previous}
    champion = 100 - sum(shares.values())
    both = champion + shares[other]
    return shares[other] / both if champion and shares[other] else None


def _newest_versions(rows: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """One version a variant: the last one seen, so that no answer of an older one is laid at its door."""
    newest = rows.sort_values("at").groupby("variant").version.last()
    kept = rows[rows.version == rows.variant.map(newest)]
    left = len(rows) - len(kept)
    return kept, [f"{left} answers of older versions are left out"] if left else []


def _without_stand_ins(rows: "pd.DataFrame", other: str, notes: list[str]) -> "pd.DataFrame":
    """Leave out the champion's answers to inputs that the other was to answer and could not.

    Their users were dealt to the other: they would make the champion's look like those it was dealt, and
    the split like a broken one.
    """
    places = rows.set_index(["request_id", "position"]).index
    failed = (rows.variant == other) & ~rows.shadow & (rows.error != "")
    stood_in = (rows.variant == "champion") & places.isin(places[failed])
    if stood_in.any():
        notes.append(f"{stood_in.sum()} answers of the champion in place of a failed {other} are left out")
    return rows[~stood_in]


def _losses(rows: "pd.DataFrame", quality: Quality) -> list[float]:
    return [
        quality.loss(json.loads(output), json.loads(outcome))
        if isinstance(output, str) and isinstance(outcome, str)
        else np.nan
        for output, outcome in zip(rows.output, rows.outcome, strict=True)
    ]


def _split(groups: Groups, other: str, margin: float, notes: list[str]) -> Difference | None:
    """Users that the champion answered against users that the other answered."""
    sides = [groups.get((variant, False)) for variant in ("champion", other)]
    if sides[0] is None or sides[1] is None:
        return None
    champion, rival = (
        side[side.loss.notna()].groupby("subject").loss.mean() for side in sides if side is not None
    )
    both = champion.index.intersection(rival.index)
    if len(both):
        notes.append(f"{len(both)} users were answered by both variants and are left out of the comparison")
    champion, rival = champion.drop(both), rival.drop(both)
    if not (len(champion) and len(rival)):
        return None
    return _said(
        mean_loss(rival).minus(mean_loss(champion)),
        len(champion) + len(rival),
        min(len(champion), len(rival)),
        margin,
        paired=False,
    )


def _paired(groups: Groups, other: str, margin: float) -> Difference | None:
    """Answers of the other beside the champion's answer to the same input."""
    champion, shadow = groups["champion", False], groups[other, True]
    keys = ["request_id", "position", "subject"]
    pairs = shadow[[*keys, "loss"]].merge(champion[[*keys, "loss"]], on=keys, suffixes=("", "_champion"))
    pairs = pairs.dropna(subset=["loss", "loss_champion"])
    if pairs.empty:
        return None
    users = (pairs.loss - pairs.loss_champion).groupby(pairs.subject).mean()
    return _said(mean_loss(users, least=-1.0), len(users), len(users), margin, paired=True)


def _said(difference: Estimate, users: int, fewest: int, margin: float, *, paired: bool) -> Difference:
    value, width = float(difference.value), float(half_width(difference.variance))
    more: int | None = None
    if fewest < LEAST_UNITS:
        said: Said = "cannot be said yet"
        more = int(np.ceil(users * (LEAST_UNITS / fewest - 1)))
        sentence = f"It cannot be said yet: at least {more} more users with outcomes."
    elif abs(value) > width:
        said = "real"
        word = "lower (better)" if value < 0 else "higher (worse)"
        sentence = f"The difference is real: the loss is {word} by {abs(value):.4f}."
    elif abs(value) + width < margin:
        said = "not shown"
        sentence = f"No difference is shown, and none above {margin:g} is left."
    else:
        said = "cannot be said yet"
        growth = growth_until_told(difference, margin)
        more = int(np.ceil(users * (growth - 1))) if np.isfinite(growth) else None
        sentence = (
            f"It cannot be said yet: about {more} more users with outcomes, should things stay as they are."
        )
    return Difference(
        paired=paired,
        value=value,
        low=value - width,
        high=value + width,
        p=p_value(difference),
        users=users,
        said=said,
        more_users=more,
        sentence=sentence,
    )


def _sample_ratio(groups: Groups, other: str, share: float | None) -> SampleRatio | None:
    from scipy.stats import chisquare

    users = [groups[variant, False].subject.nunique() for variant in ("champion", other)]
    total = sum(users)
    if share is None or not total:
        return None
    found = float(chisquare(users, [total * (1 - share), total * share]).pvalue)
    return SampleRatio(declared=share, observed=users[1] / total, p=found, mismatch=found < RATIO_ALPHA)


__all__ = ["Report", "report"]
