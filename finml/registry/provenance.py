"""Where a model came from: data, features, pipeline, code and environment of a training."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

import finml
from finml.settings import Settings
from finml.urls import identity

# The libraries whose version can change a model or what it is fed with.
LIBRARIES = (
    "finml", "numpy", "pandas", "pyarrow", "pandera", "ibis-framework", "duckdb", "feast", "scikit-learn",
    "scipy", "xgboost", "optuna", "torch", "transformers", "onnxruntime", "spacy", "prophet", "mlflow", "kfp",
)  # fmt: skip
GIT_TIMEOUT_S = 10


class Lineage(BaseModel):
    """The line of descent of one training.

    Attributes:
        data_hash: hash of the contents of the validated tables, or of the labelled file.
        data_file: name of the labelled file, empty where the rows come from the ledger.
        ledger: URL of the ledger without user and password; empty, like the next two, for a labelled file.
        ledger_id: short name of the ledger.
        project: Feast project of the ledger.
        feature_service: Feast feature service, empty where a model needs none.
        feature_service_version: version of the feature service.
        pipeline_run: id of the pipeline run, empty outside of one.
        seed: seed of every random choice.
        git_commit: commit of finml's checkout, empty where it runs from an installed package.
        git_dirty: whether that checkout had changes that no commit holds.
        python: version of Python.
        libraries: versions of the libraries that matter, by name.
    """

    model_config = ConfigDict(frozen=True)

    data_hash: str
    data_file: str = ""
    ledger: str = ""
    ledger_id: str = ""
    project: str = ""
    feature_service: str = ""
    feature_service_version: str = ""
    pipeline_run: str = ""
    seed: int
    git_commit: str = ""
    git_dirty: bool = False
    python: str
    libraries: dict[str, str] = {}

    @classmethod
    def collect(
        cls,
        settings: Settings,
        *,
        data_hash: str,
        data_file: str = "",
        feature_service: str = "",
        feature_service_version: str = "",
        pipeline_run: str = "",
        seed: int | None = None,
    ) -> Self:
        """The lineage of a training in this process; code and environment are found out here."""
        commit, dirty = git_state()
        ledger = {
            "ledger": identity(settings.ledger),
            "ledger_id": settings.workspace.ledger_id,
            "project": settings.workspace.project,
        }
        return cls(
            data_hash=data_hash,
            data_file=data_file,
            **({} if data_file else ledger),
            feature_service=feature_service,
            feature_service_version=feature_service_version,
            pipeline_run=pipeline_run,
            seed=settings.seed if seed is None else seed,
            git_commit=commit,
            git_dirty=dirty,
            python=platform.python_version(),
            libraries=library_versions(),
        )

    def as_mapping(self) -> dict[str, str]:
        """All of it but the libraries as text, empty entries left out: what a model card shows."""
        fields = self.model_dump(exclude={"libraries"})
        fields["git_dirty"] = "true" if self.git_dirty else ""
        return {key: str(value) for key, value in fields.items() if value != ""}

    def as_tags(self) -> dict[str, str]:
        """The same as MLflow tags."""
        return {f"finml.{key}": value for key, value in self.as_mapping().items()}


def library_versions() -> dict[str, str]:
    """Installed versions of those of `LIBRARIES` that are installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def git_state() -> tuple[str, bool]:
    """Commit of the checkout that finml runs from, and whether it has changes that no commit holds.

    Empty and `False` where it runs from an installed package.
    """
    source = Path(finml.__file__)
    # an installed copy can lie below some other project's checkout, whose commit says nothing
    if _git(source.parent, "ls-files", "--error-unmatch", source.name) is None:
        return "", False
    commit = _git(source.parent, "rev-parse", "HEAD")
    return (commit, bool(_git(source.parent, "status", "--porcelain"))) if commit else ("", False)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603, B607  # fixed words, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # git is where the user's PATH says
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
