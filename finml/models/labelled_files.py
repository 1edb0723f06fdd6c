"""Labelled rows that come from a file instead of the ledger: kept once, by the hash of what they hold."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from finml.errors import DataError, UsageError
from finml.models.base import Model
from finml.settings import Settings

SHORT_HASH = 16


class StoredRows(BaseModel):
    """Checked rows as they lie below FINML_HOME, where every step of a run finds them.

    Attributes:
        path: the Parquet file, relative to FINML_HOME.
        sha256: hash of its bytes.
        origin: name of the file that the rows were read from.
        rows: how many there are.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: str
    origin: str
    rows: int


def read_labelled(model: Model, file: Path, companions: Mapping[str, Path]) -> pd.DataFrame:
    """Rows of a labelled file with its companions, as the model reads them.

    Raises:
        UsageError: the model takes no companion of that name.
        DataError: a file cannot be read, or is not of the model's kind.
    """
    for name in companions:
        if name not in model.companions:
            takes = ", ".join(f"--{known.replace('_', '-')}" for known in model.companions)
            raise UsageError(
                f"{model.name} takes no --{name.replace('_', '-')} file",
                hint=f"beside --data it takes {takes or 'no other file'}",
            )
    return model.read(file, companions)


def store_rows(model: Model, file: Path, companions: Mapping[str, Path], settings: Settings) -> StoredRows:
    """Read a labelled file, check it against the model's contract, and keep its rows below FINML_HOME.

    The same rows are kept once. The file appears complete or not at all.

    Raises:
        UsageError: see `read_labelled`.
        DataError: the file or its rows break the model's contract.
    """
    frame = read_labelled(model, file, companions)
    model.training_frame(frame)
    folder = settings.home / "labelled" / model.name
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as beside:
        written = Path(beside) / "rows.parquet"
        frame.to_parquet(written, index=False)
        sha256 = hashlib.sha256(written.read_bytes()).hexdigest()
        kept = folder / f"{sha256[:SHORT_HASH]}.parquet"
        written.replace(kept)
    return StoredRows(
        path=str(kept.relative_to(settings.home)), sha256=sha256, origin=file.name, rows=len(frame)
    )


def stored_rows(path: str, sha256: str, settings: Settings) -> pd.DataFrame:
    """The rows that `store_rows` kept.

    Raises:
        DataError: the file is not there, or is not the one that was kept.
    """
    file = settings.home / path
    hint = "start the run again from the labelled file: finml run training --model … --data FILE"
    try:
        contents = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}", hint=hint) from None
    if hashlib.sha256(contents).hexdigest() != sha256:
        raise DataError(f"{file} was changed since it was written", hint=hint)
    return pd.read_parquet(file)
