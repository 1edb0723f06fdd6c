"""The Feast repository: entities, sources, views and services, made from `finml.features.declarations`."""

from pathlib import Path

from finml.features.store import FeatureRepo
from finml.settings import Settings


def definitions(settings: Settings) -> FeatureRepo:
    """Every object of the feature store, for the stores that the settings name. Connects to nothing."""
    from feature_repo import entities, services, views

    stored = views.stored(settings)
    on_demand = views.on_demand(stored)
    everything = [*stored, *on_demand]
    return FeatureRepo(
        objects=(entities.user(), *everything, *services.services(everything)), folder=Path(__file__).parent
    )
