"""What the service depends on, as checks for its health."""

from collections.abc import Mapping

from bentos.features import ServedFeatures
from bentos.health import Check, Health
from bentos.records import Records
from bentos.served import ServedModel
from finml.errors import RoutingError
from finml.routing.router import Router


def health_of(models: Mapping[str, ServedModel], router: Router, records: Records) -> Health:
    """Checks of each model, of each store that one reads, of the routing file, and of the inference log.

    The service is ready without the last two: where the file is broken, the routing before it is followed;
    where the log cannot be written, predictions wait for it, and those beyond are dropped.
    """
    required: dict[str, Check] = {f"model:{name}": model.probe for name, model in models.items()}
    for name, model in models.items():
        for variant in model.variants.values():
            features = getattr(variant.scorer, "features", None)
            if isinstance(features, ServedFeatures) and features.defined:
                required[f"online_store:{name}"] = features.check

    def followed() -> None:
        if router.error:
            raise RoutingError(router.error)

    others: dict[str, Check] = {"routing": followed, "inference_log": records.check}
    return Health(required | others, required=required)
