"""Which parts a complete offline store has, and what the values of each depend on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from finml.errors import FeatureError
from finml.features import calendar as calendars
from finml.features.declarations import (
    CREDIT_HISTORY,
    SPENDING_HISTORY,
    STORED_VIEWS,
    TRANSACTION_HABITS,
    USER_FINANCIALS,
)
from finml.features.fingerprint import Fingerprints, spine_hash
from finml.features.questions import loan_questions, spending_questions, transaction_questions
from finml.features.tables import KEYS, LedgerTables
from finml.ledger.contracts import CONTRACTS, TABLES

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

EXACT = "exact"
"""Table in the engine with the users and moments that need a row of their own, and in which views."""
_Exact = tuple[str, datetime, str]
LOAN_VIEWS = (USER_FINANCIALS, CREDIT_HISTORY)
TRANSACTION_VIEWS = (TRANSACTION_HABITS,)
SPENDING_VIEWS = (SPENDING_HISTORY,)


@dataclass(frozen=True)
class Job:
    """A part that is wanted.

    Attributes:
        name: made of the latest moment, the kind and the fingerprint; equal names hold equal values.
        kind: `snapshot` or `exact`, see `offline.Part`.
        views: names of the views that it is wanted for.
        first: earliest moment in it, naive UTC.
        last: latest moment in it, naive UTC.
        fingerprint: hash of everything that its values depend on.
    """

    name: str
    kind: str
    views: tuple[str, ...]
    first: datetime
    last: datetime
    fingerprint: str

    @classmethod
    def of(
        cls, kind: str, views: tuple[str, ...], first: datetime, last: datetime, fingerprint: str
    ) -> "Job":
        """The job, named."""
        name = f"{last:%Y-%m-%dT%H%M%S}-{kind}-{fingerprint[:16]}"
        return cls(name, kind, views, first, last, fingerprint)


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
        at: more exact rows, of every view, than those that `questions` asks for.
    """
    first = (
        _extreme(backend, "min", "transactions", "occurred_at"),
        _extreme(backend, "min", "loan_payments", "due_at"),
    )
    start = min((moment for moment in first if moment is not None), default=now)
    snapshots = sorted({*calendars.moments(calendar, start, now), now})
    fingerprints = Fingerprints(backend)
    jobs = []
    for moment in snapshots:
        views = tuple(v.name for v in STORED_VIEWS if v.snapshots == "calendar" or moment == now)
        fingerprint = fingerprints.of(moment, views_text(views))
        jobs.append(Job.of("snapshot", views, moment, moment, fingerprint))
    for views, rows in _by_quarter(_exact_rows(backend, tables, snapshots, now, at)):
        moments = [moment for _, moment in rows]
        fingerprint = fingerprints.of(max(moments), views_text(views), spine_hash(rows))
        jobs.append(Job.of("exact", views, min(moments), max(moments), fingerprint))
    return jobs


def views_text(views: Sequence[str]) -> str:
    """Names of views as `EXACT` holds them."""
    return ",".join(views)


def _by_quarter(exact: list[_Exact]) -> Iterator[tuple[tuple[str, ...], list[tuple[str, datetime]]]]:
    """Views, and the users and moments of a quarter at which just those are wanted."""
    groups: dict[tuple[int, int, str], list[tuple[str, datetime]]] = {}
    for user_id, moment, views in exact:
        groups.setdefault((moment.year, (moment.month - 1) // 3, views), []).append((user_id, moment))
    for (_, _, views), rows in sorted(groups.items()):
        yield tuple(views.split(",")), rows


def _extreme(backend: "BaseBackend", function: str, table: str, column: str) -> datetime | None:
    found: datetime | None = backend.raw_sql(
        f"select {function}({column}) from ledger_{table}"  # noqa: S608  # nosec B608  # constants
    ).fetchone()[0]
    return found


def _exact_rows(
    backend: "BaseBackend",
    tables: LedgerTables,
    snapshots: list[datetime],
    now: datetime,
    at: Sequence[tuple[str, datetime]],
) -> list[_Exact]:
    """Users and moments at which a question was asked, with the views that hold no snapshot of them."""
    import ibis
    import pandas as pd

    questions = [
        (loan_questions(tables), LOAN_VIEWS),
        (transaction_questions(tables), TRANSACTION_VIEWS),
        (spending_questions(tables, now), SPENDING_VIEWS),
    ]
    if at:
        more = pd.DataFrame(list(at), columns=list(KEYS)).astype({"event_timestamp": "datetime64[us]"})
        questions.append((backend.create_table("asked", more, temp=True), STORED_VIEWS))
    wanted = ibis.union(
        *[
            asked.select(
                "user_id",
                event_timestamp=asked.event_timestamp.cast("timestamp(6)"),
                name_of_view=ibis.literal(view.name),
                place=ibis.literal(STORED_VIEWS.index(view)),
            )
            for asked, views in questions
            for view in views
        ],
        distinct=True,
    )
    users = tables.users.select("user_id", "known_at")
    known = wanted.filter(wanted.event_timestamp <= now).join(users, "user_id")
    everywhere = [view.name for view in STORED_VIEWS if view.snapshots == "calendar"]
    is_kept = (known.event_timestamp == now) | (
        known.name_of_view.isin(everywhere) & known.event_timestamp.isin(snapshots)
    )
    missing = known.filter(~(is_kept & (known.known_at <= known.event_timestamp)))
    exact = backend.create_table(
        EXACT,
        missing.group_by(*KEYS).agg(views=missing.name_of_view.group_concat(",", order_by=missing.place)),
    )
    rows: list[_Exact] = backend.raw_sql(backend.compile(exact)).fetchall()
    return rows
