"""The contract of the routing file: for each model, which of its variants answers whom."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

Variant = Literal["champion", "challenger", "previous"]
Percent = Annotated[float, Field(ge=0, le=100)]
MINUTE = timedelta(minutes=1)


class Strict(BaseModel):
    """Base of all parts of the file: what is not known is refused, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Split(Strict):
    """Shares of users, in percent; the champion has the rest."""

    challenger: Percent = 0
    previous: Percent = 0

    @model_validator(mode="after")
    def _leave_none_below_zero(self) -> "Split":
        if self.challenger + self.previous > 100:
            raise ValueError("the shares are more than 100 percent")
        return self


class Step(Strict):
    """A share of users and for how long; the last step's share stays."""

    percent: Annotated[float, Field(gt=0, le=100)]
    minutes: Annotated[float, Field(gt=0, le=60 * 24 * 365)]


class Limits(Strict):
    """What a challenger may do before it is rolled back; `null` does not judge.

    Attributes:
        error_rate: by how much its share of failed answers may exceed the champion's.
        latency_ratio: how many times the champion's 95th percentile its own may be.
        p95_ms: milliseconds that its 95th percentile may be.
        score_shift: largest distance between the distributions of its and the champion's scores
            (Kolmogorov-Smirnov, 0 to 1).
    """

    error_rate: Annotated[float, Field(ge=0, lt=1)] | None = 0.02
    latency_ratio: Annotated[float, Field(ge=1)] | None = 1.5
    p95_ms: Annotated[float, Field(gt=0)] | None = None
    score_shift: Annotated[float, Field(ge=0, lt=1)] | None = 0.2

    @model_validator(mode="after")
    def _judge_something(self) -> "Limits":
        if all(limit is None for limit in self.model_dump().values()):
            raise ValueError("a canary without a limit is a split")
        return self


class Canary(Strict):
    """A share of users that grows by the clock, under limits.

    Attributes:
        min_requests: answers of the challenger below which a process does not judge it.
        started_at: from when the steps count.
    """

    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    limits: Limits = Limits()
    min_requests: Annotated[int, Field(ge=20)] = 100
    started_at: AwareDatetime

    @field_validator("steps")
    @classmethod
    def _only_grow(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        percents = [step.percent for step in steps]
        if percents != sorted(percents):
            raise ValueError("a step has a smaller share than the one before, and would take users back")
        return steps

    def percent_at(self, now: datetime) -> float:
        """The challenger's share at a moment."""
        begins = self.started_at
        percent = 0.0
        for step in self.steps:
            if now < begins:
                break
            percent = step.percent
            begins += step.minutes * MINUTE
        return percent


class RolledBack(Strict):
    """Why a canary was ended, left where it stood."""

    at: AwareDatetime
    reason: str
    figures: dict[str, float]
    canary: Canary


class Rule(Strict):
    """How one model is routed: exactly one of `to`, `split`, `shadow` and `canary`.

    Attributes:
        to: the one variant that answers everybody.
        split: an A/B test.
        shadow: a variant that scores what the champion answers, unseen.
        canary: a share that grows under limits.
        rolled_back: a note about the canary that was here before.
    """

    to: Literal["champion", "previous"] | None = None
    split: Split | None = None
    shadow: Literal["challenger", "previous"] | None = None
    canary: Canary | None = None
    rolled_back: RolledBack | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_a_word(cls, given: Any) -> Any:  # noqa: ANN401  # whatever YAML holds
        return {"to": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_way(self) -> "Rule":
        if sum(way is not None for way in (self.to, self.split, self.shadow, self.canary)) != 1:
            raise ValueError(
                "a model is routed in one way: champion, previous, or one of split, shadow, canary"
            )
        return self

    @property
    def variants(self) -> set[Variant]:
        """The variants that the rule needs beside the champion."""
        if self.split:
            shares: dict[Variant, float] = {
                "challenger": self.split.challenger,
                "previous": self.split.previous,
            }
            return {variant for variant, share in shares.items() if share}
        if self.canary:
            return {"challenger"}
        named: Variant | None = self.shadow or self.to
        return {named} - {"champion"} if named else set()

    @property
    def words(self) -> str:
        """The rule in one line."""
        if self.split:
            others = ((self.split.challenger, "challenger"), (self.split.previous, "previous"))
            return "split: " + ", ".join(f"{share:g} % {variant}" for share, variant in others if share)
        if self.canary:
            steps = ", ".join(f"{step.percent:g} % for {step.minutes:g} min" for step in self.canary.steps)
            return f"canary: {steps}"
        if self.shadow:
            return f"champion, {self.shadow} in its shadow"
        return str(self.to)


CHAMPION = Rule(to="champion")


class Routing(Strict):
    """The whole file.

    Attributes:
        salt: changes who is in which share; a new one draws all users anew.
        models: rules by model; a model that is not named is answered by its champion.
    """

    salt: str = "finml"
    models: dict[str, Rule] = {}

    def rule(self, model: str) -> Rule:
        """The rule of a model."""
        return self.models.get(model, CHAMPION)

    def with_rule(self, model: str, rule: Rule) -> "Routing":
        """The same with another rule for a model."""
        return self.model_copy(update={"models": self.models | {model: rule}})

    def without(self, model: str) -> "Routing":
        """The same with all of a model to its champion."""
        rest = {name: rule for name, rule in self.models.items() if name != model}
        return self.model_copy(update={"models": rest})
