"""Spending whose shape is known, for the tests of the model."""

import numpy as np
import pandas as pd

FIRST = "2021-01-01"


def monthly(
    name: str,
    months: int,
    *,
    level: float = 1000.0,
    growth: float = 0.01,
    noise: float = 0.02,
    swing=1.0,
    seed=0,
):
    """Rows of a series that grows, peaks in November and falls in February."""
    random = np.random.default_rng([seed, len(name), ord(name[0])])
    ds = pd.date_range(FIRST, periods=months, freq="MS")
    peaks = 0.3 * (ds.month == 11) - 0.15 * (ds.month == 2) + 0.1 * np.sin(2 * np.pi * ds.month / 12)
    season = 1 + swing * peaks
    y = level * (1 + growth) ** np.arange(months) * season * (1 + noise * random.standard_normal(months))
    return pd.DataFrame({"series": name, "user_id": None, "ds": ds, "y": y})


def population(months: int = 48) -> pd.DataFrame:
    """Series of every kind: long, additive, gapped, zero-heavy, short, single."""
    gapped = monthly("dining", months).drop(index=[5, 17]).reset_index(drop=True)
    rare = monthly("education", months).assign(y=lambda rows: rows["y"] * (rows["ds"].dt.month == 6))
    return pd.concat(
        [
            monthly("groceries", months),
            monthly("rent", months, noise=0.005, growth=0.0, swing=0.0),
            gapped,
            rare,
            monthly("gifts", months).tail(14),
            monthly("repairs", months).tail(4),
            monthly("visa", months).tail(1),
        ],
        ignore_index=True,
    )


def people(users: int = 40, months: int = 48, *, seed: int = 0) -> pd.DataFrame:
    """Rows of users: everyone has a level of groceries, half of them pay a rent that hardly changes."""
    random = np.random.default_rng(seed)
    parts = []
    for number in range(users):
        level = random.lognormal(3, 0.6)
        food = monthly("groceries", months, level=level, growth=0.0, noise=0.15, seed=100 + number)
        parts.append(food.assign(user_id=f"u{number}"))
        if number % 2:
            rent = monthly("rent", months, level=500, growth=0, noise=0.02, swing=0, seed=number)
            parts.append(rent.assign(user_id=f"u{number}"))
    return pd.concat(parts, ignore_index=True)


def daily(days: int = 150, *, seed: int = 0) -> pd.DataFrame:
    """A series by the day with a Saturday peak."""
    random = np.random.default_rng(seed)
    ds = pd.date_range("2024-01-01", periods=days, freq="D")
    y = 100 * (1 + 0.5 * (ds.dayofweek == 5)) * (1 + 0.05 * random.standard_normal(days))
    return pd.DataFrame({"series": "coffee", "user_id": None, "ds": ds, "y": y})


def weekly(weeks: int = 60, *, seed: int = 0) -> pd.DataFrame:
    """A series by the week."""
    random = np.random.default_rng(seed)
    ds = pd.date_range("2023-01-02", periods=weeks, freq="7D")
    return pd.DataFrame(
        {"series": "fuel", "user_id": None, "ds": ds, "y": 50 + 5 * random.standard_normal(weeks)}
    )
