"""The service that a Bento runs: the APIs of all models in one process tree, behind one edge."""

from typing import Any, cast

import bentoml
from bentoml.models import BentoModel

from bentos.apis import released_apis
from bentos.fronted import OPTIONS, FrontedApi, put_edge_before
from bentos.release import Release

RELEASE = Release.read()


@bentoml.service(name="finance", **OPTIONS)
class Finance(FrontedApi, *released_apis(RELEASE)):  # type: ignore[misc]  # known once there is a release
    """finml's models over HTTP. Every answer names the model version that gave it."""


put_edge_before(Finance)
# the decorator has made it a service, whose models these are, not those of the class
cast("Any", Finance).models.extend(BentoModel(tag) for tag in RELEASE.tags)
