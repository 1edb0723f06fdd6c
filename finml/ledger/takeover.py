"""From the staged delivery into the warehouse: figures first, then all tables in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.declaration import TableContract
from finml.ledger.report import ReasonCount, TableReport
from finml.ledger.statements import create_table, listed, statement
from finml.ledger.warehouse import contracts_hash

if TYPE_CHECKING:
    import duckdb

log = structlog.get_logger(__name__)

_FORGET_QUARANTINE = """
    DELETE FROM state.quarantine AS q WHERE table_name = $table AND q.row_key IN (
        SELECT {key} FROM staging.{table} WHERE reasons IS NULL
        UNION ALL SELECT row_key FROM staging.refused WHERE table_name = $table AND delivered
    ) AND q.fingerprint NOT IN (SELECT fingerprint FROM staging.refused WHERE table_name = $table)
"""
_REFUSED_ONCE = """
    CREATE OR REPLACE TEMP TABLE refused_once AS
    SELECT DISTINCT ON (fingerprint) * FROM staging.refused WHERE table_name = $table
    ORDER BY waiting DESC, len(reasons), reasons
"""
_UPDATE_QUARANTINE = """
    UPDATE state.quarantine AS q SET reasons = r.reasons, waiting = r.waiting FROM refused_once AS r
    WHERE r.known AND q.table_name = $table AND r.fingerprint = q.fingerprint
        AND (r.reasons IS DISTINCT FROM q.reasons OR r.waiting IS DISTINCT FROM q.waiting)
"""
_ADD_QUARANTINE = """
    INSERT INTO state.quarantine
    SELECT table_name, row_key, reasons, "row", fingerprint, waiting, $ingestion, $now
    FROM refused_once WHERE NOT known
"""
_RECOVERED = """
    SELECT count(*) FROM state.quarantine AS q WHERE table_name = $table
    AND q.row_key IN (SELECT {key} FROM staging.{table} WHERE reasons IS NULL)
    AND q.fingerprint NOT IN (SELECT fingerprint FROM staging.refused WHERE table_name = $table)
"""
_REFUSED = """
    SELECT count(*) FILTER (delivered AND NOT known), count(*) FILTER (known OR NOT delivered)
    FROM staging.refused WHERE table_name = $table
"""
_SUPERSEDED = """
    SELECT coalesce(sum("rows"), 0) FROM staging.superseded WHERE table_name = $table
"""
_REASONS = """
    SELECT reason, count(*) FROM (
        SELECT unnest(reasons) AS reason FROM staging.refused WHERE table_name = $table
    ) GROUP BY reason ORDER BY count(*) DESC, reason
