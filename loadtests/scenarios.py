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
        requests_per_s: requests a second that must be answered.
    """

    p95_ms: float = Field(gt=0)
    failure_share: float = Field(ge=0, lt=1)
    requests_per_s: float = Field(gt=0)


class Scenario(_Declared):
    """Who calls, how often and with what.

    Attributes:
        users: callers at the same time; each waits for its answer.
        seconds: how long, after all callers have come.
        think_s: least and most seconds that a caller waits between an answer and the next request.
        sizes: inputs a request, with the share of requests of that size.
        explain_share: share of requests that ask for reasons.
        mix: weight of each model among the requests; without one, every served model has the same.
    """

    users: int = Field(ge=1)
    seconds: int = Field(ge=1, le=3600)
    think_s: tuple[float, float] = (0.0, 0.0)
    sizes: dict[int, float] = Field(min_length=1)
    explain_share: float = Field(ge=0, le=1)
    mix: dict[str, Annotated[float, Field(gt=0)]] = {}
    budget: Budget

    @model_validator(mode="after")
    def _shares_are_shares(self) -> Self:
        if any(not 1 <= size <= MOST_INPUTS for size in self.sizes):
            raise ValueError(f"sizes must lie between 1 and {MOST_INPUTS}")
        if any(share <= 0 for share in self.sizes.values()) or abs(sum(self.sizes.values()) - 1) > 1e-9:
            raise ValueError("the shares of the sizes must be positive and sum to 1")
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
