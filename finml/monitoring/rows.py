"""One row of the inference log: its columns, and how a prediction becomes one.

What models take and give is JSON text, so that a model whose contract changes changes no column's type.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import to_json

from finml.monitoring.telling import warn
from finml.pseudonyms import pseudonym

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 64

Mask = Callable[[BaseModel, str], bytes]
"""What is logged of an input, or of an output and the text that it may quote: JSON without personal data."""

COLUMNS = (
    "request_id",
    "at",
    "model",
    "version",
    "variant",
    "shadow",
    "action",
    "caller",
    "subject",
    "position",
    "latency_ms",
    "error",
    "inputs",
    "features",
    "output",
)
SAME_PREDICTION = ("request_id", "at", "model", "variant", "shadow", "action", "position", "latency_ms")
"""Rows that agree in these are one prediction that was written twice, as after a connection that broke."""


def listed(columns: Sequence[str]) -> str:
    """Columns as SQL lists them; `at` and `position` are words of its own."""
    return ", ".join(f'"{name}"' for name in columns)


@dataclass(slots=True)
class Prediction:
    """One answer of one version to one input.

    Attributes:
        request_id: of the request; outcomes name it.
        at: when it was answered, seconds since 1970.
        model, version: as in `credit_risk` and `credit_risk@7`.
        variant: `champion`, `challenger` or `previous`.
        shadow: whether it was scored beside the answer that the caller got.
        action: `predict` or `explain`.
        caller: opaque id of who asked.
        position: place of the input in the request.
        inputs: what was asked; or as JSON in which nothing is to be masked.
        output: what was answered, or as `inputs`; `None` where the version failed.
        features: what the model looked at, where that is not the input itself; or as JSON.
        latency_ms: from the input's arrival to its answer.
        subject: what the routing dealt to one version.
        error: name of the failure, empty where there was none.
    """

    request_id: str
    at: float
    model: str
    version: str
    variant: str
    shadow: bool
    action: str
    caller: str
    position: int
    inputs: BaseModel | bytes
    output: BaseModel | bytes | None
    features: Mapping[str, Any] | bytes | None
    latency_ms: float
    subject: str
    error: str = ""


@lru_cache(maxsize=1)
def schema() -> "pa.Schema":
    """Types of the columns."""
    import pyarrow as pa

    types = {
        "at": pa.timestamp("us", tz="UTC"),
        "shadow": pa.bool_(),
        "position": pa.int32(),
        "latency_ms": pa.float64(),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])


def features_json(features: Mapping[str, Any]) -> bytes:
    """Features as the log has them: JSON, in which what is no number is null."""
    return to_json(features, inf_nan_mode="null")


class Encoder:
    """Turns predictions into rows, masked; keeps them until they are taken.

    Rows become columns a few at a time: one long conversion would keep other threads waiting, and columns are
    smaller than the objects that they are made of. What cannot be encoded is left out, alone.

    Args:
        mask: inputs and outputs as JSON without personal data.
        key: what the stand-ins of subjects are made with.

    Attributes:
        refused: predictions that were left out.
    """

    def __init__(self, mask: Mask, key: bytes) -> None:
        self._mask, self._key = mask, key
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[pa.RecordBatch] = []
        self._count = 0
        self.refused = 0

    def __len__(self) -> int:
        return self._count

    def append(self, prediction: Prediction) -> None:
        """Encode one prediction."""
        try:
            self._rows.append(self._row(prediction))
        except Exception as error:
            self._refuse(error)
            return
        self._count += 1
        if len(self._rows) >= ROWS_AT_ONCE:
            self._convert()

    def _row(self, one: Prediction) -> tuple[Any, ...]:
        return (
            one.request_id,
            int(one.at * 1e6),
            one.model,
            one.version,
            one.variant,
            one.shadow,
            one.action,
            one.caller,
            pseudonym(self._key, one.subject, "subject"),
            one.position,
            one.latency_ms,
            one.error,
            self._text(one.inputs),
            features_json(one.features) if isinstance(one.features, Mapping) else one.features,
            None if one.output is None else self._text(one.output, getattr(one.inputs, "text", "")),
        )

    def _text(self, message: BaseModel | bytes, said: str = "") -> bytes:
        return message if isinstance(message, bytes) else self._mask(message, said)

    def take(self) -> "pa.Table":
        """The rows so far, which are then forgotten here."""
        import pyarrow as pa

        if self._rows:
            self._convert()
        table = pa.Table.from_batches(self._batches, schema())
        self._batches, self._count = [], 0
        return table

    def _convert(self) -> None:
        rows, self._rows = self._rows, []
        try:
            self._batches.append(_columns(rows))
        except Exception:
            for row in rows:
                try:
                    self._batches.append(_columns([row]))
                except Exception as error:
                    self._count -= 1
                    self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        self.refused += 1
        # the message may quote the input
        warn("prediction_not_encoded", kind=type(error).__name__)


def _columns(rows: Sequence[tuple[Any, ...]]) -> "pa.RecordBatch":
    import pyarrow as pa

    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema(), strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema())
