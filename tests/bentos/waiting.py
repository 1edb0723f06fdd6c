"""Waiting for a condition."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], within_s: float = 180.0) -> float:
    """Seconds until a condition holds; fails where it does not in time."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, "it did not come to pass in time"
        time.sleep(0.02)
    return time.monotonic() - began
