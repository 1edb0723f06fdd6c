"""Step `build_features`: from validated tables to the offline store."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def build_features(  # noqa: D417  # kfp shows what Returns says of the outputs
    *,
    ledger_url: str,
    tables: dsl.Input[dsl.Dataset],
    features: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.Markdown],
) -> None:
    """Compute every feature as of each snapshot of the calendar and of each labelled moment.

    Snapshots whose rows are unchanged are not computed again.

    Args:
        ledger_url: The ledger; empty for the one of the settings.
        tables: The validated tables.

    Returns:
        features: What was built, as JSON. The rows themselves are in the offline store.
        report: The same for people.
    """
    from pathlib import Path

    from components.step import step
    from finml.features.build import build

    with step("build_features", ledger_url) as settings:
        built = build(Path(tables.path), settings, data_hash=tables.metadata["data_hash"])
        Path(features.path).write_text(built.model_dump_json(indent=2), encoding="utf-8")
        Path(report.path).write_text(built.to_markdown(), encoding="utf-8")
        features.metadata.update(data_hash=built.data_hash, rows=built.rows)
        features.metadata["summary"] = (
            f"{max(built.rows.values()):,} rows a view, "
            f"{len(built.built)} parts built, {len(built.reused)} unchanged"
        )
