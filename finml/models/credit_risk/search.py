"""Search for better parameters within a budget of trials and seconds."""

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

import structlog

from finml.models.base import TrainOptions
from finml.models.credit_risk.boosting import TrainingSet, find_stopping

if TYPE_CHECKING:
    import optuna

log = structlog.get_logger(__name__)

# name: (lowest, highest, whether on a logarithmic scale)
SPACE: Mapping[str, tuple[float, float, bool]] = {
    "max_depth": (1, 6, False),
    "eta": (0.01, 0.15, True),
    "min_child_weight": (0.5, 80, True),
    "subsample": (0.5, 1.0, False),
    "colsample_bytree": (0.3, 1.0, False),
    "reg_lambda": (0.1, 30, True),
    "reg_alpha": (0.0, 5.0, False),
    "gamma": (0.0, 3.0, False),
}


def search(
    data: TrainingSet, declared: Mapping[str, float], *, fixed: Set[str], options: TrainOptions
) -> dict[str, float]:
    """The parameters with the least log loss over the stopping parts.

    The declared parameters are the first trial, so the search never ends below them. The same seed and
    number of trials give the same answer, unless the time runs out first.

    Args:
        data: what to train on.
        declared: parameters to start from.
        fixed: names of those that stay as they are.
        options: budget and seed.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def suggested(trial: "optuna.Trial") -> dict[str, float]:
        free = {name: limits for name, limits in SPACE.items() if name not in fixed}
        return {
            name: trial.suggest_int(name, int(low), int(high))
            if name == "max_depth"
            else trial.suggest_float(name, low, high, log=logarithmic)
            for name, (low, high, logarithmic) in free.items()
        }

    def loss(trial: "optuna.Trial") -> float:
        stopping = find_stopping(data, {**declared, **suggested(trial)}, options.seed)
        log.info("search_trial", trial=trial.number, log_loss=stopping.loss, rounds=stopping.rounds)
        return stopping.loss

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=options.seed))
    study.enqueue_trial({name: declared[name] for name in SPACE if name not in fixed})
    study.optimize(loss, n_trials=options.trials, timeout=options.timeout_s)
    return {**declared, **study.best_params}
