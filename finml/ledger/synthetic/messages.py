"""What the users of a block typed, with what it asks for and what it names."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from finml.ledger.synthetic.calendar import DAY, HOUR, SECOND, Calendar
from finml.ledger.synthetic.columns import Table, ids, moments
from finml.ledger.synthetic.config import MESSAGE_RATE
from finml.ledger.synthetic.draws import Draws, Ints, Purpose, pick
from finml.ledger.synthetic.population import Population
from finml.ledger.synthetic.sentences.compose import compose

_WAKES, _SLEEPS = 7 * HOUR, 24 * HOUR
_SEEDS = 2**53
"""As many seeds as a uniform number can tell apart."""


def messages_table(people: Population, calendar: Calendar, draws: Draws) -> Table:
    """The `messages` of a block: at most one a user and month, all labelled and annotated."""
    user, month, written, seed = _typed(calendar, draws)
    first_day = date(1970, 1, 1)
    messages = [
        compose(number, first_day + timedelta(days=day))
        for number, day in zip(seed.tolist(), (written // DAY).tolist(), strict=True)
    ]
    return pa.table(
        {
            "message_id": ids("m", people.number[user] * 1000 + month, digits=11),
            "user_id": ids("u", people.number[user]),
            "written_at": moments(written),
            "text": pa.array([message.text for message in messages], pa.string()),
            "language": pa.array([message.language for message in messages], pa.string()),
            "intents": pa.array([message.intents for message in messages], pa.string()),
            "spans": pa.array([message.spans for message in messages], pa.string()),
            "known_at": moments(written),
            "updated_at": moments(written),
        }
    )


def _typed(calendar: Calendar, draws: Draws) -> tuple[Ints, Ints, Ints, Ints]:
    """User, month, moment and seed of each message that the ledger knows."""
    parts = []
    for month in range(len(calendar)):
        u = draws.uniform(Purpose.MESSAGES, month, 4)
        user = np.flatnonzero(u[:, 0] < MESSAGE_RATE)
        second = (_WAKES + u[user, 2] * (_SLEEPS - _WAKES)) // SECOND
        written = calendar.at(
            month, 1 + pick(u[user, 1], calendar.days(month)), second.astype(np.int64) * SECOND
        )
        known = written < calendar.end
        seed = pick(u[user, 3], _SEEDS)
        parts.append(np.stack([user, np.full(len(user), month), written, seed])[:, known])
    user, month_of, written, seed = np.concatenate(parts, axis=1)
    return user, month_of, written, seed
