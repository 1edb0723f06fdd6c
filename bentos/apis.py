"""The API class of each model: the module of the model's name in this package, which calls it `API`."""

import importlib

from bentos.base import ModelApi
from bentos.release import Release


def api(model: str) -> type[ModelApi]:
    """The API class of a model."""
    found: type[ModelApi] = importlib.import_module(f"bentos.{model}").API
    return found


def released_apis(release: Release) -> tuple[type[ModelApi], ...]:
    """The API classes of the models that a Bento holds; those of others are not even imported."""
    return tuple(api(name) for name in release.names)
