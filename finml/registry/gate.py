"""The gate between a trained model and the registry: declared in `gate.yaml`, judged from an evaluation.

The verdict is a pure function of gate and evaluation, so whoever doubts one can compute it again.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finml.errors import RegistryError
from finml.models.base import Evaluation, GroupRow, Interval

Bound = Literal["low", "value", "high"]
SUBJECTS: dict[Bound, str] = {"low": "the low end of {}", "value": "{}", "high": "the high end of {}"}


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Threshold(_Declared):
    """A metric or scalar that must lie within limits. `bound` says which end of its interval must."""

    metric: str = Field(min_length=1)
    min: float | None = None
    max: float | None = None
    bound: Bound = "value"

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("needs min or max")
        return self


class ChampionRule(_Declared):
    """A limit on the paired difference, challenger less champion; `max_delta` where less is better."""

    metric: str = Field(min_length=1)
    min_delta: float | None = None
    max_delta: float | None = None
    bound: Bound = "value"

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.min_delta is None and self.max_delta is None:
            raise ValueError("needs min_delta or max_delta")
        return self


class FairnessRule(_Declared):
    """The least disparate impact among the groups of each attribute that have at least `min_group` rows.

    `unmeasured` says what becomes of an attribute with fewer than two such groups.
    """

    attributes: list[str] = Field(min_length=1)
    min_disparate_impact: float = Field(gt=0, le=1)
    min_group: int = Field(ge=1)
    unmeasured: Literal["skip", "fail"] = "skip"


class LatencyRule(_Declared):
    """Budget of one prediction in milliseconds, against the scalars `latency_p50_ms` and so on."""

    p50_ms: float | None = Field(None, gt=0)
    p95_ms: float | None = Field(None, gt=0)
    p99_ms: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_a_budget(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("needs p50_ms, p95_ms or p99_ms")
        return self


class Gate(_Declared):
    """What a model must show before it is registered, and whether a person must agree."""

    approval: Literal["automatic", "human"]
    thresholds: list[Threshold] = Field(min_length=1)
    champion: list[ChampionRule] = []
    fairness: FairnessRule | None = None
    latency: LatencyRule | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a `gate.yaml`.

        Raises:
            RegistryError: it is missing, is not YAML, or has keys or values that mean nothing; names each.
        """
        try:
            return cls.parse(path.read_text(encoding="utf-8"), origin=str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise RegistryError(
                f"the gate {path} cannot be read: {error}", hint="see docs/registry.md"
            ) from None

    @classmethod
    def parse(cls, text: str, origin: str) -> Self:
        """The same from text; `origin` names it in messages."""
        hint = "see docs/registry.md for the keys of a gate"
        try:
            return cls.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise RegistryError(f"the gate {origin} is not YAML: {error}", hint=hint) from None
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(str(part) for part in e['loc']) or 'the whole'}: {_words(e['type'], e['msg'])}"
                for e in error.errors()
            )
            raise RegistryError(f"the gate {origin} cannot be used: {wrong}", hint=hint) from None

    def to_yaml(self) -> str:
        """The gate as `load` reads it."""
        return yaml.safe_dump(self.model_dump(mode="json", exclude_none=True), sort_keys=False)


def _words(kind: str, message: str) -> str:
    return "unknown key" if kind == "extra_forbidden" else message


class Check(BaseModel):
    """One rule applied.

    Attributes:
        name: what was checked.
        value: the figure that was compared with the limit, or `None` where there is none.
        limit: the limit, or `None` where nothing could be compared.
        passed: whether the rule is kept; a skipped rule counts as kept.
        skipped: whether there was nothing to apply the rule to.
        words: the finding for people.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    value: float | None
    limit: float | None
    passed: bool
    skipped: bool = False
    words: str


class Verdict(BaseModel):
    """What the gate says, with every figure it looked at, and fingerprints of what it was computed from."""

    model_config = ConfigDict(frozen=True)

    model: str
    approved: bool
    approval: Literal["automatic", "human"]
    checks: list[Check]
    champion: str | None = None
    gate_sha256: str
    evaluation_sha256: str

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        failed = [check for check in self.checks if not check.passed]
        skipped = sum(check.skipped for check in self.checks)
        note = f", {skipped} skipped" if skipped else ""
        if not failed:
            return f"approved: {len(self.checks) - skipped} checks passed{note}"
        return f"rejected: {len(failed)} of {len(self.checks)} checks failed{note}: " + "; ".join(
            check.words for check in failed
        )

    def to_markdown(self) -> str:
        """The verdict as a page with one table."""
        lines = [
            f"# Gate of {self.model}: {'approved' if self.approved else 'rejected'}",
            "",
            f"Approval: {self.approval}. Champion: {self.champion or 'none'}.",
            "",
            "| check | figure | limit | result | finding |",
            "|---|---|---|---|---|",
        ]
        for check in self.checks:
            result = "skipped" if check.skipped else "passed" if check.passed else "**failed**"
            figures = ["-" if figure is None else f"{figure:.6g}" for figure in (check.value, check.limit)]
            cells = [check.name, *figures, result, check.words]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join(lines) + "\n"


def judge(gate: Gate, evaluation: Evaluation) -> Verdict:
    """Apply every rule of a gate to an evaluation; a figure that is missing or no number fails its rule."""
    checks = [check for rule in gate.thresholds for check in _threshold(rule, evaluation)]
    checks += [check for rule in gate.champion for check in _champion(rule, evaluation)]
    if gate.fairness:
        checks += [_fairness(gate.fairness, name, evaluation.groups) for name in gate.fairness.attributes]
    if gate.latency:
        for name, budget in gate.latency.model_dump(exclude_none=True).items():
            metric = f"latency_{name}"
            checks += _bounded(metric, _figure(evaluation, metric), None, budget, "value")
    return Verdict(
        model=evaluation.model,
        approved=all(check.passed for check in checks),
        # no figure says that a model is better than a champion of another kind, so a person has to
        approval="human" if gate.champion and evaluation.incomparable else gate.approval,
        checks=checks,
        champion=evaluation.champion,
        gate_sha256=fingerprint(gate),
        evaluation_sha256=fingerprint(evaluation),
    )


def fingerprint(document: BaseModel) -> str:
    """SHA-256 of a document's contents, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(document.model_dump(), sort_keys=True).encode()).hexdigest()


