"""What can be unusual about a transaction."""

from enum import IntEnum


class Oddity(IntEnum):
    """What is unusual about a transaction; those up to `HONEST_LARGE` are no anomalies."""

    NONE = 0
    HONEST_LARGE = 1
    AMOUNT_SPIKE = 2
    NEW_MERCHANT_LARGE = 3
    BURST = 4
    DUPLICATE = 5
    RECURRING_OFF = 6


ANOMALIES = tuple(oddity for oddity in Oddity if oddity > Oddity.HONEST_LARGE)
