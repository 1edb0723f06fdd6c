"""A user's own spending, drawn to what users spend on average: partial pooling.

A user's month is `typical * (scale * shape + shift) + noise`: the category's shape (1 in an average month)
scaled, and an amount that does not follow the seasons. Before anything is known of the user, scale is 1 and
shift 0: the mean user. How far users lie from the mean user and how much one user's months differ is
estimated from a sample of users, so that a long and quiet history moves the answer more than a short and
restless one. With a normal prior and normal noise the answer is a formula, and needs no fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# a user's own spread of months counts beside that of all users as if theirs were seen so often
PRIOR_MONTHS = 4.0
LEAST_NOISE = 0.05
# months that a user of the sample needs, and users that a sample needs
LEAST_MONTHS, LEAST_USERS = 4, 5
LEAST_BETWEEN = 1e-4
SHAPE_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the spread between users that may lie in the scale, the rest in the shift."""


@dataclass(frozen=True)
class UserPool:
    """What a sample of users says of a category, in shares of the typical amount.

    Attributes:
        typical: what the mean user spends in an average month.
        between: variance of users' levels.
        within: variance of one user's months around the level.
        shape_share: share of `between` that lies in the scale.
        factor: multiplies the standard deviation into half an 80 % interval.
        users: users in the sample.
    """

    typical: float
    between: float
    within: float
    shape_share: float
    factor: float
    users: int

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "UserPool":
        """The inverse of `to_dict`."""
        return cls(**document)

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    def posterior(self, spent: Floats, shape: Floats) -> "Level":
        """What is known of a user after k months.

        Args:
            spent: k amounts, NaN where a month is unknown.
            shape: the category's shape in the same months.
        """
        known = np.isfinite(spent)
        seen = spent[known] / self.typical
        design = np.column_stack([shape[known], np.ones(known.sum())])
        noise = self._noise(seen)
        prior = np.diag(
            [
                max(self.between * self.shape_share, LEAST_BETWEEN),
                max(self.between * (1 - self.shape_share), LEAST_BETWEEN),
            ]
        )
        precision = np.linalg.inv(prior) + design.T @ design / noise
        covariance = np.linalg.inv(precision)
        mean = covariance @ (np.linalg.inv(prior) @ np.array([1.0, 0.0]) + design.T @ seen / noise)
        # share of the prior's uncertainty about the level of an average month that the history took away
        average = np.ones(2)
        left = float(average @ covariance @ average) / float(average @ prior @ average)
        return Level(
            scale=float(mean[0]),
            shift=float(mean[1]),
            covariance=covariance,
            noise=noise,
            weight=float(np.clip(1 - left, 0.0, 1.0)),
            months=int(known.sum()),
            pool=self,
        )

    def _noise(self, seen: Floats) -> float:
        """Variance of this user's months: their own, drawn to that of all users."""
        if len(seen) < 2:
            return max(self.within, LEAST_NOISE**2)
        own = float(np.var(seen, ddof=1)) * (len(seen) - 1)
        return max((PRIOR_MONTHS * self.within + own) / (PRIOR_MONTHS + len(seen) - 1), LEAST_NOISE**2)


@dataclass(frozen=True)
class Level:
    """A user's level, as far as it is known, in shares of the typical amount."""

    scale: float
    shift: float
    covariance: Floats
    noise: float
    weight: float
    months: int
    pool: UserPool

    def forecast(self, shape: Floats) -> tuple[Floats, Floats]:
        """Mean and half the 80 % interval of n months of that shape, in amounts."""
        design = np.column_stack([shape, np.ones(len(shape))])
        mean = np.maximum(self.scale * shape + self.shift, 0.0)
        variance = np.einsum("ij,jk,ik->i", design, self.covariance, design) + self.noise
        return mean * self.pool.typical, self.pool.factor * np.sqrt(variance) * self.pool.typical


def estimate(
    spent: Sequence[Floats], shapes: Sequence[Floats], *, history: int, ahead: int
) -> UserPool | None:
    """The pool of a category from a sample of users, or `None` where it says too little.

    Args:
        spent: months of each user, the oldest first.
        shapes: the category's shape in the same months.
        history: months that are known of a user when a forecast is made.
        ahead: months that are tried ahead, at most.
    """
    pairs = [(own, shape) for own, shape in zip(spent, shapes, strict=True) if len(own) >= LEAST_MONTHS]
    levels = np.array([np.sum(own) / np.sum(shape) for own, shape in pairs])
    typical = float(levels.mean()) if len(levels) else 0.0
    if len(levels) < LEAST_USERS or typical <= 0:
        return None
    rest = np.array(
        [
            np.var((own - level * shape) / typical, ddof=1)
            for (own, shape), level in zip(pairs, levels, strict=True)
        ]
    )
    lengths = np.array([len(own) for own, _ in pairs])
    within = float(np.mean(rest))
    sampling = float(np.mean(rest / lengths))
    between = max(float(np.var(levels / typical, ddof=1)) - sampling, LEAST_BETWEEN)
    tried = [
        _tried(UserPool(typical, between, within, share, 1.0, len(levels)), pairs, history, ahead)
        for share in SHAPE_SHARES
    ]
    best = int(np.argmin([float(np.mean(np.abs(errors))) for errors, _ in tried]))
    errors, spreads = tried[best]
    factor = float(np.quantile(np.abs(errors) / spreads, 0.8))
    return UserPool(typical, between, within, SHAPE_SHARES[best], max(factor, 0.01), len(levels))


def _tried(
    pool: UserPool, pairs: Sequence[tuple[Floats, Floats]], history: int, ahead: int
) -> tuple[Floats, Floats]:
    """Errors of the last months of every user, forecast from the months before, and the spreads stated."""
    errors, spreads = [], []
    for own, shape in pairs:
        # of those who never spend on a category nothing is asked, and their zeros would flatter the others
        if not own.any():
            continue
        cut = len(own) - min(ahead, len(own) // 2)
        begin = max(0, cut - history)
        mean, half = pool.posterior(own[begin:cut], shape[begin:cut]).forecast(shape[cut:])
        errors.append(own[cut:] - mean)
        spreads.append(half)
    return np.concatenate(errors), np.concatenate(spreads)