"""


class Takeover:
    """Brings a judged delivery into the warehouse.

    Args:
        connection: the warehouse, with the judged delivery attached as `staging`.
        afresh: the delivery is the whole ledger; what the warehouse holds is forgotten.
    """

    def __init__(self, connection: "duckdb.DuckDBPyConnection", *, afresh: bool) -> None:
        self._connection = connection
        self._afresh = afresh

    def figures(self, table: str, read: int, retried: int) -> TableReport:
        """What the delivery will do with a table, before it does it."""
        bound, kept, recovered = {"table": table}, 0, 0
        if self._afresh:
            good = "SELECT 'new', count(*) FROM staging.{table} WHERE reasons IS NULL"
            verdicts = dict(self._rows(good, table=table))
        else:
            kept = self._count("SELECT count(*) FROM main.{table}", table=table)
            recovered = self._count(_RECOVERED, bound, table=table, key=CONTRACTS[table].primary_key)
            counted = "SELECT verdict, count(*) FROM staging.{verdicts} GROUP BY verdict"
            verdicts = dict(self._rows(counted, verdicts=f"verdicts_{table}"))
        quarantined, again = self._rows(_REFUSED, bound)[0]
        new, reasons = verdicts.get("new", 0), self._rows(_REASONS, bound)
        return TableReport(
            table=table,
            read=read,
            retried=retried,
            new=new,
            changed=verdicts.get("changed", 0),
            unchanged=verdicts.get("unchanged", 0),
            superseded=verdicts.get("superseded", 0) + self._count(_SUPERSEDED, bound),
            quarantined=quarantined,
            known_quarantined=again,
            recovered=recovered,
            rows=kept + new,
            reasons=tuple(ReasonCount(reason=reason, rows=rows) for reason, rows in reasons),
        )

    def apply(self, ingestion_id: str, now: datetime, generation: str | None) -> Mapping[str, int]:
        """Take the delivery over, all tables or none.

        Returns:
            For each table its rows in quarantine afterwards.
        """
        self._connection.execute("BEGIN TRANSACTION")
        try:
            for contract in CONTRACTS.values():
                self._apply_rows(contract)
                self._apply_quarantine(contract, ingestion_id, now)
                self._move_watermark(contract.name)
                log.debug("table_taken_over", table=contract.name)
            self._run("DELETE FROM state.source")
            self._run("INSERT INTO state.source VALUES (?, ?)", [generation, contracts_hash()])
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        counted = "SELECT count(*) FROM state.quarantine WHERE table_name = $table"
        return {table: self._count(counted, {"table": table}) for table in TABLES}

    def _apply_rows(self, contract: TableContract) -> None:
        names = {
            "table": contract.name,
            "columns": listed(contract.column_names),
            "key": contract.primary_key,
        }
        if self._afresh:
            self._connection.execute(create_table(contract, "CREATE OR REPLACE TABLE"))
            self._run(
                "INSERT INTO main.{table} SELECT {columns} FROM staging.{table} WHERE reasons IS NULL",
                **names,
            )
            return
        names["verdicts"] = f"verdicts_{contract.name}"
        self._run(
            """
            DELETE FROM main.{table} WHERE {key} IN (
                SELECT s.{key} FROM staging.{table} AS s SEMI JOIN staging.{verdicts} AS v
                ON v.position = s.position AND v.verdict = 'changed'
            )
            """,
            **names,
        )
        self._run(
            """
            INSERT INTO main.{table} SELECT {columns} FROM staging.{table} AS s
            SEMI JOIN staging.{verdicts} AS v ON v.position = s.position AND v.verdict IN ('new', 'changed')
            """,
            **names,
        )

    def _apply_quarantine(self, contract: TableContract, ingestion_id: str, now: datetime) -> None:
        bound = {"table": contract.name}
        # copies of one row are one entry
        self._run(_REFUSED_ONCE, bound)
        if self._afresh:
            self._run("DELETE FROM state.quarantine WHERE table_name = $table", bound)
        else:
            self._run(_FORGET_QUARANTINE, bound, table=contract.name, key=contract.primary_key)
            self._run(_UPDATE_QUARANTINE, bound)
        self._run(_ADD_QUARANTINE, {"ingestion": ingestion_id, "now": now})

    def _move_watermark(self, table: str) -> None:
        """Only good rows move it: one bad row from the far future would hide all that come after."""
        bound = {"table": table}
        newest = "SELECT max(updated_at) FROM staging.{table} WHERE reasons IS NULL AND delivered"
        kept = (
            []
            if self._afresh
            else self._rows("SELECT updated_at FROM state.watermarks WHERE table_name = $table", bound)
        )
        seen = [row[0] for row in (*kept, *self._rows(newest, table=table)) if row[0] is not None]
        self._run("DELETE FROM state.watermarks WHERE table_name = $table", bound)
        if seen:
            self._run("INSERT INTO state.watermarks VALUES (?, ?)", [table, max(seen)])

    def _count(self, template: str, values: Any = None, **names: str) -> int:  # noqa: ANN401 - list or dict
        return int(self._rows(template, values, **names)[0][0])

    def _rows(self, template: str, values: Any = None, **names: str) -> list[tuple[Any, ...]]:  # noqa: ANN401 - as above
        return self._connection.execute(statement(template, **names), values).fetchall()  # type: ignore[no-any-return] # duckdb ships no types

    def _run(self, template: str, values: Any = None, **names: str) -> None:  # noqa: ANN401 - as above
        self._connection.execute(statement(template, **names), values)
