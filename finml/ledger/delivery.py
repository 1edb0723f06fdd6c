"""What a source delivers, checked: headers as a whole, rows one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from finml.errors import ContractError
from finml.ledger.checks import Mask, failures, to_frame
from finml.ledger.conform import conform
from finml.ledger.contracts import CONTRACTS
from finml.ledger.declaration import TableContract
from finml.ledger.quarantine import line_as_json, merged, reasons_by_row, rows_as_json
from finml.ledger.source import LedgerSource, RawBatch

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CheckedBatch:
    """Rows with the contract's types, and what is wrong with each.

    Attributes:
        rows: table of the contract's `arrow_schema`.
        reasons: what each row breaks of its contract, as `column: words`; `None` for a good row.
        raw: each bad row as it was delivered, as JSON; `None` for a good row.
    """

    rows: "pa.Table"
    reasons: Sequence[list[str] | None]
    raw: Sequence[str | None]


@dataclass(frozen=True)
class Wanted:
    """Which rows an incremental ingestion wants.

    Attributes:
        since: rows last changed at or after this time; `None` wants all. Rows without a readable time too.
        keys: primary keys of rows that are wanted whenever they changed.
    """

    since: datetime | None = None
    keys: tuple[str, ...] = ()

    def mask(self, contract: TableContract, rows: "pa.Table") -> Mask:
        """Which of the typed `rows` are wanted."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.since is None:
            return np.ones(rows.num_rows, dtype=bool)
        changed = pc.fill_null(pc.greater_equal(rows.column("updated_at"), pa.scalar(self.since)), True)
        known = pc.is_in(rows.column(contract.primary_key), pa.array(self.keys, pa.string()))
        mask: Mask = pc.or_(changed, known).to_numpy()
        return mask


def check_headers(source: LedgerSource) -> list[str]:
    """Check that the ledger has the tables and columns of the contracts.

    Returns:
        Warnings about tables, files and columns that are too many.

    Raises:
        ContractError: a table or a column is missing, or a file is empty or unreadable; names each.
    """
    problems, warnings = [], []
    for table, contract in CONTRACTS.items():
        try:
            headers = source.headers(table)
        except ContractError as error:
            problems.append(str(error))
            continue
        if not headers and not contract.optional:
            problems.append(f"the table {table} is missing")
        for header in headers:
            if missing := [name for name in contract.column_names if name not in header.columns]:
                problems.append(f"{header.place} has no column {', '.join(missing)}")
            if unknown := [name for name in header.columns if name not in contract.column_names]:
                warnings.append(
                    f"{header.place} has unknown columns, which are ignored: {', '.join(unknown)}"
                )
    if problems:
        raise ContractError(
            f"the ledger {source.place} breaks its contract: {'; '.join(problems)}",
            hint="deliver every table of the books, if need be without rows, and every column, empty where a "
            "value is not known; nothing was changed",
        )
    if strangers := source.strangers():
        more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
        warnings.append(f"the ledger holds what is no table of it, ignored: {', '.join(strangers[:5])}{more}")
    return warnings


def check_rows(source: LedgerSource, table: str) -> None:
    """Check that a table that has to have rows has some.

    Raises:
        ContractError: it has none.
    """
    if CONTRACTS[table].required and not source.has_rows(table):
        raise ContractError(
            f"the table {table} of the ledger {source.place} has no rows",
            hint="a ledger without any cannot be meant; nothing was changed",
        )


def checked_batches(
    source: LedgerSource, table: str, wanted: Wanted, now: datetime, batch_rows: int
) -> Iterator[CheckedBatch]:
    """The wanted rows of a table, each checked against its contract."""
    contract = CONTRACTS[table]
    for batch in source.batches(table, wanted.since, batch_rows, wanted.keys):
        checked = check_batch(contract, batch, wanted, now)
        if checked.rows.num_rows:
            yield checked


def check_batch(contract: TableContract, batch: RawBatch, wanted: Wanted, now: datetime) -> CheckedBatch:
    """Check the wanted rows of one batch.

    Args:
        contract: the table's contract.
        batch: rows as they were found.
        wanted: which of them to check; lines that are no rows are always wanted.
        now: naive UTC time after which nothing can have happened yet.
    """
    import pyarrow as pa

    conformed = conform(contract, batch.rows)
    mask = wanted.mask(contract, conformed.rows)
    raw_rows, rows, unreadable = batch.rows, conformed.rows, dict(conformed.unreadable)
    if not mask.all():
        keep = pa.array(mask)
        raw_rows, rows = raw_rows.filter(keep), rows.filter(keep)
        unreadable = {reason: rows_with_it[mask] for reason, rows_with_it in unreadable.items()}
    found = merged(unreadable, failures(contract.schema(now), to_frame(rows)))
    reasons = reasons_by_row(found, rows.num_rows)
    raw: list[str | None] = [None] * rows.num_rows
    bad = [index for index, reason in enumerate(reasons) if reason is not None]
    for index, text in zip(bad, rows_as_json(raw_rows.take(pa.array(bad, pa.int64()))), strict=True):
        raw[index] = text
    if batch.broken:
        nothing = pa.table(
            [pa.nulls(len(batch.broken), field.type) for field in rows.schema], schema=rows.schema
        )
        rows = pa.concat_tables([rows, nothing])
        reasons += [[f"line: {line.words}"] for line in batch.broken]
        raw += [line_as_json(line) for line in batch.broken]
    return CheckedBatch(rows, reasons, raw)
