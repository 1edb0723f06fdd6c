"""What the API class of every model shares: the loaded versions, readiness and warm-up."""

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import structlog
from bentoml.validators import ContentType

from bentos.batching import Limits
from bentos.metrics import process_metrics
from bentos.release import MODEL_FILES, Release, ReleasedModel
from bentos.routes import MOST_INPUTS, path_of
from bentos.served import ServedModel
from bentos.serving import Action, Scorer, Serving
from finml.errors import FinmlError
from finml.registry.manifest import check_manifest
from finml.routing.router import Router
from finml.settings import Settings, get_settings

F = TypeVar("F", bound=Callable[..., Any])

log = structlog.get_logger(__name__)

Json = ContentType("application/json")

COLLECT_AFTER = (10_000, 20, 20)
"""Objects made since a collection after which the next one comes, then collections before one of older ones.

Requests make many objects and few cycles: by Python's own 700, collecting takes a twentieth of the time."""


def api(action: Action, model: str) -> Callable[[F], F]:
    """Declare a method as an action of a model: BentoML describes its route, the edge answers it.

    Args:
        action: `predict` or `explain`.
        model: the model's name.
    """
    import bentoml

    decorate: Callable[[F], F] = bentoml.api(route=path_of(model, action))
    return decorate


class ModelApi:
    """Base of the API classes; a service can inherit several of them.

    Attributes:
        serving: how the model of an API class is served.
        release: what the Bento holds.
        models: the model of each API class, by name.
    """

    serving: ClassVar[Serving]
    _preloaded: ClassVar[Mapping[str, Mapping[str, Scorer]]] = {}

    def __init__(self) -> None:
        settings = get_settings()
        self.release = Release.read()
        self.metrics = process_metrics()
        servings = self._servings()
        self.router = Router(
            settings.routing, {one.model: list(self.release.variants(one.model)) for one in servings}
        )
        limits = Limits(settings.batch_rows, settings.queue_rows, settings.queue_wait_s)
        loaded = self._preloaded or self._load(self.release, settings)
        self.models = {
            one.model: ServedModel(one, loaded[one.model], self.router, limits, self.metrics.batch)
            for one in servings
        }

    @classmethod
    def preload(cls) -> None:
        """Load the models before there is a service, so that processes forked from this one share them."""
        cls._preloaded = cls._load(Release.read(), get_settings())

    def scorer(self, model: str) -> Scorer:
        """The champion of a model."""
        return self.models[model].variants["champion"].scorer

    async def answer(self, model: str, action: Action, inputs: Sequence[Any]) -> list[Any]:
        """Outputs of a model, for callers in this process and for a service without the edge."""
        given = await self.models[model].answer(action, inputs)
        return [one.answered.output for one in given]

    def warm_up(self) -> None:
        """Score once with every version, so that no caller waits for what happens only the first time."""
        ready = self.__is_ready__()
        # what was loaded stays: the collector need not walk it again, which pauses for 100 ms and more
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        log.info("warmed_up", ready=ready, models=[model.spec for model in self.release.models])

    def __is_alive__(self) -> bool:
        """For `/livez`: the process answers."""
        return True

    def __is_ready__(self) -> bool:
        """For `/readyz`: every version of every model has just read a feature and scored a row."""
        for name, model in self.models.items():
            try:
                model.probe()
            except FinmlError as error:
                log.warning("not_ready", model=name, message=str(error), hint=error.hint)
                return False
        return True

    @classmethod
    def _servings(cls) -> list[Serving]:
        return [base.__dict__["serving"] for base in cls.__mro__ if "serving" in base.__dict__]

    @classmethod
    def _load(cls, release: Release, settings: Settings) -> dict[str, dict[str, Scorer]]:
        """A scorer of each variant of each model."""
        return {one.model: scorers(one, release, settings) for one in cls._servings()}


def scorers(serving: Serving, release: Release, settings: Settings) -> dict[str, Scorer]:
    """A scorer of each variant of a model; one that two variants share is loaded once."""
    loaded: dict[str, Scorer] = {}
    variants = release.variants(serving.model)
    for released in variants.values():
        if released.spec not in loaded:
            loaded[released.spec] = serving.load(released, settings)
    return {alias: loaded[released.spec] for alias, released in variants.items()}


def pinned_files(model: ReleasedModel) -> Path:
    """Folder with the files of a released model, each compared with its hash.

    Raises:
        IntegrityError: a file is not the one that was packaged.
    """
    from bentoml.models import BentoModel

    folder = Path(BentoModel(model.tag).resolve().path_of(MODEL_FILES))
    check_manifest(folder, model.manifest_sha256)
    return folder


__all__ = ["MOST_INPUTS", "Json", "ModelApi", "api", "pinned_files"]
