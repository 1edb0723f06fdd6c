"""Rolling-origin backtest of `spending` on public data, against seasonal naive and AutoETS in the same run.

    python -m benchmarks.spending DATA_DIR

DATA_DIR holds `statsnz_card_transactions/` and `birmingham_purchase_cards/`. At each origin everything is
trained anew on what came before it, the choice of method and the intervals included, by the function that
training calls; nothing after an origin is seen. Errors are scaled by that of a seasonal naive forecast within
the history, so MASE means the same for all three. AutoETS comes from `statsforecast`, with its own 80 %
intervals; Birmingham's missing months are interpolated for it. Intervals are bootstraps over series.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.results import Row, write
from finml.models.base import Interval
from finml.models.spending.calendar import DayTable
from finml.models.spending.fitted import FittedSeries
from finml.models.spending.parallel import run
from finml.models.spending.population import fit_series
from finml.models.spending.series import Series
from finml.models.spending.simple import ZERO_HEAVY
from finml.models.statistics import interval, resample_weights

Floats = npt.NDArray[np.float64]

SEASON = 12
HORIZONS = (1, 6, 12)
LAST_MONTHS = 36
# of Birmingham's 33 months these hold a fragment only
FRAGMENTS = ("2014-03", "2014-05", "2015-04")
LEAST_MONTHS = 24
LATENCY_CALLS = 200
METHODS = ("spending", "seasonal naive", "AutoETS")


@dataclass(frozen=True)
class Origin:
    """What was said at an origin, and what came: (series, horizons), NaN beyond the data."""

    actual: Floats
    scale: Floats
    said: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]


def statsnz(folder: Path) -> list[Series]:
    """The 13 monthly series."""
    rows = pd.read_csv(folder / "statsnz_card_transactions" / "monthly_spending.csv", parse_dates=["ds"])
    rows = rows.rename(columns={"y_nzd_million": "y"})
    return [Series.of(str(name), part[["ds", "y"]]) for name, part in rows.groupby("category")]


def birmingham(folder: Path) -> list[Series]:
    """Monthly sums of the categories that were bought from in most months; fragments are missing."""
    rows = pd.read_csv(
        folder / "birmingham_purchase_cards" / "transactions.csv.gz",
        usecols=["date", "amount_gbp", "category"],
        parse_dates=["date"],
    )
    month = rows["date"].dt.to_period("M")
    sums = rows.pivot_table(index=month, columns="category", values="amount_gbp", aggfunc="sum")
    sums = sums.drop(index=list(FRAGMENTS)).fillna(0.0)
    regular = [name for name in sums if (sums[name] == 0).mean() < ZERO_HEAVY]
    starts = sums.index.to_timestamp()
    return [
        Series.of(str(name), pd.DataFrame({"ds": starts, "y": sums[name].to_numpy()})) for name in regular
    ]


def ets(task: tuple[Floats, int]) -> dict[str, Floats]:
    """AutoETS on one history."""
    from statsforecast.models import AutoETS

    values, ahead = task
    filled = pd.Series(values).interpolate(limit_direction="both").to_numpy()
    found: dict[str, Floats] = AutoETS(season_length=SEASON).forecast(filled, h=ahead, level=[80])
    return found


def backtest(series: Sequence[Series], origins: Sequence[int], table: DayTable) -> tuple[list[Origin], float]:
    """Everything trained and forecast at each origin, and CPU seconds a series of a whole training."""
    ahead = max(HORIZONS)
    found, seconds = [], []
    for origin in origins:
        heads = [one.head(origin) for one in series]
        begun = cpu_seconds()
        fitted = fit_series(heads, table, processes=2)
        seconds.append((cpu_seconds() - begun) / len(series))
        theirs = run(ets, [(head.values, ahead) for head in heads], processes=1, what="AutoETS")
        actual = np.full((len(series), ahead), np.nan)
        for row, one in enumerate(series):
            came = one.values[origin : origin + ahead]
            actual[row, : len(came)] = came
        found.append(_origin(actual, heads, fitted, theirs, table))
        print(f"  origin {origin}: {seconds[-1]:.2f} CPU s a series", flush=True)
    return found, float(np.mean(seconds))


def cpu_seconds() -> float:
    """Processor time of this process and of those it waited for: other work on the machine is not in it."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _origin(
    actual: Floats,
    heads: Sequence[Series],
    fitted: Sequence[FittedSeries],
    theirs: Sequence[dict[str, Floats]],
    table: DayTable,
) -> Origin:
    ahead = actual.shape[1]
    ours = [one.forecast(one.coming(ahead), table) for one in fitted]
    last = np.stack([pd.Series(head.values).ffill().to_numpy()[-SEASON:] for head in heads])
    nothing = np.full_like(actual, np.nan)
    return Origin(
        actual,
        np.array([one.naive_error for one in fitted]),
        {
            "spending": np.stack([one.yhat for one in ours]),
            "seasonal naive": last[:, np.arange(ahead) % SEASON],
            "AutoETS": np.stack([one["mean"] for one in theirs]),
        },
        {
            "spending": np.stack([one.low for one in ours]),
            "seasonal naive": nothing,
            "AutoETS": np.stack([one["lo-80"] for one in theirs]),
        },
        {
            "spending": np.stack([one.high for one in ours]),
            "seasonal naive": nothing,
            "AutoETS": np.stack([one["hi-80"] for one in theirs]),
        },
    )


def cells(origins: Sequence[Origin], of: Callable[[Origin, str], Floats], method: str, h: slice) -> Floats:
    """(series, origins and horizons) of a figure."""
    return np.concatenate([of(origin, method)[:, h] for origin in origins], axis=1)


