"""From frames and records to the matrix that a detector sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from finml.errors import DataError
from finml.models.anomaly.behaviour import EVERYONE, FEATURES, OWN_FEATURES, Behaviour
from finml.models.anomaly.contract import RESERVED, Features
from finml.models.anomaly.detector import Floats
from finml.models.anomaly.habits import Transaction

KINDS: Mapping[Features, str] = {"behaviour": "transactions", "table": "a table"}
"""The kinds of rows in words."""


@dataclass(frozen=True)
class MatrixMaker:
    """Makes the columns of one model.

    Attributes:
        kind: transactions or a table.
        columns: features in order.
        everyone: median and spread of the logarithms of all users' amounts, by category; the empty name is
            all categories. Empty for a table.
    """

    kind: Features
    columns: Sequence[str]
    everyone: Mapping[str, Sequence[float]]

    def of_frame(self, frame: pd.DataFrame) -> Floats:
        """(n, k) of a checked frame, NaN where a table's value is missing.

        Raises:
            DataError: the frame is of the other kind, or lacks a column; names it.
        """
        own = OWN_FEATURES if self.kind == "behaviour" else tuple(self.columns)
        lacking = self.lacking(frame)
        if lacking:
            there = ", ".join([str(name) for name in frame if name not in RESERVED][:10])
            raise DataError(
                f"the model was trained on {KINDS[self.kind]}; these rows lack {', '.join(lacking[:10])}",
                hint=f"give rows of the kind that it was trained on; these have {there}",
            )
        rows = frame[list(own)].to_numpy(dtype=np.float64)
        if self.kind == "table":
            return rows
        against = self.against_everyone(frame["amount"].to_numpy(dtype=np.float64), frame["category"])
        return self._ordered(rows, against)

    def lacking(self, frame: pd.DataFrame) -> list[str]:
        """What a frame lacks of the columns that are needed."""
        needed = (*OWN_FEATURES, "amount", "category") if self.kind == "behaviour" else self.columns
        return [name for name in needed if name not in frame]

    def of_behaviours(self, asked: Sequence[tuple[Transaction, Behaviour]]) -> Floats:
        """(n, k) of transactions with their behaviour."""
        rows = np.array([[found.values[name] for name in OWN_FEATURES] for _, found in asked])
        amounts = np.array([transaction.amount for transaction, _ in asked])
        against = self.against_everyone(amounts, [transaction.category for transaction, _ in asked])
        return self._ordered(rows.reshape(len(asked), len(OWN_FEATURES)), against)

    def of_values(self, records: Sequence[Mapping[str, float | None]]) -> Floats:
        """(n, k) of a table's rows, NaN where a value is missing."""
        rows = [
            [np.nan if (value := record.get(name)) is None else value for name in self.columns]
            for record in records
        ]
        return np.array(rows, dtype=np.float64).reshape(len(records), len(self.columns))

    def against_everyone(self, amounts: Floats, categories: Sequence[str] | pd.Series) -> Floats:
        """How far n amounts lie above all users' of their category, in spreads; 0 below."""
        usual = np.array([self.everyone.get(name, self.everyone[""]) for name in categories]).reshape(-1, 2)
        found: Floats = np.maximum(0, (np.log(amounts) - usual[:, 0]) / usual[:, 1])
        return found

    def _ordered(self, own: Floats, against: Floats) -> Floats:
        place = FEATURES.index(EVERYONE)
        return np.insert(own, place, against, axis=1)
