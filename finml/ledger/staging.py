"""The delivery in the making: rows of one ingestion beside the warehouse, and the rules that span rows.

Rows are staged in a database of their own, so a delivery of any size needs little memory and a dead process
leaves the warehouse untouched. When a table is complete, set-based SQL judges its keys.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from finml.ledger.contracts import CONTRACTS
from finml.ledger.declaration import TableContract
from finml.ledger.statements import Fragment, create_table, identifier, statement

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BESIDE = (
    "position BIGINT",
    "delivered BOOLEAN",
    "reasons TEXT[]",
    "raw TEXT",
    "waiting BOOLEAN",
)
_REFUSED = """
    CREATE TABLE staging.refused (
        table_name TEXT, row_key TEXT, reasons TEXT[], "row" TEXT, fingerprint TEXT, waiting BOOLEAN,
        delivered BOOLEAN, known BOOLEAN
    );
    CREATE TABLE staging.superseded (table_name TEXT, "rows" BIGINT);
"""
_REPEATS = """
    CREATE OR REPLACE TEMP TABLE repeats AS
    WITH candidates AS (
        SELECT position, {key} AS key, delivered, updated_at, delivered AND reasons IS NULL AS good,
            CAST(json_object({content}) AS TEXT) AS content
        FROM staging.{table}
        WHERE {key} IN (SELECT {key} FROM staging.{table} GROUP BY ALL HAVING count(*) > 1)
    )
    SELECT position, CASE
        WHEN updated_at < max(updated_at) OVER (PARTITION BY key) THEN 'superseded'
        WHEN NOT delivered AND bool_or(delivered) OVER same THEN 'superseded'
        WHEN good AND min(content) FILTER (good) OVER same <> max(content) FILTER (good) OVER same
            THEN 'contradiction'
        WHEN good AND position > min(position) FILTER (good) OVER same THEN 'repetition'
    END AS verdict
    FROM candidates WINDOW same AS (PARTITION BY key, updated_at)
"""
_ORPHANS = """
    CREATE OR REPLACE TEMP TABLE orphans AS
    SELECT position, s.{column} IN (SELECT row_key FROM ({refused}) WHERE row_key IS NOT NULL) AS quarantined
    FROM staging.{table} AS s ANTI JOIN ({there}) AS parent ON s.{column} = parent.key
    WHERE s.{column} IS NOT NULL
"""
_VERDICTS = """
    CREATE TABLE staging.{verdicts} AS SELECT s.position, CASE
        WHEN t.{key} IS NULL THEN 'new'
        WHEN t.updated_at > s.updated_at THEN 'superseded'
        WHEN {same} THEN 'unchanged'
        ELSE 'changed'
    END AS verdict
    FROM staging.{table} AS s LEFT JOIN main.{table} AS t ON t.{key} = s.{key} WHERE s.reasons IS NULL
"""
_REFUSE = """
    INSERT INTO staging.refused
    SELECT *, {known} FROM (
        SELECT $table, {key}, reasons, coalesce(s.raw, CAST(json_object({content}) AS TEXT)) AS raw_row,
            md5(raw_row) AS fingerprint, coalesce(waiting, false), delivered
        FROM staging.{table} AS s WHERE reasons IS NOT NULL
    )
