"""Step `materialize`: from the offline to the online store."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def materialize(  # noqa: D417  # kfp shows what Returns says of the outputs
    *, ledger_url: str, features: dsl.Input[dsl.Dataset], freshness: dsl.Output[dsl.Markdown]
) -> None:
    """Bring the feature store's objects up to date, and the newest value of every user to the online store.

    A view whose newest values are online already is left alone.

    Args:
        ledger_url: The ledger; empty for the one of the settings.
        features: What was built; the step waits for it.

    Returns:
        freshness: How old the newest value of each feature view is.
    """
    from pathlib import Path

    from components.step import step
    from feature_repo import definitions
    from finml.features.materialize import materialize as materialize_views

    with step("materialize", ledger_url) as settings:
        fresh = materialize_views(settings, definitions(settings))
        Path(freshness.path).write_text(fresh.to_markdown(), encoding="utf-8")
        freshness.metadata["summary"] = ", ".join(f"{view.view} {view.status}" for view in fresh.views)
