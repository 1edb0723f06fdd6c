"""How a yes-or-no decision falls on the groups of protected attributes."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.models.base import GroupRow
from finml.models.statistics import ScoredRows

# below these a rate says more about chance than about the model, and is left out
LEAST_GROUP = 100
LEAST_OUTCOMES = 10
AGE_EDGES = (0, 25, 35, 45, 55, 65, 200)
AGE_GROUPS = ("<25", "25-34", "35-44", "45-54", "55-64", "65+")


def age_group(age: pd.Series) -> pd.Series:
    """Ages in years as the groups that fairness is measured by; an age that is not known stays so."""
    return pd.Series(
        pd.cut(pd.to_numeric(age), AGE_EDGES, right=False, labels=AGE_GROUPS).astype(object), index=age.index
    )


def fairness_table(
    attributes: pd.DataFrame, label: npt.ArrayLike, flagged: npt.ArrayLike, score: npt.ArrayLike
) -> list[GroupRow]:
    """Rates of a decision by group.

    A row that is not flagged got the favourable decision. Rows whose attribute is not known belong to no
    group.

    Args:
        attributes: n rows, a column a protected attribute, values are group names.
        label: n outcomes, 1 where the flag would have been right.
        flagged: n decisions.
        score: n scores by which the decision was made, for each group's AUC.

    Returns:
        One row a group. A rate whose base is fewer than `LEAST_OUTCOMES` rows is `None`; so is the disparate
        impact of a group of fewer than `LEAST_GROUP` rows.
    """
    outcome = np.asarray(label, dtype=bool)
    refused = np.asarray(flagged, dtype=bool)
    scores = np.asarray(score, dtype=np.float64)
    table: list[GroupRow] = []
    for attribute in attributes.columns:
        values = attributes[attribute].astype(object)
        known = values.notna().to_numpy()
        members = {name: known & (values == name).to_numpy() for name in _ordered(set(values[known]))}
        favoured = {
            name: float(1 - refused[rows].mean())
            for name, rows in members.items()
            if rows.sum() >= LEAST_GROUP
        }
        most = max(favoured.values(), default=0.0)
        table += [
            GroupRow(
                attribute=str(attribute),
                group=str(name),
                n=int(rows.sum()),
                selection_rate=float(1 - refused[rows].mean()),
                false_negative_rate=_share(~refused[rows & outcome]),
                false_positive_rate=_share(refused[rows & ~outcome]),
                disparate_impact=favoured[name] / most if name in favoured and most > 0 else None,
                auc=_auc(outcome[rows], scores[rows]),
            )
            for name, rows in members.items()
        ]
    return table


def _ordered(names: set[str]) -> list[str]:
    """Age groups by age, other groups by name."""
    return sorted(names, key=lambda name: (AGE_GROUPS.index(name) if name in AGE_GROUPS else -1, name))


def _share(flags: npt.NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) >= LEAST_OUTCOMES else None


def _auc(outcome: npt.NDArray[np.bool_], score: npt.NDArray[np.float64]) -> float | None:
    if min(outcome.sum(), (~outcome).sum()) < LEAST_OUTCOMES:
        return None
    return float(ScoredRows.of(outcome, score).figures(np.ones((1, len(outcome))))["auc"][0])
