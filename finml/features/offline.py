"""The offline store's files: generations that are complete or not there at all.

A generation is a folder with one subfolder a feature view, Parquet files in it, and a manifest. `current` is
a link to the generation in use; moving it is the one step that commits a build. What a killed build leaves
behind is never read and is cleared away by the next one. Parts that did not change are hard links to the same
files.

    features/current -> generations/000007
    features/generations/000007/manifest.json
    features/generations/000007/user_financials/2024-01-31T235959-3f6c01d2a4b8.parquet
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from finml.errors import FeatureError

MANIFEST = "manifest.json"
SCRATCH = ".scratch-"
"""How the names of working folders begin that may be removed when no build runs."""
KEPT = 2
"""Generations kept: the one in use and, for readers that still hold it open, the one before."""


class Part(BaseModel):
    """Rows that are built together and kept in one file a view.

    Attributes:
        name: file name without suffix.
        kind: `snapshot`, every user at one moment, or `exact`, some users each at a moment of their own.
        first: least `event_timestamp` in it, naive UTC.
        last: greatest `event_timestamp` in it.
        fingerprint: hash of everything that its values depend on.
        rows: rows a view.
        views: the views that it has a file of; none in manifests from before parts had their own.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    first: datetime
    last: datetime
    fingerprint: str
    rows: int
    views: tuple[str, ...] = ()


class Manifest(BaseModel):
    """What a generation holds.

    Attributes:
        now: the ledger's present, the moment of the last snapshot.
        data_hash: hash of the validated tables that it was built from, or empty.
    """

    model_config = ConfigDict(frozen=True)

    calendar: str
    now: datetime
    data_hash: str = ""
    views: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def latest(self) -> Part:
        """The snapshot of the ledger's present, the one part that is sure to hold every view."""
        return max((part for part in self.parts if part.kind == "snapshot"), key=lambda part: part.last)


class Generation:
    """A generation that is being built. Not visible until the store commits it."""

    def __init__(self, folder: Path, previous: Path) -> None:
        self.folder = folder
        self._previous = previous

    def path(self, view: str, part_name: str) -> Path:
        """Where a part's rows of a view are to be written."""
        return self.folder / view / f"{part_name}.parquet"

    def reuse(self, part: Part) -> None:
        """Take a part over from the generation in use."""
        for view in part.views:
            source = self._previous / view / f"{part.name}.parquet"
            try:
                os.link(source, self.path(view, part.name))
            except OSError:  # a file system without hard links
                shutil.copyfile(source, self.path(view, part.name))


class OfflineStore:
    """The folder of one ledger's features."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.current = folder / "current"
        self._generations = folder / "generations"

    def view(self, name: str) -> Path:
        """Folder of a view's Parquet files, the same for every generation."""
        return self.current / name

    def parts(self) -> dict[str, Part]:
        """The parts of the generation in use by name, those whose files are all there."""
        manifest = self.manifest()
        if manifest is None:
            return {}
        return {
            part.name: part
            for part in manifest.parts
            if part.views and all((self.view(view) / f"{part.name}.parquet").is_file() for view in part.views)
        }

    def manifest(self) -> Manifest | None:
        """What the generation in use holds; `None` before the first build.

        Raises:
            FeatureError: the manifest cannot be read.
        """
        path = self.current / MANIFEST
        if not path.is_file():
            return None
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except ValidationError:
            raise FeatureError(
                f"{path} is not a manifest of features", hint=f"remove {self.folder} and build again"
            ) from None

    def require(self) -> Manifest:
        """What the generation in use holds.

        Raises:
            FeatureError: nothing has been built.
        """
        manifest = self.manifest()
        if manifest is None:
            raise FeatureError("no features have been built from this ledger", hint="run: finml run features")
        return manifest

    @contextmanager
    def building(self, views: Sequence[str]) -> Iterator[Generation]:
        """A new generation to write into. Only one build at a time; others wait.

        What is not committed inside the block is removed after it.
        """
        self._generations.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            folder = self._generations / ".building"
            for left_behind in (folder, *self.folder.glob(f"{SCRATCH}*")):
                shutil.rmtree(left_behind, ignore_errors=True)
            for view in views:
                (folder / view).mkdir(parents=True)
            try:
                yield Generation(folder, self.current.resolve())
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def commit(self, generation: Generation, manifest: Manifest) -> None:
        """Make a generation the one in use."""
        (generation.folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        numbers = self._numbers()
        name = f"{max(numbers, default=0) + 1:06d}"
        generation.folder.rename(self._generations / name)
        link = self.folder / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("generations") / name, target_is_directory=True)
        link.replace(self.current)
        for number in numbers[: -(KEPT - 1)]:
            shutil.rmtree(self._generations / f"{number:06d}", ignore_errors=True)

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._generations.iterdir() if path.name.isdigit())
