"""From approved versions in the registry to a Bento that holds exactly these."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import yaml
from pydantic import BaseModel

import bentos
from bentos.processes import bentoml_environment, last_words, python, run
from bentos.release import FEATURES_FOLDER, VARIANTS, GateFigure, Release, ReleasedModel, Variant
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


def package(
    settings: Settings,
    champions: Sequence[Version],
    repo: "FeatureRepo",
    *,
    challengers: Sequence[Version] = (),
    previous: Sequence[Version] = (),
) -> PackagedBento:
    """Build a Bento of exactly these versions.

    Each version's verdict is computed again from its evaluation and gate, and each file compared with the
    hash that it was registered with.

    Args:
        settings: names the registry, the ledger whose features are served, and the Bento store.
        champions: one version of each model.
        repo: the feature repository's objects, `feature_repo.definitions(settings)`.
        challengers: versions to be compared with the champions, at most one a model.
        previous: versions to go back to, at most one a model.

    Raises:
        UsageError: no champion, two of a model in one role, or another version of a model without a champion.
        NotApprovedError: a version lacks an approving verdict or a person's approval.
        IntegrityError: a version's files or verdict are not the registered ones.
        PackageError: BentoML cannot build the Bento; the message ends with what it said.
    """
    from finml.registry.delivery import fetch, recheck

    by_alias: dict[Variant, Sequence[Version]] = {
        "champion": champions,
        "challenger": challengers,
        "previous": previous,
    }
    check_roles(by_alias)
    with tempfile.TemporaryDirectory(prefix="finml-bento-") as temporary:
        models, context = Path(temporary, "models"), Path(temporary, "context")
        released = []
        versions = [(alias, version) for alias in VARIANTS for version in by_alias[alias]]
        # a stable sort: the champion of each model comes first
        for alias, version in sorted(versions, key=lambda each: each[1].name):
            verdict = recheck(settings, version)
            fetch(settings, version, models / version.name / str(version.version))
            gate = [GateFigure.model_validate(check.model_dump()) for check in verdict.checks]
            fields = version.model_dump(include=RELEASED_FIELDS)
            released.append(ReleasedModel(**fields, alias=alias, gate=gate))
        release = Release(project=settings.workspace.project, models=released)
        lay_out(context, release)
        served = [version for _, version in versions]
        export_features(settings, served, repo, context / "serving" / FEATURES_FOLDER)
        built = build(context, models, settings.bento_home)
    log.info("bento_packaged", tag=built["tag"], models=[model.spec for model in released])
    return PackagedBento(tag=built["tag"], path=Path(built["path"]), release=release)


def check_roles(by_alias: Mapping[Variant, Sequence[Version]]) -> None:
    """Raise `UsageError` unless each model has one champion and at most one of each other variant."""
    champions = {version.name for version in by_alias["champion"]}
    for alias, versions in by_alias.items():
        names = [version.name for version in versions]
        twice = len(set(names)) < len(names)
        if twice or not champions or not champions.issuperset(names):
            raise UsageError(
                f"cannot package {', '.join(version.spec for version in versions) or 'nothing'} as {alias}",
                hint="name one champion of each model, and others of these models only",
            )


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


RELEASED_FIELDS = set(ReleasedModel.model_fields) - {"gate", "alias"}


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
    bentofile["models"] = release.tags
    (context / "bentofile.yaml").write_text(yaml.safe_dump(bentofile), encoding="utf-8")
    release.write(context / "serving")
    (context / "README.md").write_text(readme(release), encoding="utf-8")


def readme(release: Release) -> str:
    """What the Bento's own page says about it."""
    rows = [
        f"| {model.name} | {model.alias} | {model.version} | `{model.manifest_sha256}` "
        f"| {model.feature_service or 'none'} |"
        for model in release.models
    ]
    return "\n".join(
        [
            "# finance",
            "",
            "finml's HTTP service, with exactly these approved model versions:",
            "",
            "| model | variant | version | SHA-256 of its manifest | feature service |",
            "|---|---|---|---|---|",
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
