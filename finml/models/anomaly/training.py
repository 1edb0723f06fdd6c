"""Training: forests and distances of all rows and of each category with enough. Labels play no part."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import structlog

from finml.errors import DataError, UsageError
from finml.ledger.contracts import CATEGORIES
from finml.models.anomaly.behaviour import FEATURES
from finml.models.anomaly.contract import ALERT_BUDGET, FEATURE_SERVICE, LABEL, NAME, WEIGHT, Features
from finml.models.anomaly.detector import Detector, Floats, Grid, Head, OnnxForest, Scaler
from finml.models.anomaly.fitting import (
    centred,
    everyone,
    fit_distance,
    fit_scaler,
    grow,
    parameters,
    resampled,
)
from finml.models.anomaly.frames import features_of, table_columns
from finml.models.anomaly.matrix import MatrixMaker
from finml.models.anomaly.storage import FORMAT, Stored, forest_file, write, write_forest
from finml.models.base import TrainingResult, TrainOptions

PARAMETERS: Mapping[str, Any] = {
    "trees": 200,
    "max_samples": 8192,
    "category_rows": 1000,
    "alert_budget": ALERT_BUDGET,
}
"""`category_rows`: rows of a category from which on it gets a forest of its own."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "trees": (1, 10_000),
    "max_samples": (2, 1_000_000),
    "category_rows": (30, 1_000_000_000),
    "alert_budget": (0.0001, 0.2),
    "refresh_share": (0.01, 1.0),
}
REFRESH = ("refresh_from", "refresh_share")
SHARE = {"refresh_share": 0.25}
LEAST_ROWS = 256
MOST_ROWS, REFERENCE_ROWS = 400_000, 20_000
WEIGHTS: Mapping[Features, Mapping[str, float]] = {
    "behaviour": {"forest": 0.7, "distance": 0.3},
    "table": {"forest": 0.1, "distance": 0.9},
}
"""Shares of the two views in a score. Behaviour features are made to be extreme one by one, which a forest
sees; of a table's columns nothing is known, and combinations tell more."""

log = structlog.get_logger(__name__)


