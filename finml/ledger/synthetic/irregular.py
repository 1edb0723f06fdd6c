"""Regular payments that go wrong: another amount than ever, or far off their day."""

from dataclasses import dataclass

import numpy as np

from finml.ledger.synthetic.config import MONTHS_OF_HABIT, REGULAR_OFF_RATE
from finml.ledger.synthetic.draws import Bools, Draws, Floats, Ints, Purpose, pick
from finml.ledger.synthetic.journal import Slot
from finml.ledger.synthetic.oddity import Oddity
from finml.ledger.synthetic.population import rupees

_REGULARS = np.array([Slot.RENT, Slot.UTILITIES, Slot.UTILITIES + 1, Slot.INSURANCE])
_OFF_DAY_SHARE = 0.35
_LEAST_TIMES, _MOST_TIMES = 1.8, 5.0
_LEAST_DAYS, _MORE_DAYS = 9, 4
_MIDDLE = 14


@dataclass(frozen=True)
class Irregular:
    """What goes wrong in a month, one element a user.

    Attributes:
        slot: place of the regular payment that goes wrong, below 0 for none.
        times: its amount over the right one.
        days: how far it is off its day.
    """

    slot: Ints
    times: Floats
    days: Ints

    @classmethod
    def draw(cls, draws: Draws, month: int) -> "Irregular":
        """Draw what goes wrong in a month."""
        u = draws.uniform(Purpose.ODD_REGULARS, month, 4)
        struck = (u[:, 0] < REGULAR_OFF_RATE) & (month >= MONTHS_OF_HABIT)
        by_day = u[:, 2] < _OFF_DAY_SHARE
        times = _LEAST_TIMES * (_MOST_TIMES / _LEAST_TIMES) ** u[:, 3]
        return cls(
            slot=np.where(struck, _REGULARS[pick(u[:, 1], len(_REGULARS))], -1),
            times=np.where(by_day, 1.0, times),
            days=np.where(by_day, _LEAST_DAYS + pick(u[:, 3], _MORE_DAYS + 1), 0),
        )

    def amount(self, slot: int, right: Ints) -> Ints:
        """What is paid in place of the right amount."""
        return np.where(self._hit(slot), rupees(right * self.times, 1), right)

    def day(self, slot: int, right: Ints) -> Ints:
        """When it is paid in place of the right day; it stays within the month."""
        off = np.where(right > _MIDDLE, right - self.days, right + self.days)
        return np.where(self._hit(slot), off, right)

    def oddity(self, slot: int) -> Ints:
        """Whether it is an anomaly."""
        return np.where(self._hit(slot), int(Oddity.RECURRING_OFF), int(Oddity.NONE))

    def _hit(self, slot: int) -> Bools:
        return np.asarray(self.slot == slot, dtype=np.bool_)
