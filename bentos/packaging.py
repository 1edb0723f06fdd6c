"""From approved versions in the registry to a Bento that holds exactly these."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import yaml
from pydantic import BaseModel

import bentos
from bentos.processes import bentoml_environment, last_words, python, run
from bentos.release import FEATURES_FOLDER, GateFigure, Release, ReleasedModel
from finml.errors import FeatureError, PackageError, UsageError
from finml.registry.versions import Version
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.features.store import FeatureRepo

log = structlog.get_logger(__name__)

ROOT = Path(bentos.__file__).parents[1]
SOURCES = ("bentos", "finml", "bentofile.yaml", ".bentoignore")


class PackagedBento(BaseModel):
    """A Bento in the local store.

    Attributes:
        tag: BentoML's name for it, as in `finance:kj3…`.
        path: its folder.
        release: what it holds.
    """

    tag: str
    path: Path
    release: Release


def package(settings: Settings, versions: Sequence[Version], repo: "FeatureRepo") -> PackagedBento:
    """Build a Bento of exactly these versions.

    Each version's verdict is computed again from its evaluation and gate, and each file compared with the
    hash that it was registered with.

    Args:
        settings: names the registry, the ledger whose features are served, and the Bento store.
        versions: one version of each model.
        repo: the feature repository's objects, `feature_repo.definitions(settings)`.

    Raises:
        UsageError: no version, or two of the same model.
        NotApprovedError: a version lacks an approving verdict or a person's approval.
        IntegrityError: a version's files or verdict are not the registered ones.
        PackageError: BentoML cannot build the Bento; the message ends with what it said.
    """
    from finml.registry.delivery import fetch, recheck

    names = [version.name for version in versions]
    if not names or len(set(names)) < len(names):
        raise UsageError(
            f"cannot package {', '.join(version.spec for version in versions) or 'nothing'}",
            hint="name one version of each model",
        )
    with tempfile.TemporaryDirectory(prefix="finml-bento-") as temporary:
        models, context = Path(temporary, "models"), Path(temporary, "context")
        released = []
        for version in sorted(versions, key=lambda each: each.name):
            verdict = recheck(settings, version)
            fetch(settings, version, models / version.name)
            gate = [GateFigure.model_validate(check.model_dump()) for check in verdict.checks]
            released.append(ReleasedModel(**version.model_dump(include=RELEASED_FIELDS), gate=gate))
        release = Release(project=settings.workspace.project, models=released)
        lay_out(context, release)
        export_features(settings, versions, repo, context / "serving" / FEATURES_FOLDER)
        built = build(context, models, settings.bento_home)
    log.info("bento_packaged", tag=built["tag"], models=[model.spec for model in released])
    return PackagedBento(tag=built["tag"], path=Path(built["path"]), release=release)


def export_features(
    settings: Settings, versions: Sequence[Version], repo: "FeatureRepo", folder: Path
) -> None:
    """Write what the service reads features by, where a version reads some.

    Where all such versions were trained on files there may be no ledger and no feature; they are served all
    the same, to requests that bring what they need.

    Raises:
        FeatureError: nothing is registered for the ledger that a version was trained on.
    """
    from finml.features.serving import export_serving

    readers = [version for version in versions if version.feature_service]
    if not readers:
        return
    try:
        export_serving(settings, repo, folder)
    except FeatureError as error:
        if not all(version.data_file for version in readers):
            raise
        log.warning("no_features_to_serve", models=[version.spec for version in readers], words=str(error))


RELEASED_FIELDS = set(ReleasedModel.model_fields) - {"gate"}


def lay_out(context: Path, release: Release) -> None:
    """Copy what a Bento is built from into a clean folder, so that no state or secret beside it gets in.

    Raises:
        PackageError: the sources are not there.
    """
    context.mkdir(parents=True)
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        elif source.is_file():
            shutil.copy2(source, context / name)
        else:
            raise PackageError(
                f"{source} is missing", hint="package from a checkout of finml, or in its component image"
            )
    bentofile = yaml.safe_load((context / "bentofile.yaml").read_text(encoding="utf-8"))
    bentofile["models"] = [model.tag for model in release.models]
    (context / "bentofile.yaml").write_text(yaml.safe_dump(bentofile), encoding="utf-8")
    release.write(context / "serving")
    (context / "README.md").write_text(readme(release), encoding="utf-8")


def readme(release: Release) -> str:
    """What the Bento's own page says about it."""
    rows = [
        f"| {model.name} | {model.version} | `{model.manifest_sha256}` | {model.feature_service or 'none'} |"
        for model in release.models
    ]
    return "\n".join(
        [
            "# finance",
            "",
            "finml's HTTP service, with exactly these approved model versions:",
            "",
            "| model | version | SHA-256 of its manifest | feature service |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Features come from Feast project `{release.project}`.",
            "",
        ]
    )


def build(context: Path, models: Path, bento_home: Path) -> dict[str, str]:
    """Build the Bento of a laid-out folder in a process of its own, see `bentos.build`."""
    bento_home.mkdir(parents=True, exist_ok=True)
    done = run(python("-m", "bentos.build", str(models)), cwd=context, env=bentoml_environment(bento_home))
    if done.returncode:
        raise PackageError(f"the Bento cannot be built: {last_words(done)}")
    built: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return built
