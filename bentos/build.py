"""Builds the Bento of a laid-out folder. `bentos.packaging` runs it there: `python -m bentos.build MODELS`.

A process of its own, since BentoML imports the service from the folder, and by the same names as here.
"""

import json
import shutil
import sys
from pathlib import Path

from bentos.release import MODEL_FILES, Release, ReleasedModel
from finml.errors import PackageError
from finml.registry.manifest import check_manifest


def main(models: Path) -> None:
    """Store each model, build the Bento, and print its tag and path as one line of JSON.

    Args:
        models: folder with the files of each version in the subfolder `NAME/NUMBER`.
    """
    import bentoml

    release = Release.read()
    for model in release.models:
        store(model, models / model.name / str(model.version))
    bento = bentoml.bentos.build_bentofile(build_ctx=str(Path.cwd()), labels=labels_of(release))
    sys.stdout.write(json.dumps({"tag": str(bento.tag), "path": str(bento.path)}) + "\n")


def labels_of(release: Release) -> dict[str, str]:
    """Number and hash of each version; of a champion by the model's name, of others by the alias too."""
    labels: dict[str, str] = {}
    for model in release.models:
        about = model.name if model.alias == "champion" else f"{model.name}.{model.alias}"
        labels |= {f"{about}.version": str(model.version), f"{about}.manifest_sha256": model.manifest_sha256}
    return labels


def store(model: ReleasedModel, folder: Path) -> None:
    """Put a model's files into BentoML's model store, unless just these are there already.

    Raises:
        PackageError: the store holds other files under that name and number.
    """
    import bentoml

    try:
        stored = bentoml.models.get(model.tag)
    except bentoml.exceptions.NotFound:
        with bentoml.models.create(model.tag, labels={"manifest_sha256": model.manifest_sha256}) as created:
            shutil.copytree(folder, created.path_of(MODEL_FILES))
        return
    if check_manifest(Path(stored.path_of(MODEL_FILES))) != model.manifest_sha256:
        raise PackageError(
            f"BentoML's model store has another {model.tag}",
            hint=f"remove {stored.path}, which no Bento of this registry can be using",
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
