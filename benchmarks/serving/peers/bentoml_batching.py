"""BentoML with its own adaptive batching."""

from typing import Any

import bentoml
from pydantic import BaseModel

from benchmarks.serving.peers.models import Intent, OnnxTrees


class Loan(BaseModel):
    """One row."""

    features: dict[str, float | None]


@bentoml.service(workers=2)
class CreditRiskPeer:
    """Credit risk."""

    def __init__(self) -> None:
        self.model = OnnxTrees()

    # a bound on latency below which it answers nearly every request with 503
    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=60)
    def credit_risk(self, loans: list[Loan]) -> list[float]:
        """Probabilities."""
        return self.model.probabilities([loan.features for loan in loans])


@bentoml.service(workers=2)
class IntentPeer:
    """Intent."""

    def __init__(self) -> None:
        self.model = Intent()
        self.model.answers(["hello there"])

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    def intent(self, texts: list[str]) -> list[dict[str, Any]]:
        """Intents and confidences."""
        return self.model.answers(texts)
