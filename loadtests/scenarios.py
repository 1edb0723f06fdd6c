"""Scenarios and their budgets, declared in `budgets.yaml`."""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finml.errors import UsageError

BUDGETS = Path(__file__).with_name("budgets.yaml")
MOST_INPUTS = 32


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Budget(_Declared):
    """What a scenario may cost at most, and must carry at least.

    Attributes:
        p95_ms: milliseconds within which 95 of 100 requests are answered, each route for itself.
        failure_share: share of requests that may fail.
        requests_per_s: requests a second that must be answered; where the rate rises in steps, the rate that
            must be within budget.
        shed_share: share of requests that may be refused by 429 or 503 with `Retry-After`.
        recovery_s: seconds after a spike within which all is within budget again.
        memory_mib_per_hour: MiB an hour by which the memory of the service may grow.
        drift: p95 of the last third of a run, over that of the first.
    """

    p95_ms: float = Field(gt=0)
    failure_share: float = Field(ge=0, lt=1)
    requests_per_s: float = Field(gt=0)
    shed_share: float = Field(0, ge=0, lt=1)
    recovery_s: float | None = Field(None, gt=0)
    memory_mib_per_hour: float | None = Field(None, gt=0)
    drift: float | None = Field(None, gt=0)


class Bursts(_Declared):
    """Phases in turns: `off_s` seconds at the usual rate, then `on_s` seconds at `factor` times that."""

    off_s: float = Field(gt=0)
    on_s: float = Field(gt=0)
    factor: float = Field(gt=1)


class Spike(_Declared):
    """Once, `after_s` seconds into the run, the rate is `factor` times the usual for `for_s` seconds."""

    after_s: int = Field(gt=0)
    for_s: int = Field(gt=0)
    factor: float = Field(gt=1)

    @property
    def end_s(self) -> int:
        """When it is over, in seconds into the run."""
        return self.after_s + self.for_s


class Steps(_Declared):
    """The rate is multiplied by `factor` every `every_s` seconds, until something breaks."""

    every_s: int = Field(gt=0)
    factor: float = Field(gt=1)


class Scenario(_Declared):
    """Who calls, how often and with what.

    With `rate_per_s` arrivals are open: requests are sent when they are due, whether or not earlier ones were
    answered. With `think_s` they are closed: each caller waits for its answer, then pauses.

    Attributes:
        users: callers, each with connections of its own.
        seconds: how long requests are sent.
        rate_per_s: requests a second of all callers together.
        think_s: least and most seconds that a caller waits between an answer and the next request.
        warmup_s: seconds at the start that are not judged.
        sizes: inputs a request, with the share of requests of that size.
        explain_share: share of requests that ask for reasons.
        mix: weight of each model among the requests; without one, every served model has the same.
        subjects: how many users requests are about; `None`: all that there are.
    """

    users: int = Field(ge=1, le=10_000)
    seconds: int = Field(ge=1, le=24 * 3600)
    rate_per_s: float | None = Field(None, gt=0)
    think_s: tuple[float, float] | None = None
    warmup_s: int = Field(0, ge=0)
    bursts: Bursts | None = None
    spike: Spike | None = None
    steps: Steps | None = None
    sizes: dict[int, float] = Field(min_length=1)
    explain_share: float = Field(ge=0, le=1)
    mix: dict[str, Annotated[float, Field(gt=0)]] = {}
    subjects: int | None = Field(None, ge=1)
    budget: Budget

    @property
    def is_open(self) -> bool:
        """Whether requests are sent when they are due, answers or not."""
        return self.rate_per_s is not None

    @model_validator(mode="after")
    def _shares_are_shares(self) -> Self:
        if any(not 1 <= size <= MOST_INPUTS for size in self.sizes):
            raise ValueError(f"sizes must lie between 1 and {MOST_INPUTS}")
        if any(share <= 0 for share in self.sizes.values()) or abs(sum(self.sizes.values()) - 1) > 1e-9:
            raise ValueError("the shares of the sizes must be positive and sum to 1")
        return self

    @model_validator(mode="after")
    def _load_can_be_meant(self) -> Self:
        if (self.rate_per_s is None) == (self.think_s is None):
            raise ValueError("name either rate_per_s (open arrivals) or think_s (callers that wait)")
        if self.think_s and not 0 <= self.think_s[0] <= self.think_s[1]:
            raise ValueError("think_s must be two pauses, the shorter first")
        if self.warmup_s >= self.seconds:
            raise ValueError("warmup_s must be shorter than the run")
        if self.spike and self.spike.end_s + (self.budget.recovery_s or 0) > self.seconds:
            raise ValueError("the run must last until the spike is over and recovered from")
        if self.steps and (self.bursts or self.spike or not self.is_open):
            raise ValueError("steps want a rate_per_s, and neither bursts nor a spike")
        return self


def load(path: Path = BUDGETS) -> dict[str, Scenario]:
    """The scenarios of a file, by name.

    Raises:
        UsageError: it cannot be read, or has keys or values that mean nothing; names each.
    """
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: Scenario.model_validate(body) for name, body in declared["scenarios"].items()}
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()
        )
        raise UsageError(f"a scenario of {path} cannot be used: {wrong}") from None
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{path} holds no scenarios: {error}", hint="see loadtests/budgets.yaml") from None
