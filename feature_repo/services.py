"""Feature services: what each model reads, in training and when served. One service a model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from finml.features.declarations import SERVICES, VIEWS

if TYPE_CHECKING:
    from feast import FeatureService
    from feast.base_feature_view import BaseFeatureView


def services(views: Sequence["BaseFeatureView"]) -> list["FeatureService"]:
    """One service for each entry of `declarations.SERVICES`."""
    from feast import FeatureService

    by_name = {view.name: view for view in views}
    return [
        FeatureService(
            name=name,
            features=[by_name[view] for view in names],
            description=f"features of {name.rpartition('_v')[0]}",
            tags={"version": name.rpartition("_v")[2], "owner": VIEWS[names[0]].owner},
        )
        for name, names in SERVICES.items()
    ]
