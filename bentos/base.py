"""What the API class of every model shares: the model's pinned files, readiness and warm-up."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from bentoml.validators import ContentType

from bentos.release import MODEL_FILES, Release, ReleasedModel
from finml.errors import FinmlError
from finml.registry.manifest import check_manifest

if TYPE_CHECKING:
    from bentoml.exceptions import ServiceUnavailable

F = TypeVar("F", bound=Callable[..., Any])

log = structlog.get_logger(__name__)

MOST_INPUTS = 32
"""Inputs a request."""
# two full requests: a batch of 8 rows gets almost what a larger one gets
MOST_ROWS_A_BATCH = 64
# BentoML sheds a request that has waited, or would wait, longer. Far above the time of a batch, so that a
# burst queues instead of failing; below the edge's limit, which answers 504.
LONGEST_WAIT_MS = 5_000
Json = ContentType("application/json")


def batched(route: str, *, rows: int = MOST_ROWS_A_BATCH) -> Callable[[F], F]:
    """Serve a method on a route, with the inputs of requests that come together in one call.

    Args:
        route: as in `/predict/credit_risk`. The method takes `inputs`, a list of `1 … MOST_INPUTS` items of
            one request's, or more of several requests', and answers a list of the same length and order.
        rows: most inputs a call, no fewer than `MOST_INPUTS`; fewer where answers take long.
    """
    import bentoml

    decorate: Callable[[F], F] = bentoml.api(
        route=route, batchable=True, max_batch_size=rows, max_latency_ms=LONGEST_WAIT_MS
    )
    return decorate


class ModelApi:
    """Base of the API classes. One class can inherit several of them: each calls `super().__init__()` first.

    Attributes:
        release: what the Bento holds.
        probes: by model, a call that reads a feature and scores a row, and raises where it cannot.
    """

    def __init__(self) -> None:
        self.release = Release.read()
        self.probes: dict[str, Callable[[], object]] = {}

    def warm_up(self) -> None:
        """Score once with every model, so that no caller waits for what happens only the first time."""
        ready = self.__is_ready__()
        # what was loaded stays: the collector need not walk it again, which pauses for 100 ms and more
        gc.collect()
        gc.freeze()
        log.info("warmed_up", ready=ready, models=[model.spec for model in self.release.models])

    def __is_alive__(self) -> bool:
        """For `/livez`: the process answers."""
        return True

    def __is_ready__(self) -> bool:
        """For `/readyz`: every model has just read a feature and scored a row."""
        for model, probe in self.probes.items():
            try:
                probe()
            except FinmlError as error:
                log.warning("not_ready", model=model, message=str(error), hint=error.hint)
                return False
        return True


def unavailable(model: str, error: FinmlError) -> "ServiceUnavailable":
    """Log why a model cannot answer now, and make the exception that BentoML turns into 503."""
    from bentoml.exceptions import ServiceUnavailable

    log.error("model_unavailable", model=model, message=str(error), hint=error.hint)
    return ServiceUnavailable(str(error))


def pinned_files(model: ReleasedModel) -> Path:
    """Folder with the files of a released model, each compared with its hash.

    Raises:
        IntegrityError: a file is not the one that was packaged.
    """
    from bentoml.models import BentoModel

    folder = Path(BentoModel(model.tag).resolve().path_of(MODEL_FILES))
    check_manifest(folder, model.manifest_sha256)
    return folder
