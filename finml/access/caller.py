"""A caller that has shown who it is."""

from dataclasses import dataclass

from finml.access.scopes import Scopes
from finml.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a caller may ask for.

    Attributes:
        rate_per_s: requests a second to a model, in the long run.
        burst: requests that may come at once.
        daily_quota: inputs a UTC day over all models; `None`: as many as come.
    """

    rate_per_s: float
    burst: int
    daily_quota: int | None = None

    @classmethod
    def default(cls, settings: Settings) -> "Limits":
        """Those of a caller for which nothing else is said."""
        return cls(settings.rate_per_s, settings.rate_burst, settings.daily_quota)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, without anything that may not be logged.

    Attributes:
        id: id of the API key; `jwt:` and a stand-in for the token's subject; or `open`.
        scopes: what it may do.
        limits: how much of it.
    """

    id: str
    scopes: Scopes
    limits: Limits
