"""What a Bento holds: written when it is packaged, read when it is served, shown by `GET /models`."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from finml.errors import ServeError

# beside the packages `bentos` and `finml`, in the repository's place of the Bento
SERVING = Path(__file__).parents[1] / "serving"
RELEASE_FILE = "release.json"
FEATURES_FOLDER = "features"
MODEL_FILES = "files"

Variant = Literal["champion", "challenger", "previous"]
VARIANTS: tuple[Variant, ...] = ("champion", "challenger", "previous")


class GateFigure(BaseModel):
    """One figure that the gate looked at, with its limit and whether it passed."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float | None
    limit: float | None
    passed: bool
    words: str


class ReleasedModel(BaseModel):
    """One approved version of one model.

    Attributes:
        alias: what it is in this release; which requests it answers, the routing says.
        feature_service: empty where it reads no features.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    alias: Variant = "champion"
    manifest_sha256: str
    feature_service: str = ""
    run_id: str
    git_commit: str
    data_hash: str
    gate: list[GateFigure]

    @property
    def spec(self) -> str:
        """As the registry names it, as in `credit_risk@7`."""
        return f"{self.name}@{self.version}"

    @property
    def tag(self) -> str:
        """As BentoML's model store names it, as in `credit_risk:7`."""
        return f"{self.name}:{self.version}"


class Release(BaseModel):
    """All that a Bento serves.

    Attributes:
        project: Feast project whose features are read.
        models: by name, each champion first, then a challenger and the previous one where there are.
    """

    model_config = ConfigDict(frozen=True)

    project: str
    models: list[ReleasedModel]

    @classmethod
    def read(cls, folder: Path | None = None) -> "Release":
        """The release that this process is to serve.

        Args:
            folder: where it is; `None` for its place in a Bento.

        Raises:
            ServeError: there is none here, as in a repository: only a Bento has one.
        """
        folder = folder or SERVING
        try:
            return cls.model_validate_json((folder / RELEASE_FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise ServeError(
                f"no release in {folder}: {error}",
                hint="the service runs from a Bento: `finml run release`, then `finml serve`",
            ) from None

    def write(self, folder: Path) -> None:
        """Write the release where `read` finds it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RELEASE_FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @property
    def names(self) -> list[str]:
        """The models' names, each once, sorted."""
        return sorted({model.name for model in self.models})

    @property
    def tags(self) -> list[str]:
        """The versions as BentoML's store names them, each once: one version can be in two variants."""
        return list(dict.fromkeys(model.tag for model in self.models))

    def variants(self, name: str) -> dict[Variant, ReleasedModel]:
        """The versions of that model by alias, champion first; empty where the release has none."""
        return {model.alias: model for model in self.models if model.name == name}

    def model(self, name: str) -> ReleasedModel:
        """The champion of that model.

        Raises:
            ServeError: the release has none.
        """
        champion = self.variants(name).get("champion")
        if champion:
            return champion
        raise ServeError(f"this Bento holds no model {name}", hint="package it together with the others")
