"""A model's folder: `model.json`, `numbers.npz` and one `forest_NN.onnx` a head. Nothing in it is executed.

`model.json` comes last, so that a folder that has it is whole.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finml.errors import ModelError
from finml.models.anomaly.detector import Detector, Distance, Floats, Grid, Head, OnnxForest, Scaler

if TYPE_CHECKING:
    from finml.models.anomaly.trees import Tree

INFO_FILE, NUMBERS_FILE = "model.json", "numbers.npz"
FORMAT = 1


def forest_file(number: int) -> str:
    """Name of the file of a head's forest."""
    return f"forest_{number:02}.onnx"


@dataclass(frozen=True)
class Stored:
    """What lies in a model's folder.

    Attributes:
        info: contents of `model.json`.
        detector: all heads, ready to score.
        quantiles: (101, k) quantiles of the features over the training rows, in steps of 1 %.
        reference: (m, k) rows of the training, by which a refresh remembers what was usual.
        reference_categories: m categories of theirs.
    """

    info: Mapping[str, Any]
    detector: Detector
    quantiles: Floats
    reference: Floats
    reference_categories: Sequence[str]


def write_forest(folder: Path, number: int, trees: "Sequence[Tree]", features: int) -> None:
    """Write the trees of a head."""
    from finml.models.anomaly.trees import to_onnx

    _whole(folder / forest_file(number), to_onnx(trees, features).SerializeToString())


def write(folder: Path, stored: Stored) -> None:
    """Write all but the forests, which are there already; `info["heads"]` names the heads in order."""
    detector = stored.detector
    names: list[str] = [head["category"] for head in stored.info["heads"]]
    numbers: dict[str, Any] = {
        "median": detector.scaler.median,
        "spread": detector.scaler.spread,
        "grid": detector.grid.scores,
        "quantiles": stored.quantiles,
        "reference": stored.reference.astype(np.float32),
        "reference_categories": np.array(
            [names.index(name) if name in names else 0 for name in stored.reference_categories],
            dtype=np.int16,
        ),
    }
    for number, name in enumerate(names):
        head = detector.heads[name]
        parts = {
            "mean": head.distance.mean,
            "covariance": head.distance.covariance,
            "precision": head.distance.precision,
            "centre": head.centre,
            "view_spread": head.spread,
        }
        numbers |= {f"{part}_{number:02}": values for part, values in parts.items()}
    beside = folder / f"{NUMBERS_FILE}.part"
    with beside.open("wb") as file:
        np.savez_compressed(file, **numbers)
    beside.replace(folder / NUMBERS_FILE)
    _whole(folder / INFO_FILE, (json.dumps(stored.info, indent=2) + "\n").encode())


def read(folder: Path) -> Stored:
    """Read what `write` wrote.

    Raises:
        ModelError: a file is missing, unreadable or of another format.
    """
    try:
        info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
        if info["format"] != FORMAT:
            raise ModelError(
                f"{folder / INFO_FILE} has format {info['format']!r}, this finml reads {FORMAT}",
                hint="train the model again with this version of finml",
            )
        with np.load(folder / NUMBERS_FILE, allow_pickle=False) as numbers:
            return _stored(folder, info, dict(numbers))
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"no usable anomaly model in {folder}: {error}",
            hint="download the version again from the registry, or train a new one",
        ) from error


def _stored(folder: Path, info: Mapping[str, Any], numbers: Mapping[str, Any]) -> Stored:
    names: list[str] = [head["category"] for head in info["heads"]]
    weights = np.array([info["weights"]["forest"], info["weights"]["distance"]], dtype=np.float64)
    heads = {
        name: Head(
            forest=OnnxForest(folder / forest_file(number)),
            distance=Distance(
                *(numbers[f"{part}_{number:02}"] for part in ("mean", "covariance", "precision"))
            ),
            centre=numbers[f"centre_{number:02}"],
            spread=numbers[f"view_spread_{number:02}"],
            weights=weights,
            logs=bool(info["forest_logs"]),
        )
        for number, name in enumerate(names)
    }
    return Stored(
        info=info,
        detector=Detector(Scaler(numbers["median"], numbers["spread"]), heads, Grid(numbers["grid"])),
        quantiles=numbers["quantiles"],
        reference=numbers["reference"].astype(np.float64),
        reference_categories=[names[place] for place in numbers["reference_categories"]],
    )


def _whole(file: Path, content: bytes) -> None:
    beside = file.with_name(f"{file.name}.part")
    beside.write_bytes(content)
    beside.replace(file)
