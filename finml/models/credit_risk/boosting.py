"""The booster and its data: parameters by size of the data, rounds by early stopping, out-of-fold margins."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError
from finml.models.credit_risk.contract import FEATURES, LABEL
from finml.models.credit_risk.features import feature_matrix
from finml.models.credit_risk.sampling import later_rows, user_folds

if TYPE_CHECKING:
    import xgboost

Rows = npt.NDArray[np.intp]
Part = TypeVar("Part")
Made = TypeVar("Made")

FOLDS = 5
MAX_ROUNDS = 2000
PATIENCE = 60
LEAST_OUTCOMES = 10
LATER_SHARE = 0.2
# outcomes of each kind that the later part needs before its loss curve says more than noise
LATER_LEAST = 100

# By rows of the rarer outcome. Few defaults bear stumps or shallow trees only.
SMALL, MEDIUM = 150, 1000
PARAMETERS: Mapping[str, Mapping[str, float]] = {
    "small": {
        "max_depth": 1,
        "eta": 0.05,
        "min_child_weight": 1.0,
        "subsample": 0.8,
        "colsample_bytree": 0.7,
        "reg_lambda": 2.0,
        "reg_alpha": 0.0,
        "gamma": 0.0,
    },
    "medium": {
        "max_depth": 3,
        "eta": 0.05,
        "min_child_weight": 5.0,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
        "reg_lambda": 3.0,
        "reg_alpha": 0.0,
        "gamma": 0.0,
    },
    "large": {
        "max_depth": 4,
        "eta": 0.03,
        "min_child_weight": 20.0,
        "subsample": 0.7,
        "colsample_bytree": 0.5,
        "reg_lambda": 5.0,
        "reg_alpha": 0.0,
        "gamma": 0.0,
    },
}
REPEATS: Mapping[str, int] = {"small": 5, "medium": 2, "large": 1}


@dataclass(frozen=True)
class TrainingSet:
    """A training frame, ready for XGBoost.

    Attributes:
        matrix: (n, k) feature values, NaN where missing.
        label: n outcomes, 0.0 or 1.0.
        size: `small`, `medium` or `large`, by rows of the rarer outcome.
        folds: cross-validation folds by user, of every repeat.
        later: earlier and later rows, where time offers them.
    """

    matrix: npt.NDArray[np.float32]
    label: npt.NDArray[np.float32]
    size: str
    folds: list[tuple[Rows, Rows]]
    later: tuple[Rows, Rows] | None

    @classmethod
    def of(cls, frame: pd.DataFrame, seed: int) -> "TrainingSet":
        """Prepare a checked frame.

        Raises:
            DataError: there are fewer than `LEAST_OUTCOMES` rows of one outcome.
        """
        label = frame[LABEL].astype(bool)
        rarer = int(min(label.sum(), (~label).sum()))
        if rarer < LEAST_OUTCOMES:
            raise DataError(
                f"{int(label.sum())} of {len(label)} rows are defaults: too few of one outcome to learn from",
                hint=f"credit_risk needs at least {LEAST_OUTCOMES} rows of each outcome",
            )
        size = "small" if rarer < SMALL else "medium" if rarer < MEDIUM else "large"
        users = frame["user_id"]
        return cls(
            matrix=feature_matrix(frame, FEATURES),
            label=np.asarray(label, dtype=np.float32),
            size=size,
            folds=[
                fold
                for repeat in range(REPEATS[size])
                for fold in user_folds(users, label, FOLDS, seed + repeat)
            ],
            later=later_rows(frame["event_timestamp"], users, label, share=LATER_SHARE, least=LATER_LEAST),
        )

    @property
    def stopping_parts(self) -> list[tuple[Rows, Rows]]:
        """The parts by whose loss the number of rounds is chosen."""
        return [self.later] if self.later else self.folds

    @property
    def stopping(self) -> str:
        """How the number of rounds is chosen, in a word."""
        return "later_rows" if self.later else "user_folds"


@dataclass(frozen=True)
class Stopping:
    """Where training should stop.

    Attributes:
        rounds: the number of rounds with the least mean log loss over the stopping parts.
        loss: that loss.
        boosters: what was fitted on each part to find it, each with at least that many rounds.
    """

    rounds: int
    loss: float
    boosters: "list[xgboost.Booster]"


def find_stopping(data: TrainingSet, parameters: Mapping[str, float], seed: int) -> Stopping:
    """Stop early on the stopping parts.

    One number of rounds for all folds, from their mean curve: with few defaults a single fold's own minimum
    is mostly noise.
    """
    import xgboost

    def curve(part: tuple[Rows, Rows]) -> "tuple[xgboost.Booster, list[float]]":
        fitted, scored = part
        history: dict[str, dict[str, list[float]]] = {}
        booster = xgboost.train(
            _parameters(parameters, seed),
            _matrix(data, fitted),
            MAX_ROUNDS,
            evals=[(_matrix(data, scored), "scored")],
            evals_result=history,
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        return booster, history["scored"]["logloss"]

    found = _side_by_side(curve, data.stopping_parts)
    shortest = min(len(losses) for _, losses in found)
    mean = np.average(
        [losses[:shortest] for _, losses in found],
        axis=0,
        weights=[len(scored) for _, scored in data.stopping_parts],
    )
    return Stopping(
        rounds=int(mean.argmin()) + 1, loss=float(mean.min()), boosters=[booster for booster, _ in found]
    )


def out_of_fold(
    data: TrainingSet, parameters: Mapping[str, float], stopping: Stopping, seed: int
) -> tuple[npt.NDArray[np.float32], Rows]:
    """Margins of rows by boosters that have not seen their users, and the rows; each row once a repeat."""
    if data.later:
        boosters = _side_by_side(
            lambda fold: fit(data, fold[0], parameters, stopping.rounds, seed), data.folds
        )
    else:
        boosters = stopping.boosters
    margins = [
        booster.inplace_predict(
            data.matrix[scored], iteration_range=(0, stopping.rounds), predict_type="margin"
        )
        for booster, (_, scored) in zip(boosters, data.folds, strict=True)
    ]
    return np.concatenate(margins), np.concatenate([scored for _, scored in data.folds])


def fit(
    data: TrainingSet, rows: Rows, parameters: Mapping[str, float], rounds: int, seed: int
) -> "xgboost.Booster":
    """A booster fitted on some rows."""
    import xgboost

    return xgboost.train(_parameters(parameters, seed), _matrix(data, rows), rounds)


def _side_by_side(work: Callable[[Part], Made], parts: Sequence[Part]) -> list[Made]:
    """Each part's result, computed in as many threads as there are cores.

    One thread a booster: the same bits on any machine, and no waiting for each other at the end of every
    level of every tree, which on a busy machine costs more than the second core brings.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, parts))


def _matrix(data: TrainingSet, rows: Rows) -> "xgboost.DMatrix":
    import xgboost

    names = [feature.name for feature in FEATURES]
    return xgboost.DMatrix(data.matrix[rows], data.label[rows], feature_names=names, nthread=1)


def _parameters(parameters: Mapping[str, float], seed: int) -> dict[str, Any]:
    return {
        **parameters,
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "monotone_constraints": tuple(feature.sign for feature in FEATURES),
        "seed": seed,
        "nthread": 1,
    }