"""


class Staging:
    """Rows of one ingestion, table by table, parents first.

    Args:
        connection: the warehouse, with an empty database attached as `staging`.
        afresh: the delivery is the whole ledger, and what the warehouse holds will be forgotten.
    """

    def __init__(self, connection: "duckdb.DuckDBPyConnection", *, afresh: bool) -> None:
        self._connection = connection
        self._afresh = afresh
        self._positions = dict.fromkeys(CONTRACTS, 0)
        connection.execute(_REFUSED)
        for contract in CONTRACTS.values():
            connection.execute(create_table(contract, "CREATE TABLE", "staging", _BESIDE))

    def add(
        self,
        table: str,
        rows: "pa.Table",
        *,
        reasons: Sequence[list[str] | None],
        raw: Sequence[str | None],
        delivered: bool,
    ) -> None:
        """Stage rows.

        Args:
            table: the table.
            rows: rows of the contract's `arrow_schema`.
            reasons: what each row breaks of its contract; `None` for a good row.
            raw: each bad row as it was delivered, as JSON; `None` for a good row.
            delivered: whether the rows come from the ledger, and not out of the quarantine.
        """
        import pyarrow as pa

        size, first = rows.num_rows, self._positions[table]
        self._positions[table] += size
        beside = (
            pa.array(range(first, first + size), pa.int64()),
            pa.repeat(delivered, size),
            pa.array(reasons, pa.list_(pa.string())),
            pa.array(raw, pa.string()),
            pa.nulls(size, pa.bool_()),
        )
        for definition, values in zip(_BESIDE, beside, strict=True):
            rows = rows.append_column(definition.partition(" ")[0], values)
        self._connection.register("incoming", rows)
        self._run("INSERT INTO staging.{table} SELECT * FROM incoming", table=table)
        self._connection.unregister("incoming")

    def judge(self, table: str) -> None:
        """Apply the rules on keys to a table whose rows are all staged and whose parents are judged.

        Afterwards each staged row without reasons is good, each other one is in `staging.refused`, and unless
        all is read afresh `staging.verdicts_<table>` says how good ones compare with the warehouse.
        """
        contract = CONTRACTS[table]
        if self._positions[table]:
            self._judge_repeats(contract)
            for column, parent in contract.foreign_keys.items():
                self._judge_parents(contract, column, CONTRACTS[parent])
            self._refuse(contract)
        if not self._afresh:
            key = contract.primary_key
            equal = (
                f"s.{identifier(n)} IS NOT DISTINCT FROM t.{identifier(n)}" for n in contract.column_names
            )
            same, verdicts = Fragment(" AND ".join(equal)), f"verdicts_{table}"
            self._run(_VERDICTS, verdicts=verdicts, table=table, key=key, same=same)

    def _judge_repeats(self, contract: TableContract) -> None:
        """Of rows that share a key only the newest count: equal ones once, contradicting ones not at all.

        A newest row that is bad does not make room for an older one: whether the older is read at all may
        depend on the watermark, and an ingestion that is repeated must not find more than the first.
        """
        table, key = contract.name, contract.primary_key
        self._run(_REPEATS, table=table, key=key, content=_content(contract))
        self._run(
            """
            INSERT INTO staging.superseded
            SELECT $table, count(*) FROM repeats WHERE verdict = 'superseded'
            """,
            {"table": table},
        )
        self._run(
            """
            DELETE FROM staging.{table} USING repeats
            WHERE repeats.position = {table}.position AND repeats.verdict = 'superseded'
            """,
            table=table,
        )
        self._run(
            """
            UPDATE staging.{table} AS s
            SET reasons = [CASE verdict WHEN 'repetition' THEN $repetition ELSE $contradiction END]
            FROM repeats WHERE repeats.position = s.position AND verdict IN ('repetition', 'contradiction')
            """,
            {
                "repetition": f"{key}: duplicate key, the row came more than once",
                "contradiction": f"{key}: duplicate key, the rows contradict each other",
            },
            table=table,
        )

    def _judge_parents(self, contract: TableContract, column: str, parent: TableContract) -> None:
        """A row whose parent is neither in the warehouse nor good in this delivery waits in quarantine."""
        there = "SELECT {parent_key} AS key FROM staging.{parent} WHERE reasons IS NULL"
        refused = "SELECT row_key FROM staging.refused WHERE table_name = $parent"
        if not self._afresh:
            there += " UNION ALL SELECT {parent_key} AS key FROM main.{parent}"
            refused += " UNION ALL SELECT row_key FROM state.quarantine WHERE table_name = $parent"
        self._run(
            _ORPHANS,
            {"parent": parent.name},
            table=contract.name,
            column=column,
            refused=Fragment(refused),
            there=Fragment(statement(there, parent=parent.name, parent_key=parent.primary_key)),
        )
        self._run(
            """
            UPDATE staging.{table} AS s SET
                waiting = raw IS NULL AND (reasons IS NULL OR waiting),
                reasons = list_append(
                    coalesce(reasons, []), CASE WHEN quarantined THEN $quarantined ELSE $missing END
                )
            FROM orphans WHERE orphans.position = s.position
            """,
            {
                "quarantined": f"{column}: its row in {parent.name} is in quarantine",
                "missing": f"{column}: no such row in {parent.name}",
            },
            table=contract.name,
        )

    def _refuse(self, contract: TableContract) -> None:
        known = "false"
        if not self._afresh:
            known = "fingerprint IN (SELECT fingerprint FROM state.quarantine WHERE table_name = $table)"
        self._run(
            _REFUSE,
            {"table": contract.name},
            table=contract.name,
            key=contract.primary_key,
            content=_content(contract),
            known=Fragment(known),
        )

    def _run(self, template: str, values: dict[str, Any] | None = None, **names: str) -> None:
        self._connection.execute(statement(template, **names), values)


def _content(contract: TableContract) -> Fragment:
    """Arguments of `json_object` for all of a row's columns."""
    return Fragment(", ".join(f"'{name}', {identifier(name)}" for name in contract.column_names))
