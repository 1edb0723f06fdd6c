"""Labelled loans whose risk is known, for the tests of the model."""

import numpy as np
import pandas as pd

from finml.features.request_time import INPUTS, loan_request
from finml.models.credit_risk.contract import FEATURES
from finml.models.credit_risk.features import Feature

KINDS = ["personal", "home", "auto", "consumer"]
START = pd.Timestamp("2024-01-31", tz="UTC")


def drawn(feature: Feature, random: np.random.Generator, rows: int) -> np.ndarray:
    """Plausible values of a feature."""
    match feature.unit:
        case "percent":
            return random.beta(2, 3, rows)
        case "count" | "months":
            return random.poisson(2, rows).astype(float)
        case "days":
            return random.choice([0.0, 0.0, 0.0, 30.0, 60.0], rows)
        case "status":
            return random.integers(-2, 4, rows).astype(float)
        case "times":
            return random.gamma(2, 0.3, rows)
        case _:
            return random.lognormal(8, 1, rows).round(2)


def loans(rows: int, *, seed: int = 0, users: int | None = None, moments: int = 1) -> pd.DataFrame:
    """A training frame in which delay, utilisation and a thin cushion make defaults, and sex does not."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({f.column: drawn(f, random, rows) for f in FEATURES if not f.category})
    frame["income_90d"], frame["spending_90d"] = random.lognormal(9, 0.5, (2, rows))
    ratios = loan_request({name: frame[name].tolist() for name in INPUTS if name in frame} | absent(frame))
    frame = frame.assign(**ratios)
    risk = (
        -3.3
        + 0.03 * frame["delay_days_1"]
        + 0.02 * frame["worst_delay_180d"]
        + 2.0 * frame["utilisation"]
        - 0.25 * (np.log(frame["balance_min_90d"]) - 8)
    )
    frame["defaulted"] = random.random(rows) < 1 / (1 + np.exp(-risk))
    frame["user_id"] = [f"u{place % (users or rows):05d}" for place in range(rows)]
    frame["loan_id"] = [f"l{place:05d}" for place in range(rows)]
    frame["event_timestamp"] = START + pd.to_timedelta(random.integers(0, moments, rows), unit="D")
    frame["event_timestamp"] = frame["event_timestamp"].astype("datetime64[us, UTC]")
    frame["loan_kind"] = random.choice(KINDS, rows)
    frame["protected_sex"] = random.choice(["female", "male"], rows)
    frame["protected_age"] = random.integers(18, 80, rows).astype(float)
    frame["protected_education"] = random.choice(["university", "high_school", None], rows)
    frame["protected_marital_status"] = None
    frame.loc[random.random(rows) < 0.2, ["balance", "balance_min_90d", "buffer_months"]] = np.nan
    return frame.drop(columns=["income_90d", "spending_90d"])


def absent(frame: pd.DataFrame) -> dict[str, list[None]]:
    """Empty columns for what a request does not say."""
    return {name: [None] * len(frame) for name in INPUTS if name not in frame}
