"""Versions by their figures: one in detail, or two side by side."""

import math

from pydantic import BaseModel

from finml.models.base import Evaluation, GroupRow
from finml.registry.client import connect
from finml.registry.delivery import recorded_verdict
from finml.registry.gate import Verdict
from finml.registry.tracking import stored_evaluation
from finml.registry.versions import Version, find, parse_spec
from finml.settings import Settings


class Figure(BaseModel):
    """A figure with its 95 % interval where it has one; `None` where it is no number."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Row(BaseModel):
    """One figure of two versions; `delta` is right less left."""

    metric: str
    left: Figure | None
    right: Figure | None
    delta: float | None


class Detail(BaseModel):
    """A version with its verdict and its evaluation."""

    version: Version
    verdict: Verdict
    figures: dict[str, Figure]
    groups: list[GroupRow]
    versus_champion: dict[str, Figure]


class Comparison(BaseModel):
    """Two versions side by side.

    Attributes:
        same_data: whether both were evaluated on data with the same hash, so that figures can be compared.
    """

    left: Version
    right: Version
    same_data: bool
    rows: list[Row]


def show(settings: Settings, spec: str) -> Detail:
    """A version in detail.

    Raises:
        RegistryError: there is no such version, or its run has lost the evaluation.
    """
    with connect(settings) as client:
        version = find(client, *parse_spec(spec))
        evaluation = stored_evaluation(client, version.run_id)
        return Detail(
            version=version,
            verdict=recorded_verdict(client, version),
            figures=figures_of(evaluation),
            groups=evaluation.groups,
            versus_champion={
                name: _figure(delta.value, delta.low, delta.high)
                for name, delta in evaluation.versus_champion.items()
            },
        )


def compare(settings: Settings, left: str, right: str) -> Comparison:
    """The held-out figures of two versions, of one model or of two, with their intervals.

    Raises:
        RegistryError: there is no such version, or its run has lost the evaluation.
    """
    with connect(settings) as client:
        versions = [find(client, *parse_spec(spec)) for spec in (left, right)]
        evaluations = [stored_evaluation(client, version.run_id) for version in versions]
    one, other = (figures_of(evaluation) for evaluation in evaluations)
    return Comparison(
        left=versions[0],
        right=versions[1],
        same_data=evaluations[0].data_hash == evaluations[1].data_hash != "",
        rows=[_row(metric, one.get(metric), other.get(metric)) for metric in [*one, *(other.keys() - one)]],
    )


def figures_of(evaluation: Evaluation) -> dict[str, Figure]:
    """All figures of an evaluation by name, those with an interval first."""
    figures = {
        name: _figure(interval.value, interval.low, interval.high)
        for name, interval in sorted(evaluation.metrics.items())
    }
    return figures | {name: _figure(value) for name, value in sorted(evaluation.scalars.items())}


def _row(metric: str, left: Figure | None, right: Figure | None) -> Row:
    one, other = left.value if left else None, right.value if right else None
    delta = None if one is None or other is None else other - one
    return Row(metric=metric, left=left, right=right, delta=delta)


def _figure(value: float, low: float | None = None, high: float | None = None) -> Figure:
    value_, low_, high_ = (
        figure if figure is not None and math.isfinite(figure) else None for figure in (value, low, high)
    )
    return Figure(value=value_, low=low_, high=high_)
