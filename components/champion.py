"""The versions in charge, for the steps that compare with them or release them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from finml.errors import NotApprovedError, PackageError
from finml.models.base import Model, Predictor
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.registry.versions import Version

log = structlog.get_logger(__name__)


@contextmanager
def champion_of(model: Model, settings: Settings) -> Iterator[tuple[str | None, Predictor | None]]:
    """The champion's version and the loaded model, or twice `None` where there is no champion yet."""
    from finml.registry.delivery import fetch

    version = versions_by_model(settings, "champion").get(model.name)
    if version is None:
        yield None, None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield version.spec, model.load(fetch(settings, version, Path(folder) / "champion"))


def champions(models: Sequence[str], settings: Settings) -> "list[Version]":
    """The champion of each of these models, or of every model that has one.

    Raises:
        NotApprovedError: a model has none, or none of them has.
    """
    found = versions_by_model(settings, "champion")
    missing = [name for name in models if name not in found]
    if missing or not found:
        raise NotApprovedError(
            f"{' and '.join(missing) if missing else 'no model'} has "
            f"{'no' if missing else 'a'} champion, so there is nothing to release",
            hint="`finml run training` makes one where the gate approves; `finml models list` shows what "
            "waits for approval",
        )
    return [found[name] for name in models or sorted(found)]


def beside(
    champions: "Sequence[Version]", alias: Literal["challenger", "previous"], settings: Settings
) -> "list[Version]":
    """The challenger, or the previous champion, of each of these champions' models that has one.

    A version of another ledger than the champions' is left out: a Bento reads the features of one.
    """
    ledgers = {champion.ledger for champion in champions if champion.ledger}
    found = versions_by_model(settings, alias)
    chosen = []
    for champion in champions:
        version = found.get(champion.name)
        if version is None or version.version == champion.version:
            continue
        if version.ledger and ledgers and version.ledger not in ledgers:
            log.warning("variant_left_out", version=version.spec, alias=alias, words="of another ledger")
            continue
        chosen.append(version)
    return chosen


def on_their_ledger(versions: "Sequence[Version]", settings: Settings) -> Settings:
    """The settings over the ledger that these versions were trained on, whose features they are to be fed.

    Raises:
        PackageError: they were trained on different ledgers, and a Bento reads the features of one.
    """
    ledgers = {version.ledger for version in versions if version.ledger}
    if len(ledgers) > 1:
        raise PackageError(
            f"the champions were trained on different ledgers: {', '.join(sorted(ledgers))}",
            hint="release them apart, each by --model, or train them on one ledger",
        )
    return settings.with_ledger(next(iter(ledgers), None))


def versions_by_model(
    settings: Settings, alias: Literal["champion", "challenger", "previous"]
) -> "dict[str, Version]":
    """Every version of that alias by its model's name."""
    from finml.registry.versions import list_models

    return {
        entry.name: version
        for entry in list_models(settings)
        for version in entry.versions
        if alias in version.aliases
    }
