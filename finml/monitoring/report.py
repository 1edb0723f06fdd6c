"""What a comparison of two versions says."""

from typing import Literal

from pydantic import BaseModel

Said = Literal["real", "not shown", "cannot be said yet"]


class Share(BaseModel):
    """A share with its 95 % interval (Wilson), of one look at answers taken for independent."""

    value: float
    low: float
    high: float
    n: int


class VariantFigures(BaseModel):
    """What one variant did. `loss` is `None` below one subject with an outcome."""

    variant: str
    version: str
    shadow: bool
    n: int
    users: int
    with_outcome: float
    error_rate: float
    latency_p50_ms: float
    latency_p95_ms: float
    loss: float | None
    loss_low: float | None
    loss_high: float | None
    auc: float | None
    shares: dict[str, Share]


class Difference(BaseModel):
    """Loss of the other variant less the champion's, below 0 where the other is better.

    The interval holds at all looks together; `p` is valid at any look.
    """

    paired: bool
    value: float
    low: float
    high: float
    p: float
    users: int
    said: Said
    more_users: int | None
    sentence: str


class SampleRatio(BaseModel):
    """Whether as many users came to the other variant as were sent there."""

    declared: float
    observed: float
    p: float
    mismatch: bool


class Report(BaseModel):
    """The comparison of two variants."""

    model: str
    loss: str
    variants: list[VariantFigures]
    split: Difference | None
    shadow: Difference | None
    sample_ratio: SampleRatio | None
    notes: list[str]
