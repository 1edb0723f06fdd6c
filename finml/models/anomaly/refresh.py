"""Refreshing a model on new rows without training it anew.

A share of every forest is replaced: the oldest trees go, trees of the new rows come. Centre and covariance of
the distances move by the same share towards those of the new rows. What was usual is remembered by the
model's reference rows, of which the same share is replaced; on them the scores are centred again and the
distribution that percentiles are read from is drawn anew. With a share of a quarter, what a training taught
is half gone after two and a half refreshes. Scaler, columns, and which categories have a head stay.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import structlog

from finml.errors import DataError, UsageError
from finml.models.anomaly.contract import WEIGHT
from finml.models.anomaly.detector import Detector, Distance, Floats, Grid, Head, OnnxForest
from finml.models.anomaly.fitting import centred, distance_of, fit_distance, grow, resampled
from finml.models.anomaly.matrix import MatrixMaker
from finml.models.anomaly.storage import Stored, forest_file, read, write, write_forest
from finml.models.anomaly.training import LEAST_ROWS, MOST_ROWS, filled
from finml.models.anomaly.trees import from_onnx
from finml.models.base import TrainingResult

log = structlog.get_logger(__name__)


def refresh(
    source: Path, frame: pd.DataFrame, folder: Path, *, seed: int, share: float = 0.25
) -> TrainingResult:
    """Write into the empty `folder` the model of `source`, moved towards new rows.

    Args:
        source: folder of a trained model, which stays as it is.
        frame: checked rows of the kind that it was trained on.
        folder: where the new model is written.
        seed: of the new trees and of every choice.
        share: how far it moves, above 0 and at most 1.

    Raises:
        DataError: there are too few rows, or they are of the other kind.
        ModelError: `source` holds no usable model.
        UsageError: the share cannot be meant.
    """
    if not 0 < share <= 1:
        raise UsageError(f"a refresh cannot replace a share of {share}", hint="give 0.25 for a quarter")
    if len(frame) < LEAST_ROWS:
        raise DataError(f"{len(frame)} rows are too few to refresh on", hint=f"give at least {LEAST_ROWS}")
    before = read(source)
    info: dict[str, Any] = dict(before.info)
    maker = MatrixMaker(info["features"], info["columns"], info["everyone"])
    random = np.random.default_rng(seed)
    rows = frame.iloc[resampled(frame[WEIGHT].to_numpy(dtype=np.float64), random, MOST_ROWS)]
    new = filled(maker.of_frame(rows), before.detector.scaler.median)
    behaves = maker.kind == "behaviour"
    categories = rows["category"].to_numpy(dtype=object) if behaves else np.full(len(rows), "", dtype=object)
    reference, known = _replaced(before, new, categories, share, random)
    folder.mkdir(parents=True, exist_ok=True)
    heads = {}
    for number, head in enumerate(info["heads"]):
        name = head["category"]
        part = new[categories == name] if name else new
        there = reference[known == name] if name else reference
        heads[name] = _head(
            before, number, (source, folder), new=part, reference=there, share=share, seed=seed + number
        )
    detector = Detector(before.detector.scaler, heads, Grid(np.empty(0)))
    grid = Grid.of(detector.raw(reference, [str(name) for name in known]), np.ones(len(reference)))
    training = dict(info["training"])
    training["refreshes"] = [
        *training["refreshes"],
        {"rows": len(frame), "share": share, "seed": seed},
    ]
    write(
        folder,
        Stored(
            info=info | {"training": training},
            detector=Detector(detector.scaler, heads, grid),
            quantiles=np.quantile(reference, np.linspace(0, 1, 101), axis=0),
            reference=reference,
            reference_categories=[str(name) for name in known],
        ),
    )
    log.info("refreshed", rows=len(frame), share=share, heads=len(heads))
    return TrainingResult(
        folder=folder,
        params={"refresh_share": share, "features": maker.kind, "heads": len(heads), "seed": seed},
        metrics={"rows": float(len(frame)), "columns": float(new.shape[1])},
    )


def _replaced(
    before: Stored,
    new: Floats,
    categories: "np.ndarray[Any, np.dtype[np.object_]]",
    share: float,
    random: np.random.Generator,
) -> "tuple[Floats, np.ndarray[Any, np.dtype[np.object_]]]":
    """The reference rows, a share of them replaced by new ones, and their categories."""
    rows = before.reference.copy()
    known = np.array(before.reference_categories, dtype=object)
    count = round(share * len(rows))
    places = random.permutation(len(rows))[:count]
    chosen = random.choice(len(new), count, replace=count > len(new))  # nosec B311  # numpy's generator, seeded; nothing secret
    rows[places] = new[chosen]
    has_head = np.isin(categories[chosen].astype(str), list(before.detector.heads))
    known[places] = np.where(has_head, categories[chosen], "")
    return rows, known


def _head(
    before: Stored,
    number: int,
    folders: tuple[Path, Path],
    *,
    new: Floats,
    reference: Floats,
    share: float,
    seed: int,
) -> Head:
    """A head moved towards new rows; with too few of them its trees and distance stay as they are."""
    source, folder = folders
    name = before.info["heads"][number]["category"]
    head, scaler = before.detector.heads[name], before.detector.scaler
    trees = from_onnx(source / forest_file(number))
    distance = head.distance
    if len(new) >= LEAST_ROWS:
        chosen = before.info["training"]["parameters"]
        count = max(1, round(share * len(trees)))
        grown = grow(new, trees=count, max_samples=chosen["max_samples"], logs=head.logs, seed=seed)
        trees = [*trees[count:], *grown]
        distance = _moved(distance, fit_distance(scaler(new), 2 * before.info["alert_budget"]), share)
    write_forest(folder, number, trees, new.shape[1])
    forest = OnnxForest(folder / forest_file(number))
    moved = Head(forest, distance, np.zeros(2), np.ones(2), head.weights, head.logs)
    centre, spread = (
        centred(moved.views(reference, scaler(reference))) if len(reference) else (head.centre, head.spread)
    )
    return Head(forest, distance, centre, spread, head.weights, head.logs)


def _moved(old: Distance, new: Distance, share: float) -> Distance:
    """Mean and covariance of a mixture of the two."""
    mean = (1 - share) * old.mean + share * new.mean
    apart = old.mean - new.mean
    between = share * (1 - share) * np.outer(apart, apart)
    return distance_of(mean, (1 - share) * old.covariance + share * new.covariance + between)
