"""Which parts a complete offline store has, and what the values of each depend on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from finml.errors import FeatureError
from finml.features import calendar as calendars
from finml.features.fingerprint import Fingerprints, spine_hash
from finml.features.tables import KEYS, LedgerTables
from finml.ledger.contracts import CONTRACTS, TABLES

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

EXACT = "exact"
"""Table in the engine with the users and moments that need a row of their own."""


@dataclass(frozen=True)
class Job:
    """A part that is wanted.

    Attributes:
        name: made of the latest moment, the kind and the fingerprint; equal names hold equal values.
        kind: `snapshot` or `exact`, see `offline.Part`.
        first: earliest moment in it, naive UTC.
        last: latest moment in it, naive UTC.
        fingerprint: hash of everything that its values depend on.
    """

    name: str
    kind: str
    first: datetime
    last: datetime
    fingerprint: str

    @classmethod
    def of(cls, kind: str, first: datetime, last: datetime, fingerprint: str) -> "Job":
        """The job, named."""
        name = f"{last:%Y-%m-%dT%H%M%S}-{kind}-{fingerprint[:16]}"
        return cls(name, kind, first, last, fingerprint)


def present(backend: "BaseBackend") -> datetime:
    """The latest moment at which the bank knew something new, or at which a question was asked.

    Raises:
        FeatureError: the ledger is empty.
    """
    # A row that only changed is news too, as a payment that arrived. When a label became known says nothing
    # of the user: it may be months after the last entry in the books. What lies beside the books says nothing
    # of them at all.
    latest = [
        _extreme(backend, "max", name, "as_of" if name == "loan_outcomes" else "updated_at")
        for name in TABLES
        if not CONTRACTS[name].optional
    ]
    moments = [moment for moment in latest if moment is not None]
    if not moments:
        raise FeatureError(
            "the ledger is empty, so there is nothing to build features from",
            hint="finml data generate, or finml data import",
        )
    return max(moments)


def plan(
    backend: "BaseBackend",
    tables: LedgerTables,
    *,
    calendar: str,
    now: datetime,
    at: Sequence[tuple[str, datetime]] = (),
) -> list[Job]:
    """The parts of a complete offline store. Leaves the exact rows in the engine's table `EXACT`.

    Args:
        backend: holds the ledger's tables as `ledger_<name>`.
        tables: the same tables as expressions.
        calendar: when snapshots are taken, from the first transaction or payment on.
        now: the ledger's present (naive UTC), the moment of the last snapshot.
        at: more exact rows than those that `loan_outcomes` asks for.
    """
    first = (
        _extreme(backend, "min", "transactions", "occurred_at"),
        _extreme(backend, "min", "loan_payments", "due_at"),
    )
    start = min((moment for moment in first if moment is not None), default=now)
    snapshots = sorted({*calendars.moments(calendar, start, now), now})
    fingerprints = Fingerprints(backend)
    jobs = [Job.of("snapshot", moment, moment, fingerprints.of(moment)) for moment in snapshots]
    months: dict[tuple[int, int], list[tuple[str, datetime]]] = {}
    for user_id, moment in _exact_rows(backend, tables, snapshots, now, at):
        months.setdefault((moment.year, moment.month), []).append((user_id, moment))
    for _, rows in sorted(months.items()):
        moments = [moment for _, moment in rows]
        fingerprint = fingerprints.of(max(moments), spine_hash(rows))
        jobs.append(Job.of("exact", min(moments), max(moments), fingerprint))
    return jobs


def _extreme(backend: "BaseBackend", function: str, table: str, column: str) -> datetime | None:
    found: datetime | None = backend.raw_sql(
        f"select {function}({column}) from ledger_{table}"  # noqa: S608 - constants
    ).fetchone()[0]
    return found


def _exact_rows(
    backend: "BaseBackend",
    tables: LedgerTables,
    snapshots: list[datetime],
    now: datetime,
    at: Sequence[tuple[str, datetime]],
) -> list[tuple[str, datetime]]:
    """Users and moments at which a question was asked and that no snapshot holds."""
    import pandas as pd

    outcomes, loans = tables.loan_outcomes, tables.loans
    asked = outcomes.join(loans.select("loan_id", "user_id"), "loan_id").select(
        "user_id", event_timestamp=outcomes.as_of
    )
    if at:
        more = pd.DataFrame(list(at), columns=list(KEYS)).astype({"event_timestamp": "datetime64[us]"})
        asked = asked.union(backend.create_table("asked", more, temp=True).select(*KEYS))
    users = tables.users.select("user_id", "known_at")
    known = asked.filter(asked.event_timestamp <= now).distinct().join(users, "user_id")
    in_snapshot = known.event_timestamp.isin(snapshots) & (known.known_at <= known.event_timestamp)
    exact = backend.create_table(EXACT, known.filter(~in_snapshot).select(*KEYS))
    rows: list[tuple[str, datetime]] = backend.raw_sql(backend.compile(exact)).fetchall()
    return rows
