"""Which transactions of a block somebody has looked at, and what they found."""

import numpy as np
import pyarrow as pa

from finml.ledger.synthetic.calendar import DAY, SECOND, Calendar
from finml.ledger.synthetic.columns import Table, moments, words
from finml.ledger.synthetic.config import HONEST_REVIEWED_SHARE, REVIEW_DAYS, REVIEWED_SHARE
from finml.ledger.synthetic.oddity import ANOMALIES, Oddity
from finml.ledger.synthetic.population import Population
from finml.ledger.synthetic.tables import Rows, transaction_ids

KINDS = tuple(oddity.name.lower() for oddity in ANOMALIES)
_SHARES = np.array(
    [
        {Oddity.NONE: REVIEWED_SHARE, Oddity.HONEST_LARGE: HONEST_REVIEWED_SHARE}.get(oddity, 1.0)
        for oddity in Oddity
    ]
)
"""Share of the transactions that are reviewed, by oddity."""


def transaction_labels_table(people: Population, calendar: Calendar, rows: Rows) -> Table:
    """The `transaction_labels` of a block: every anomaly, and some transactions that are none.

    Args:
        people: the users.
        calendar: the months.
        rows: what `known_transactions` found.
    """
    share = _SHARES[rows["oddity"]]
    first, last = REVIEW_DAYS
    days = first + rows["review"] / share * (last - first)
    reviewed = rows["known"] + (days * (DAY // SECOND)).astype(np.int64) * SECOND
    chosen = (rows["review"] < share) & (reviewed < calendar.end)
    kind = rows["oddity"][chosen] - ANOMALIES[0]
    times = moments(reviewed[chosen])
    return pa.table(
        {
            "transaction_id": transaction_ids(
                people, {field: rows[field][chosen] for field in ("user", "number")}
            ),
            "anomalous": kind >= 0,
            "kind": words(KINDS, kind),
            "reviewed_at": times,
            "known_at": times,
            "updated_at": times,
        }
    )
