"""Training: rounds by early stopping, calibration on out-of-fold margins, the booster itself on every row."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import structlog

from finml.errors import UsageError
from finml.models.base import TrainingResult, TrainOptions
from finml.models.credit_risk.boosting import PARAMETERS, TrainingSet, find_stopping, fit, out_of_fold
from finml.models.credit_risk.calibration import Calibration, fit_calibration
from finml.models.credit_risk.contract import BAND_NAMES, FEATURE_SERVICE, FEATURES, band_edges, threshold
from finml.models.credit_risk.runtime import CALIBRATION_FILE, FORMAT, INFO_FILE
from finml.models.credit_risk.scoring import CONTRIBUTIONS_FILE, MARGIN_FILE, MODEL_FILE, By
from finml.models.credit_risk.search import search
from finml.models.credit_risk.shapley import boosted_trees, contributions_model, margin_model
from finml.models.statistics import ScoredRows

if TYPE_CHECKING:
    import xgboost

log = structlog.get_logger(__name__)

VERSIONS = ("xgboost", "onnx", "onnxruntime", "numpy", "pandas", "scikit-learn", "scipy")


def train(frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
    """Train on a checked frame and write the model's files into the empty `folder`.

    The number of rounds comes from early stopping on later rows where times differ and each part has enough
    outcomes, else on folds by user. Folds by user give out-of-fold margins, to which the calibration is
    fitted, so that no row is spent on it. The booster that is kept is trained on every row.

    Raises:
        DataError: there are too few rows of one outcome.
        UsageError: a parameter in `options.params` is not one that can be set.
    """
    unknown = sorted(set(options.params) - set(PARAMETERS["large"]))
    if unknown:
        raise UsageError(
            f"credit_risk has no parameter {', '.join(unknown)}",
            hint=f"parameters: {', '.join(PARAMETERS['large'])}",
        )
    data = TrainingSet.of(frame, options.seed)
    chosen = dict(PARAMETERS[data.size]) | dict(options.params)
    log.info(
        "training_started", rows=len(frame), size=data.size, stopping=data.stopping, trials=options.trials
    )
    if options.trials > 0:
        chosen = search(data, chosen, fixed=set(options.params), options=options)
    stopping = find_stopping(data, chosen, options.seed)
    rounds = stopping.rounds
    margin, rows = out_of_fold(data, chosen, stopping, options.seed)
    calibration = fit_calibration(margin, data.label[rows], rows)
    everything = np.arange(len(frame))
    booster = fit(data, everything, chosen, rounds, options.seed)

    scored = ScoredRows.of(data.label[rows], calibration.probability(margin))
    quality = scored.figures(np.ones((1, len(rows))))
    base_rate = float(data.label.mean())
    info = {
        "format": FORMAT,
        "model": "credit_risk",
        "feature_service": FEATURE_SERVICE,
        "features": [feature.to_dict() for feature in FEATURES],
        "bands": list(BAND_NAMES),
        "band_edges": band_edges(base_rate),
        "threshold": threshold(base_rate),
        "training": {
            "rows": len(frame),
            "users": int(frame["user_id"].nunique()),
            "defaults": int(data.label.sum()),
            "base_rate": base_rate,
            "from": frame["event_timestamp"].min().isoformat(),
            "to": frame["event_timestamp"].max().isoformat(),
            "seed": options.seed,
            "trials": options.trials,
            "size": data.size,
            "stopping": data.stopping,
            "rounds": rounds,
            "parameters": chosen,
        },
        "versions": {name: version(name) for name in VERSIONS},
    }
    _write(folder, booster, calibration, info)
    log.info("training_finished", rounds=rounds, calibration=calibration.kind)
    return TrainingResult(
        folder=folder,
        params={**chosen, "rounds": rounds, "stopping": data.stopping, "calibration": calibration.kind}
        | {"seed": options.seed, "trials": options.trials, "size": data.size},
        metrics={f"out_of_fold_{name}": float(figure[0]) for name, figure in quality.items()}
        | {"rows": float(len(frame)), "base_rate": base_rate},
    )


def _write(
    folder: Path, booster: "xgboost.Booster", calibration: Calibration, info: Mapping[str, Any]
) -> None:
    """Write the model's files; `model.json` comes last, so that a folder that has it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    booster.save_model(folder / MODEL_FILE)
    scored_by = _write_trees(folder, booster)
    documents = {CALIBRATION_FILE: calibration.to_dict(), INFO_FILE: {**info, "scored_by": scored_by}}
    for name, document in documents.items():
        beside = folder / f"{name}.part"
        beside.write_text(json.dumps(document, indent=2) + "\n")
        beside.replace(folder / name)


def _write_trees(folder: Path, booster: "xgboost.Booster") -> By:
    """Write the booster as it is served; the answer says what a predictor finds."""
    import onnx

    trees, base = boosted_trees(booster)
    onnx.save(margin_model(trees, base, len(FEATURES)), folder / MARGIN_FILE)
    tables = contributions_model(trees, base, len(FEATURES))
    if tables is None:
        log.warning("explained_by_xgboost", reason="the tables of contributions would be too large")
        return "trees"
    onnx.save(tables, folder / CONTRIBUTIONS_FILE)
    return "tables"
