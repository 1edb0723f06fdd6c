"""The service that a Bento runs: the APIs of all models in one process tree, behind one edge."""

import bentoml
from bentoml.models import BentoModel

from bentos.apis import released_apis
from bentos.pages import pages
from bentos.problems import ProblemMiddleware
from bentos.quiet import quieten_bentoml
from bentos.release import Release
from finml.logs import configure_logging
from finml.settings import get_settings

RELEASE = Release.read()
# BentoML's own limit lies outside of ours, whose answer is a problem document
TIMEOUT_S = 10.0


@bentoml.asgi_app(pages, path="/")
@bentoml.service(
    name="finance",
    traffic={"timeout": 3 * TIMEOUT_S},
    # the edge logs each request, with its id
    logging={"access": {"enabled": False}},
)
class Finance(*released_apis(RELEASE)):  # type: ignore[misc]  # known once there is a release
    """finml's models over HTTP. Every answer names the model version that gave it."""

    def __init__(self) -> None:
        configure_logging(get_settings())
        quieten_bentoml()
        super().__init__()
        self.warm_up()


Finance.add_asgi_middleware(ProblemMiddleware, timeout_s=TIMEOUT_S)
Finance.models.extend(BentoModel(model.tag) for model in RELEASE.models)
