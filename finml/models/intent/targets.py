"""Labels as the numbers that training and evaluation compare with."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from finml.errors import DataError
from finml.models.intent.contract import LABEL, OUT_OF_SCOPE, SEPARATOR
from finml.models.intent.frames import split_labels

Indicators = npt.NDArray[np.bool_]
SHOWN = 10


def known_labels(frame: pd.DataFrame) -> list[str]:
    """All intents of a frame, sorted, without the label of texts that are out of scope."""
    return sorted(
        {label for joined in frame[LABEL].unique() for label in split_labels(joined)} - {OUT_OF_SCOPE}
    )


def is_multiple(frame: pd.DataFrame) -> bool:
    """Whether any text has several intents."""
    return bool(frame[LABEL].str.contains(SEPARATOR, regex=False).any())


def indicators(frame: pd.DataFrame, labels: Sequence[str]) -> Indicators:
    """(n, k): which of k intents each of n texts has; none where it is out of scope.

    Raises:
        DataError: the frame has other labels; names them.
    """
    unknown = sorted(set(known_labels(frame)) - set(labels))
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise DataError(
            f"labels that the model does not know: {', '.join(unknown[:SHOWN])}{more}",
            hint="leave these rows out, label texts that are out of scope `oos`, or train a model on them",
        )
    place = {label: at for at, label in enumerate(labels)}
    found = np.zeros((len(frame), len(labels)), dtype=bool)
    for row, joined in enumerate(frame[LABEL]):
        found[row, [place[label] for label in split_labels(joined) if label != OUT_OF_SCOPE]] = True
    return found


def in_scope(targets: Indicators) -> Indicators:
    """Which of n texts have an intent at all, from (n, k) indicators."""
    return np.asarray(targets.any(axis=1))