def scaled(origin: Origin, method: str) -> Floats:
    """Absolute errors over the seasonal naive error within the history."""
    return np.asarray(np.abs(origin.actual - origin.said[method]) / origin.scale[:, None])


def symmetric(origin: Origin, method: str) -> Floats:
    """Absolute errors over the mean of value and forecast."""
    size = np.abs(origin.actual) + np.abs(origin.said[method])
    error = 2 * np.abs(origin.actual - origin.said[method])
    return np.where(np.isnan(error), np.nan, np.divide(error, size, out=np.zeros_like(size), where=size > 0))


def inside(origin: Origin, method: str) -> Floats:
    """1 where the value lies in the 80 % interval."""
    found = (origin.actual >= origin.low[method]) & (origin.actual <= origin.high[method])
    known = np.isfinite(origin.actual) & np.isfinite(origin.low[method])
    return np.where(known, found, np.nan)


def over_series(values: Floats, seed: int) -> Interval:
    """The mean of all known cells, with a bootstrap interval over series."""
    sums, counts = np.nansum(values, axis=1), np.isfinite(values).sum(axis=1)
    drawn = np.concatenate(
        [(weights @ sums) / (weights @ counts) for weights in resample_weights(len(values), None, seed, 1000)]
    )
    found = interval(float(sums.sum() / counts.sum()), drawn)
    if found is None:
        raise SystemExit("no value is known at this horizon")
    return found


def table_of(name: str, origins: Sequence[Origin], seed: int) -> list[dict[str, Any]]:
    """Print one section; return its figures."""
    horizons = [(str(h), slice(h - 1, h)) for h in HORIZONS] + [("1 to 12", slice(0, max(HORIZONS)))]
    print(f"\n## {name}\n\n| months ahead | method | MASE | sMAPE | inside 80 % |\n|---|---|---|---|---|")
    kept = []
    for words, h in horizons:
        for method in METHODS:
            figures = {
                "MASE": over_series(cells(origins, scaled, method, h), seed),
                "sMAPE": over_series(cells(origins, symmetric, method, h), seed),
            }
            covered = cells(origins, inside, method, h)
            if np.isfinite(covered).any():
                figures["inside 80 %"] = over_series(covered, seed)
            print(
                f"| {words} | {method} |",
                " | ".join(written(figures.get(key)) for key in ("MASE", "sMAPE", "inside 80 %")),
                "|",
            )
            kept.append({"ahead": words, "method": method, **figures})
        ours, theirs = (cells(origins, scaled, method, h) for method in ("spending", "AutoETS"))
        print(f"| {words} | spending less AutoETS | {written(over_series(ours - theirs, seed))} | | |")
    return kept


def rows_of(data: str, kept: Sequence[dict[str, Any]], speed: str, note: str) -> list[Row]:
    """Figures for `docs/models.md`: each horizon beside AutoETS, and the share inside."""
    found = []
    for ours in (one for one in kept if one["method"] == "spending"):
        theirs = next(one for one in kept if one["method"] == "AutoETS" and one["ahead"] == ours["ahead"])
        for metric in ("MASE", "sMAPE", "inside 80 %"):
            found.append(
                Row(
                    model="spending",
                    data=data,
                    metric=f"{metric}, {ours['ahead']} months ahead",
                    baseline_name="AutoETS",
                    baseline=theirs[metric].value,
                    figure=ours[metric].value,
                    low=ours[metric].low,
                    high=ours[metric].high,
                    gate={"MASE": "low end <= 1.1", "inside 80 %": "high end >= 0.7, low end <= 0.9"}.get(
                        metric, ""
                    ),
                    speed=speed if metric == "MASE" and ours["ahead"] == "1" else "",
                    note=note,
                )
            )
    return found


def written(figure: Interval | None) -> str:
    """A figure with its interval."""
    return "-" if figure is None else f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def latency(series: Sequence[Series], table: DayTable) -> float:
    """Milliseconds of one forecast twelve months ahead, without refitting."""
    (fitted,) = fit_series(series[:1], table, processes=1)
    begun = time.process_time()
    for _ in range(LATENCY_CALLS):
        fitted.forecast(fitted.coming(max(HORIZONS)), table)
    return (time.process_time() - begun) / LATENCY_CALLS * 1000


def main() -> None:
    """Read the arguments and print one section a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the public data sets")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--step", type=int, default=3, help="months between two origins")
    arguments = parser.parse_args()
    table = DayTable.covering(np.datetime64("2002-01-01"), np.datetime64("2024-12-31"))
    kept: list[Row] = []
    for name, series, first, last in (
        ("Stats NZ card spending", statsnz(arguments.data), -LAST_MONTHS, -max(HORIZONS)),
        ("Birmingham purchase cards, monthly", birmingham(arguments.data), -max(HORIZONS), -1),
    ):
        months = max(len(one.values) for one in series)
        print(f"\n{name}: {len(series)} series of {months} months", flush=True)
        origins, seconds = backtest(series, range(months + first, months + last + 1, arguments.step), table)
        speed = f"{seconds:.2f} CPU s to train a series, {latency(series, table):.2f} ms a forecast"
        figures = table_of(name, origins, arguments.seed)
        naive = next(
            one for one in figures if one["ahead"] == "1 to 12" and one["method"] == "seasonal naive"
        )
        plain = naive["MASE"].value
        note = f"{name}: MASE of seasonal naive {plain:.3f}, 1 to 12 months ahead of {len(origins)} origins"
        print(f"\n{speed}")
        kept += rows_of(f"{name}, {len(series)} series, {len(origins)} origins", figures, speed, note)
    print(f"\nkept in {write('spending', kept)}")


if __name__ == "__main__":
    main()
