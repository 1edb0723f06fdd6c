"""Which transactions of a block somebody has looked at, and what they found, as a table."""

from collections.abc import Mapping

import pyarrow as pa

from finml.ledger.synthetic.calendar import Calendar
from finml.ledger.synthetic.columns import Table, moments, words
from finml.ledger.synthetic.draws import Ints
from finml.ledger.synthetic.oddity import ANOMALIES
from finml.ledger.synthetic.population import Population
from finml.ledger.synthetic.tables import transaction_ids

KINDS = tuple(oddity.name.lower() for oddity in ANOMALIES)


def transaction_labels_table(people: Population, calendar: Calendar, reviewed: Mapping[str, Ints]) -> Table:
    """The `transaction_labels` of a block: every anomaly, and some transactions that are none.

    Args:
        people: the users.
        calendar: the months.
        reviewed: what `Journal.reviewed` returned.
    """
    known = reviewed["reviewed"] < calendar.end
    found = {field: values[known] for field, values in reviewed.items()}
    kind = found["oddity"] - ANOMALIES[0]
    times = moments(found["reviewed"])
    return pa.table(
        {
            "transaction_id": transaction_ids(people, found["user"], found["number"]),
            "anomalous": kind >= 0,
            "kind": words(KINDS, kind),
            "reviewed_at": times,
            "known_at": times,
            "updated_at": times,
        }
    )