def _figure(evaluation: Evaluation, metric: str) -> Interval | float | None:
    return evaluation.metrics.get(metric, evaluation.scalars.get(metric))


def _threshold(rule: Threshold, evaluation: Evaluation) -> list[Check]:
    return _bounded(rule.metric, _figure(evaluation, rule.metric), rule.min, rule.max, rule.bound)


def _champion(rule: ChampionRule, evaluation: Evaluation) -> list[Check]:
    name = f"{rule.metric} less the champion's"
    if evaluation.champion is None and not evaluation.versus_champion:
        words = f"there is no champion yet, so {rule.metric} is compared with none"
        return [Check(name=name, value=None, limit=None, passed=True, skipped=True, words=words)]
    if evaluation.incomparable:
        words = f"{rule.metric} cannot be compared with the champion's: {evaluation.incomparable}"
        return [Check(name=name, value=None, limit=None, passed=True, skipped=True, words=words)]
    return _bounded(
        name, evaluation.versus_champion.get(rule.metric), rule.min_delta, rule.max_delta, rule.bound
    )


def _bounded(
    name: str, figure: Interval | float | None, least: float | None, most: float | None, bound: Bound
) -> list[Check]:
    """One check a limit: `figure`, or the end of its interval that `bound` names, against the limits."""
    subject = SUBJECTS[bound].format(name)
    interval = ""
    if isinstance(figure, Interval):
        value: float | None = {"low": figure.low, "value": figure.value, "high": figure.high}[bound]
        interval = f" ({figure.value:.4g}, 95 % interval {figure.low:.4g} to {figure.high:.4g})"
    else:
        value = figure if bound == "value" else None
    problem = ""
    if figure is None:
        problem = f"{name} is missing from the evaluation"
    elif value is None:
        problem = f"{name} has no interval, so that {subject} cannot be checked"
    elif not math.isfinite(value):
        problem, value = f"{subject} is not a finite number", None
    checks = []
    for limit, is_least in ((least, True), (most, False)):
        if limit is None:
            continue
        passed = value is not None and (value >= limit if is_least else value <= limit)
        relation = ("at least" if is_least else "at most") if passed else ("below" if is_least else "above")
        words = problem or f"{subject} is {value:.6g}, {relation} {limit:.6g}{interval}"
        checks.append(Check(name=subject, value=value, limit=limit, passed=passed, words=words))
    return checks


def _fairness(rule: FairnessRule, attribute: str, groups: list[GroupRow]) -> Check:
    """The least disparate impact of one attribute.

    A tiny group can be the most favoured one by chance, so the groups that count are related to the most
    favoured among them: dividing by their highest disparate impact does that, as all share one denominator.
    """
    name = f"disparate impact by {attribute}"
    limit = rule.min_disparate_impact
    rows = [row for row in groups if row.attribute == attribute]
    counted = [row for row in rows if row.n >= rule.min_group]
    small = ", ".join(f"{row.group} ({row.n})" for row in rows if row.n < rule.min_group)
    note = f"; groups with fewer than {rule.min_group} rows are left out: {small}" if small else ""
    if len(counted) < 2:
        skipped = rule.unmeasured == "skip"
        words = f"{name} is not measured: {len(counted)} of {len(rows)} groups are large enough{note}"
        return Check(name=name, value=None, limit=limit, passed=skipped, skipped=skipped, words=words)
    known = {row.group: row.disparate_impact for row in counted if row.disparate_impact is not None}
    known = {group: impact for group, impact in known.items() if math.isfinite(impact)}
    if len(known) < len(counted) or max(known.values()) <= 0:
        unknown = ", ".join(row.group for row in counted if row.group not in known) or "every group above 0"
        words = f"{name} has no figure for {unknown}{note}"
        return Check(name=name, value=None, limit=limit, passed=False, words=words)
    worst = min(known, key=lambda group: known[group])
    value = known[worst] / max(known.values())
    passed = value >= limit
    words = f"{name} is {value:.4g} for {worst}, {'at least' if passed else 'below'} {limit:.6g}{note}"
    return Check(name=name, value=value, limit=limit, passed=passed, words=words)
