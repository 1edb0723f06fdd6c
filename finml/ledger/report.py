"""What an ingestion did: figures a table, reasons, warnings, as data and as Markdown."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

SIZEABLE_DELIVERY = 1000
"""Rows from which on a delivery is judged by itself; a smaller one is judged as a part of its table."""
_TOP_REASONS = 20


class ReasonCount(BaseModel):
    """How many rows of a table were quarantined for a reason, given as `column: words`."""

    model_config = ConfigDict(frozen=True)

    reason: str
    rows: int


class TableReport(BaseModel):
    """What an ingestion did with one table.

    `read + retried` rows are `new + changed + unchanged + superseded + quarantined + known_quarantined`.

    Attributes:
        table: the table.
        read: rows that the ledger delivered.
        retried: rows whose parent had been missing and that were tried again.
        new: rows added.
        changed: rows that replaced an earlier version.
        unchanged: rows that were there already.
        superseded: rows of which a newer version is there, or came in the same delivery.
        quarantined: rows newly quarantined.
        known_quarantined: rows that came again, or were tried again, and are in quarantine already.
        recovered: rows that left the quarantine.
        in_quarantine: rows in quarantine afterwards.
        rows: rows of the table afterwards.
        reasons: why rows of this ingestion are in quarantine; a row can have several reasons.
    """

    model_config = ConfigDict(frozen=True)

    table: str
    read: int = 0
    retried: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    known_quarantined: int = 0
    recovered: int = 0
    in_quarantine: int = 0
    rows: int = 0
    reasons: tuple[ReasonCount, ...] = ()

    @property
    def judged(self) -> int:
        """The rows that newly quarantined ones are a share of.

        One bad row among the five that a quiet night brings is no reason to stop, a thousand among a thousand
        are, however large the table has become.
        """
        return self.read if self.read >= SIZEABLE_DELIVERY else max(self.read, self.rows + self.quarantined)

    @property
    def quarantined_share(self) -> float:
        """Newly quarantined rows as a share of the rows judged; what the limit is held against."""
        return self.quarantined / self.judged if self.judged else 0.0


class IngestReport(BaseModel):
    """What an ingestion did.

    Attributes:
        ingestion_id: name of this ingestion; quarantined rows carry it.
        ledger: URL of the ledger, without user and password.
        started_at: when it began, UTC.
        seconds: how long it took.
        everything: whether all rows were read, and not only those changed since the last ingestion.
        tables: one entry a table, parents before children.
        warnings: what was odd but no reason to refuse.
        refused: why nothing was taken over; empty if it was.
    """

    model_config = ConfigDict(frozen=True)

    ingestion_id: str
    ledger: str
    started_at: datetime
    seconds: float
    everything: bool
    tables: tuple[TableReport, ...]
    warnings: tuple[str, ...] = ()
    refused: str = ""

    def table(self, name: str) -> TableReport:
        """The entry of a table; `KeyError` if there is none."""
        return {entry.table: entry for entry in self.tables}[name]

    @property
    def changed_anything(self) -> bool:
        """Whether any validated table differs from before."""
        return not self.refused and any(entry.new or entry.changed for entry in self.tables)

    def refuse(self, why: str) -> Self:
        """The same report of an ingestion that was refused."""
        return self.model_copy(update={"refused": why})

    def to_markdown(self) -> str:
        """The report as a Markdown document."""
        columns = (
            "read",
            "new",
            "changed",
            "unchanged",
            "superseded",
            "quarantined",
            "in_quarantine",
            "rows",
        )
        lines = [
            f"# Ingestion {self.ingestion_id}",
            "",
            f"Ledger `{self.ledger}`, {self.started_at:%Y-%m-%d %H:%M:%S} UTC, {self.seconds:.1f} s, "
            f"{'all rows' if self.everything else 'rows that are new or changed'}.",
            "",
        ]
        if self.refused:
            lines += [f"**Refused; nothing was changed:** {self.refused}", ""]
        lines += [
            f"| table | {' | '.join(column.replace('_', ' ') for column in columns)} |",
            f"|---|{'--:|' * len(columns)}",
        ]
        lines += [
            f"| {entry.table} | {' | '.join(f'{getattr(entry, column):,}' for column in columns)} |"
            for entry in self.tables
        ]
        if any(entry.reasons for entry in self.tables):
            lines += ["", "## Quarantined", "", "| table | reason | rows |", "|---|---|--:|"]
        for entry in self.tables:
            lines += [f"| {entry.table} | {r.reason} | {r.rows:,} |" for r in entry.reasons[:_TOP_REASONS]]
            if (more := len(entry.reasons) - _TOP_REASONS) > 0:
                lines.append(f"| {entry.table} | {more} other reasons | |")
        if self.warnings:
            lines += ["", "## Warnings", "", *(f"- {warning}" for warning in self.warnings)]
        return "\n".join(lines) + "\n"
