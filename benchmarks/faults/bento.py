"""The Bentos that faults are done to."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from bentos.release import MODEL_FILES, RELEASE_FILE, Variant
from bentos.server import SERVICE, newest_bento
from finml.models.credit_risk.runtime import INFO_FILE
from finml.settings import Settings, get_settings

MODEL = "credit_risk"
DAMAGED = 999


@cache
def newest() -> str:
    """The Bento that was the newest as the faults began: those for single faults are packaged on the way."""
    return newest_bento(get_settings())


@contextmanager
def packaged(settings: Settings, model: str = MODEL, others: Sequence[Variant] = ()) -> Iterator[str]:
    """A Bento of one champion, over the store that the settings name, until the block ends; gives its tag.

    Args:
        settings: name the store.
        model: the model.
        others: variants that the same version is packaged as too.
    """
    bentos = settings.bento_home / "bentos" / SERVICE
    before = (bentos / "latest").read_text(encoding="utf-8")
    tag = package_of(settings, model, others)
    try:
        yield tag
    finally:
        (bentos / "latest").write_text(before, encoding="utf-8")
        shutil.rmtree(bentos / tag.partition(":")[2])
        shutil.rmtree(settings.bento_home / "models" / model / str(DAMAGED), ignore_errors=True)


def package_of(settings: Settings, model: str, others: Sequence[Variant]) -> str:
    """Package one champion and, as other variants, the same version again."""
    from bentos.packaging import package
    from feature_repo import definitions
    from finml.registry.client import connect
    from finml.registry.versions import find

    with connect(settings) as client:
        champion = find(client, model, "champion")
    return package(
        settings,
        [champion],
        definitions(settings),
        challengers=[champion] if "challenger" in others else [],
        previous=[champion] if "previous" in others else [],
    ).tag


def filled(settings: Settings) -> None:
    """Put the ledger's features into the store that the settings name."""
    from feature_repo import definitions
    from finml.features.materialize import materialize
    from finml.features.store import apply

    repo = definitions(settings)
    apply(settings, repo)
    materialize(settings, repo, full=True)


def damaged(settings: Settings, tag: str, alias: Variant) -> None:
    """Put a version into a Bento that raises for whoever is known, under a manifest that fits its files.

    The words of its reasons have a place too many. The user of the row that a service scores before it is
    ready is nobody, of whom no such words are said.
    """
    from finml.registry.manifest import write_manifest

    models = settings.bento_home / "models" / MODEL
    document = settings.bento_home.joinpath("bentos", *tag.split(":"), "src", "serving", RELEASE_FILE)
    release = json.loads(document.read_text(encoding="utf-8"))
    (entry,) = (one for one in release["models"] if one["alias"] == alias)
    broken = models / str(DAMAGED)
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(models / str(entry["version"]), broken)
    replace_in(broken / "model.yaml", f"version: '{entry['version']}'", f"version: '{DAMAGED}'")
    replace_in(broken / MODEL_FILES / INFO_FILE, "{}", "{1}")
    entry |= {"version": DAMAGED, "manifest_sha256": write_manifest(broken / MODEL_FILES)}
    document.write_text(json.dumps(release), encoding="utf-8")


def replace_in(file: Path, old: str, new: str) -> None:
    """Replace a text in a file that has it.

    Raises:
        ValueError: it has not.
    """
    text = file.read_text(encoding="utf-8")
    if old not in text:
        raise ValueError(f"{file} does not say {old!r}")
    file.write_text(text.replace(old, new), encoding="utf-8")
