"""The labelled rows of a ledger, as the feature store joins them."""

from pathlib import Path

import pandas as pd

from finml.models.spending.frames import USER

POPULATION = ""
"""Stands for everyone in `user_id` while features are joined: a feature store finds nothing under it."""


def spine(tables: Path) -> pd.DataFrame:
    """Monthly sums by category, with the moment that each month begins: what is known before it counts.

    Args:
        tables: folder of validated tables.
    """
    from finml.features.labels import spending_spine

    rows = spending_spine(tables)
    return rows.assign(
        **{USER: rows[USER].astype(object).where(rows[USER].notna(), POPULATION)},
        event_timestamp=pd.to_datetime(rows["ds"]).dt.tz_localize("UTC"),
    )
