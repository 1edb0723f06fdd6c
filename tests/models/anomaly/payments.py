"""Card payments of users with habits of their own, with anomalies among them; and a table of numbers."""

import numpy as np
import pandas as pd

from benchmarks.injections import inject

START = pd.Timestamp("2024-01-01")
DAYS = 240
USUAL = {"groceries": 800.0, "dining": 400.0, "transport": 200.0, "shopping": 1500.0}
"""Usual amounts by category."""
RARE = {"health": 600.0, "entertainment": 900.0}


def payments(users: int, *, seed: int = 0, each: int = 30) -> pd.DataFrame:
    """Payments with labels: everyone has hours, merchants and a size of their own, and pays a rent."""
    random = np.random.default_rng(seed)
    parts = [of_user(f"user-{seed}-{number:03}", random) for number in range(users)]
    return inject(pd.concat(parts, ignore_index=True), each, seed)


def of_user(user: str, random: np.random.Generator) -> pd.DataFrame:
    """About a payment a day, and a rent every thirty days."""
    count = int(random.integers(180, 260))
    scale, hour = random.lognormal(0, 0.5), random.uniform(9, 18)
    days = np.sort(random.integers(0, DAYS, count))
    seconds = np.clip(random.normal(hour, 2.5, count), 0, 23.9) * 3600
    category = random.choice(sorted(USUAL), count, p=[0.25, 0.4, 0.1, 0.25])
    rare = random.random(count) < 0.01
    category = np.where(rare, random.choice(sorted(RARE), count), category)
    usual = np.array([(USUAL | RARE)[name] for name in category])
    own = {name: random.choice(50, 4, replace=False) for name in USUAL | RARE}
    merchant = [f"{name} {own[name][int(random.integers(4))]}" for name in category]
    spent = pd.DataFrame(
        {
            "occurred_at": START + pd.to_timedelta(days * 86_400 + seconds.astype(int), unit="s"),
            "amount": (usual * scale * random.lognormal(0, 0.35, count)).round(2),
            "category": category,
            "merchant": merchant,
        }
    )
    months = np.arange(DAYS // 30)
    rent = pd.DataFrame(
        {
            "occurred_at": START + pd.to_timedelta(months * 30 + 2, unit="D") + pd.Timedelta("10h"),
            "amount": round(9_000 * scale, 2),
            "category": "rent",
            "merchant": f"landlord {random.integers(1000)}",
        }
    )
    return pd.concat([spent, rent]).assign(user_id=user, direction="debit")


def numbers(rows: int, *, anomalies: int, seed: int = 0) -> pd.DataFrame:
    """Correlated columns; an anomaly breaks the correlation and is usual in each column by itself."""
    random = np.random.default_rng(seed)
    base = random.normal(size=(rows, 2))
    table = pd.DataFrame(
        {
            "Time": np.arange(rows, dtype=float),
            "a": base[:, 0],
            "b": base[:, 0] + 0.05 * random.normal(size=rows),
            "c": base[:, 1],
            "d": random.normal(size=rows),
            "Class": 0,
        }
    )
    places = random.choice(rows, anomalies, replace=False)
    table.loc[places, "b"] = -table.loc[places, "a"] + np.sign(table.loc[places, "a"])
    table.loc[places, "Class"] = 1
    return table
