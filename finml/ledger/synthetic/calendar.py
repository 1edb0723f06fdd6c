"""The months that a synthetic ledger covers."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from finml.errors import UsageError
from finml.ledger.synthetic.draws import Ints
from finml.ledger.synthetic.festivals import Festival, festivals_in

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
"""Times are whole microseconds since 1970, as the ledger's timestamps are."""

FIRST_MONTH = np.datetime64("2023-01", "M")
LAST_MONTH = np.datetime64("2025-12", "M")
MAX_MONTHS = 120
"""Memory grows with the months, for a block is held from its first month to its last."""


@dataclass(frozen=True)
class Calendar:
    """Months of a ledger.

    Attributes:
        starts: first moment of each month, microseconds since 1970; one more than there are months.
        months: calendar months.
        end: moment at which the ledger was taken; nothing known later is in it.
    """

    starts: Ints
    months: tuple[np.datetime64, ...]
    end: int

    @classmethod
    def covering(cls, months: int, end: date | None) -> "Calendar":
        """The calendar of `months` months up to the day `end`, itself included.

        Without `end` the first month is January 2023, so that a longer ledger continues a shorter one. One
        of more than 36 months ends with 2025 and starts earlier.

        Raises:
            UsageError: there are fewer than 1 or more than `MAX_MONTHS` months.
        """
        if not 1 <= months <= MAX_MONTHS:
            raise UsageError(
                f"a ledger of {months} months cannot be generated", hint=f"ask for 1 to {MAX_MONTHS}"
            )
        if end is None:
            first = min(FIRST_MONTH, LAST_MONTH - (months - 1))
        else:
            first = np.datetime64(end, "M") - (months - 1)
        names = first + np.arange(months + 1)
        starts = names.astype("datetime64[us]").astype(np.int64)
        stop = int(starts[-1]) if end is None else int(np.datetime64(end, "us").astype(np.int64)) + DAY
        return cls(starts, tuple(names[:-1]), stop)

    def __len__(self) -> int:
        return len(self.months)

    def at(self, month: int, day: Ints | int, time: Ints | int = 0) -> Ints:
        """Moments in a month: the day counts from 1, the time is microseconds since midnight."""
        return np.asarray(self.starts[month] + (np.asarray(day) - 1) * DAY + time, dtype=np.int64)

    def days(self, month: int) -> int:
        """Days that a month has."""
        return int((self.starts[month + 1] - self.starts[month]) // DAY)

    def number(self, month: int) -> int:
        """Month of the year, 1 to 12."""
        return int(self.months[month].astype(int) % 12) + 1

    def festivals(self, month: int) -> list[Festival]:
        """Festivals of a month."""
        return festivals_in(int(self.months[month].astype(int) // 12) + 1970, self.number(month))
