"""Turning a booster's margin into a probability that can be believed.

Beta calibration (Kull, Silva Filho, Flach 2017): `logit(q) = a * ln(p) - b * ln(1 - p) + c` of the raw
probability p. With `a = b` it is Platt's scaling, with `a = b = 1, c = 0` the identity. Both keep the order
of the rows, so no AUC is lost, which isotonic steps would do. Stored as three numbers.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# with fewer rows of the rarer outcome, beta's third parameter fits noise
PLATT_BELOW = 1000
# slopes stay above this, so that a useless model is flattened and never turned upside down
LEAST_SLOPE = 0.01


@dataclass(frozen=True)
class Calibration:
    """Parameters of a fitted calibration, and how many rows they come from."""

    kind: Literal["platt", "beta"]
    a: float
    b: float
    c: float
    rows: int

    def probability(self, margin: npt.NDArray[Any]) -> Floats:
        """Calibrated probabilities of n margins (log-odds)."""
        raw = np.asarray(margin, dtype=np.float64)
        # -log(p) and -log(1 - p) of the raw probability, exact for large margins too
        logit = -self.a * np.logaddexp(0.0, -raw) + self.b * np.logaddexp(0.0, raw) + self.c
        return np.exp(-np.logaddexp(0.0, -logit))

    def to_dict(self) -> dict[str, Any]:
        """The calibration as JSON values."""
        return asdict(self)


def fit_calibration(margin: npt.NDArray[Any], label: npt.NDArray[Any], rows: npt.NDArray[Any]) -> Calibration:
    """Fit on out-of-fold margins by maximum likelihood: Platt for small samples, beta from `PLATT_BELOW` on.

    Args:
        margin: n margins of rows that the booster which scored them had not seen.
        label: n outcomes, 0 or 1, both present.
        rows: n positions of the rows in their frame; a row that was scored several times counts once.
    """
    from scipy.optimize import minimize

    raw, outcome = np.asarray(margin, dtype=np.float64), np.asarray(label, dtype=np.float64)
    good, bad = np.logaddexp(0.0, -raw), np.logaddexp(0.0, raw)
    distinct, first = np.unique(rows, return_index=True)
    defaults = outcome[first].sum()
    beta = min(defaults, len(distinct) - defaults) >= PLATT_BELOW
    basis = np.stack([-good, bad, np.ones_like(raw)] if beta else [bad - good, np.ones_like(raw)], axis=1)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logit = basis @ parameters
        residual = np.exp(-np.logaddexp(0.0, -logit)) - outcome
        return float(np.mean(np.logaddexp(0.0, logit) - outcome * logit)), basis.T @ residual / len(raw)

    slopes = basis.shape[1] - 1
    fitted = minimize(
        loss,
        np.array([1.0] * slopes + [0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_SLOPE, None)] * slopes + [(None, None)],
    ).x
    return Calibration(
        kind="beta" if beta else "platt",
        a=float(fitted[0]),
        b=float(fitted[slopes - 1]),
        c=float(fitted[-1]),
        rows=len(distinct),
    )
