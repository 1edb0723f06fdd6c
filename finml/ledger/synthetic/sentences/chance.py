"""Choices of one message, all from one seed."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Random choices. Built on `random()` alone, the one method that Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311  # nosec B311  # sentences, no secrets

    def happens(self, share: float) -> bool:
        """True in a share of all cases."""
        return self._random() < share

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self._random() * count)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def scale(self, low: float, high: float) -> float:
        """A number between two, each order of size as likely as the next."""
        return float(low * (high / low) ** self._random())

    def of(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[self.below(len(options))]

    def digits(self, count: int) -> str:
        """A string of digits that does not begin with 0."""
        return str(self.between(10 ** (count - 1), 10**count - 1))

    def letters(self, count: int) -> str:
        """A string of capital letters."""
        return "".join(chr(65 + self.below(26)) for _ in range(count))
