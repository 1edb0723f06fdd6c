"""Random numbers that depend on who, when and what for, and on nothing else.

Each (seed, block of users, month, purpose) is a stream of its own of the counter-based generator Philox. So
user 7 in month 3 is the same whether ten users are generated or a million, for one year or for five.
"""

from enum import IntEnum, auto
from typing import Any

import numpy as np
import numpy.typing as npt

from finml.ledger.synthetic.config import BLOCK_USERS

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_KEY = 0x66696E6D6C
"""Second half of every key, so that finml's streams are not those of other users of the same seed."""


class Purpose(IntEnum):
    """What a stream is used for."""

    POPULATION = auto()
    SHOCK = auto()
    ILLNESS = auto()
    INCOME = auto()
    BILLS = auto()
    SPENDING = auto()
    FESTIVAL = auto()
    CARD = auto()
    CARD_PURCHASE = auto()
    APPLICATION = auto()
    REPAYMENT = auto()
    BILLING = auto()
    JOURNAL = auto()
    PARTNERS = auto()
    MESSAGES = auto()
    ODD_JOURNAL = auto()
    ODD_REGULARS = auto()
    ODD_PURCHASES = auto()


class Draws:
    """The random numbers of one block of users.

    Args:
        seed: seed of the bank.
        block: number of the block.
        size: users of the block that are wanted, at most `BLOCK_USERS`.
    """

    def __init__(self, seed: int, block: int, size: int) -> None:
        self.seed = seed
        self.block = block
        self.size = size

    def uniform(self, purpose: Purpose, month: int, *shape: int) -> Floats:
        """Numbers in [0, 1), shape (users, *shape)."""
        return self._stream(purpose, month, 0).random((BLOCK_USERS, *shape))[: self.size]

    def normal(self, purpose: Purpose, month: int, *shape: int) -> Floats:
        """Standard normal numbers, shape (users, *shape)."""
        return self._stream(purpose, month, 1).standard_normal((BLOCK_USERS, *shape))[: self.size]

    def _stream(self, purpose: Purpose, month: int, kind: int) -> np.random.Generator:
        # The first counter word counts the numbers of the stream.
        counter = np.array([0, 2 * purpose + kind, month, self.block], dtype=np.uint64)
        key = np.array([self.seed, _KEY], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=counter))


def pick(u: Floats, count: int | Ints) -> Ints:
    """Turn uniform numbers into whole ones from 0 to `count` - 1."""
    whole: Ints = (u * count).astype(np.int64)
    return whole
