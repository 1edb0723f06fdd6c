"""Step `ingest`: from the bank's ledger to validated tables."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def ingest(  # noqa: D417  # kfp shows what Returns says of the outputs
    *, ledger_url: str, tables: dsl.Output[dsl.Dataset], report: dsl.Output[dsl.Markdown]
) -> None:
    """Take what is new or changed in the ledger, check it, and keep the bad rows apart.

    Args:
        ledger_url: The ledger; empty for the one of the settings.

    Returns:
        tables: Folder with one Parquet file a table, all of it validated. Its metadata has the hash of the
            contents and the rows of each table.
        report: What was read, taken and quarantined, and why.
    """
    from pathlib import Path

    from components.step import step
    from finml.ledger.ingest import ingest as ingest_ledger
    from finml.ledger.warehouse import export

    with step("ingest", ledger_url) as settings:
        found = ingest_ledger(settings.ledger, settings.workspace, quarantine_limit=settings.quarantine_limit)
        Path(report.path).write_text(found.to_markdown(), encoding="utf-8")
        tables.metadata["data_hash"] = export(settings.workspace, Path(tables.path))
        tables.metadata["rows"] = {entry.table: entry.rows for entry in found.tables}
        counts = {
            what: sum(getattr(entry, what) for entry in found.tables)
            for what in ("rows", "new", "changed", "quarantined")
        }
        tables.metadata["summary"] = ", ".join(f"{count:,} {what}" for what, count in counts.items())