def train(frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
    """Train on a checked frame and write the model's files into the empty `folder`.

    With the parameter `refresh_from`, the folder of an earlier model, that model is refreshed on the rows
    instead; see `refresh.refresh`.

    Raises:
        DataError: there are too few rows.
        UsageError: a parameter in `options.params` is not one that can be set, or has an impossible value.
    """
    unknown = sorted(set(options.params) - {*PARAMETERS, *REFRESH})
    if unknown:
        raise UsageError(
            f"anomaly has no parameter {', '.join(unknown)}",
            hint=f"parameters: {', '.join((*PARAMETERS, *REFRESH))}",
        )
    source = options.params.get("refresh_from")
    idle = sorted(set(options.params) & ({*PARAMETERS} if source else {*SHARE}))
    if idle:
        raise UsageError(
            f"{', '.join(idle)} cannot be given {'with' if source else 'without'} refresh_from",
            hint="a refresh takes refresh_share alone, and keeps the parameters of the model it starts from",
        )
    if source:
        from finml.models.anomaly.refresh import refresh

        return refresh(
            Path(source),
            frame,
            folder,
            seed=options.seed,
            share=parameters(options.params, SHARE, LIMITS)["refresh_share"],
        )
    chosen = parameters(options.params, PARAMETERS, LIMITS)
    if len(frame) < LEAST_ROWS:
        raise DataError(
            f"{len(frame)} rows are too few to know what is usual", hint=f"give at least {LEAST_ROWS}"
        )
    return _train(frame, folder, chosen, options.seed)


def _train(frame: pd.DataFrame, folder: Path, chosen: Mapping[str, Any], seed: int) -> TrainingResult:
    random = np.random.default_rng(seed)
    places = resampled(frame[WEIGHT].to_numpy(dtype=np.float64), random, MOST_ROWS)
    rows = frame.iloc[places]
    kind = features_of(frame)
    behaves = kind == "behaviour"
    categories = rows["category"].to_numpy(dtype=object) if behaves else np.full(len(rows), "", dtype=object)
    maker = MatrixMaker(
        kind=kind,
        columns=FEATURES if behaves else table_columns(frame),
        everyone=everyone(rows["amount"].to_numpy(dtype=np.float64), categories) if behaves else {},
    )
    matrix = filled(maker.of_frame(rows))
    scaler = fit_scaler(matrix)
    # a row that was drawn twice tells no more of its category than one
    once = frame.iloc[np.unique(places)]
    counts = once["category"].value_counts() if behaves else pd.Series(dtype="int64")
    own = sorted(str(name) for name, count in counts.items() if count >= chosen["category_rows"])
    folder.mkdir(parents=True, exist_ok=True)
    log.info("training_started", rows=len(rows), features=kind, columns=matrix.shape[1], categories=own)
    heads: dict[str, Head] = {}
    for number, name in enumerate(["", *own]):
        part = matrix[categories == name] if name else matrix
        trees = grow(
            part,
            trees=chosen["trees"],
            max_samples=chosen["max_samples"],
            logs=behaves,
            seed=seed + number,
        )
        write_forest(folder, number, trees, matrix.shape[1])
        heads[name] = fit_head(
            folder / forest_file(number), part, scaler, kind=kind, trimmed=2 * chosen["alert_budget"]
        )
        log.info("head_trained", category=name or "all", rows=len(part))
    detector = Detector(scaler, heads, Grid(np.empty(0)))
    every = frame["category"].tolist() if behaves else [""] * len(frame)
    raw = detector.raw(filled(maker.of_frame(frame), scaler.median), every)
    detector = Detector(scaler, heads, Grid.of(raw, frame[WEIGHT].to_numpy(dtype=np.float64)))
    info = _info(frame, rows, maker, own, chosen=chosen, seed=seed)
    kept = random.permutation(len(matrix))[:REFERENCE_ROWS]
    write(
        folder,
        Stored(
            info=info,
            detector=detector,
            quantiles=np.quantile(matrix, np.linspace(0, 1, 101), axis=0),
            reference=matrix[kept],
            reference_categories=[str(categories[place]) for place in kept],
        ),
    )
    log.info("training_finished", heads=len(heads))
    return TrainingResult(
        folder=folder,
        params={**chosen, "features": kind, "heads": len(heads), "seed": seed},
        metrics={"rows": float(len(frame)), "columns": float(matrix.shape[1])},
    )


def fit_head(file: Path, rows: Floats, scaler: Scaler, *, kind: Features, trimmed: float) -> Head:
    """The head whose forest lies in `file`, with distance and centre fitted to (n, k) rows."""
    head = Head(
        forest=OnnxForest(file),
        distance=fit_distance(scaler(rows), trimmed),
        centre=np.zeros(2),
        spread=np.ones(2),
        weights=np.array(list(WEIGHTS[kind].values())),
        logs=kind == "behaviour",
    )
    centre, spread = centred(head.views(rows, scaler(rows)))
    return Head(head.forest, head.distance, centre, spread, head.weights, head.logs)


def filled(matrix: Floats, median: Floats | None = None) -> Floats:
    """(n, k) rows with the median of a column in place of what is missing, 0 where all of it is."""
    if median is None:
        known = np.where(np.isnan(matrix).all(axis=0), 0.0, matrix)
        median = np.nanmedian(known, axis=0)
    return np.where(np.isnan(matrix), median, matrix)


def _info(
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    maker: MatrixMaker,
    own: list[str],
    *,
    chosen: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    behaves = maker.kind == "behaviour"
    seen = set(rows["category"].unique()) if behaves else set()
    times = (
        {"from": frame["occurred_at"].min().isoformat(), "to": frame["occurred_at"].max().isoformat()}
        if behaves
        else {}
    )
    return {
        "format": FORMAT,
        "model": NAME,
        "features": maker.kind,
        "feature_service": FEATURE_SERVICE if behaves else None,
        "columns": list(maker.columns),
        "categories": list(CATEGORIES) if seen <= set(CATEGORIES) else sorted(seen),
        "everyone": dict(maker.everyone),
        "weights": dict(WEIGHTS[maker.kind]),
        "forest_logs": behaves,
        "alert_budget": chosen["alert_budget"],
        "threshold": 1 - chosen["alert_budget"],
        "heads": [
            {"category": name, "rows": int((rows["category"] == name).sum()) if name else len(rows)}
            for name in ("", *own)
        ],
        "training": {
            "rows": len(frame),
            "users": int(frame["user_id"].nunique()) if behaves else 0,
            "anomalies": int(frame[LABEL].sum()),
            "seed": seed,
            "parameters": dict(chosen),
            "refreshes": [],
            **times,
        },
        "versions": {
            name: version(name) for name in ("scikit-learn", "numpy", "pandas", "onnx", "onnxruntime")
        },
    }
