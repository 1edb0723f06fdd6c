"""What the variants of a canary did lately: a bounded number of answers of each, cheap to keep."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finml.routing.rules import Canary

MOST_ANSWERS = 2000
"""Answers a variant that are kept: enough to tell 2 % of errors from none, few enough to be recent."""


@dataclass(frozen=True)
class Sample:
    """The last answers of one variant.

    Attributes:
        errors: how many of the `n` failed.
        latencies_s: of those that did not fail, sorted.
        scores: those that are finite numbers, sorted.
    """

    n: int
    errors: int
    latencies_s: NDArray[np.float64]
    scores: NDArray[np.float64]


class Watch:
    """The answers of both variants of one canary."""

    def __init__(self, canary: Canary) -> None:
        self.canary = canary
        self.seen = {"champion": 0, "challenger": 0}
        self._kept: dict[str, deque[tuple[bool, float, float | None]]] = {
            variant: deque(maxlen=MOST_ANSWERS) for variant in self.seen
        }
        self._lock = threading.Lock()

    def observe(self, variant: str, ok: bool, latency_s: float, score: float | None) -> None:
        """Keep one answer; those of other variants count for nothing."""
        kept = self._kept.get(variant)
        if kept is not None:
            with self._lock:
                kept.append((ok, latency_s, score))
                self.seen[variant] += 1

    def sample(self, variant: str) -> Sample:
        """What is kept of a variant."""
        with self._lock:
            kept = self._kept[variant].copy()
        scores = np.array([score for _, _, score in kept if score is not None], dtype=float)
        return Sample(
            n=len(kept),
            errors=sum(not ok for ok, _, _ in kept),
            latencies_s=np.sort(np.array([latency for ok, latency, _ in kept if ok], dtype=float)),
            scores=np.sort(scores[np.isfinite(scores)]),
        )
