"""MLServer's custom runtimes, for its adaptive batching."""

from typing import Any, Literal

import numpy as np
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from benchmarks.serving.peers.models import Intent, OnnxTrees


class CreditRiskPeer(MLModel):
    """Credit risk: an (n, k) tensor in, n probabilities out."""

    async def load(self) -> bool:
        """Load the model, in the worker."""
        self.model = OnnxTrees()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Probabilities."""
        given = payload.inputs[0]
        matrix = np.array(given.data.root, dtype=np.float32).reshape(given.shape)
        found = self.model.of_matrix(matrix)
        return _response(self.name, payload, "probability", "FP64", found)


class IntentPeer(MLModel):
    """Intent: n texts in, n intents out."""

    async def load(self) -> bool:
        """Load the model, in the worker."""
        self.model = Intent()
        self.model.answers(["hello there"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Intents."""
        texts = [text.decode() if isinstance(text, bytes) else text for text in payload.inputs[0].data.root]
        found = [answer["intent"] for answer in self.model.answers(texts)]
        return _response(self.name, payload, "intent", "BYTES", found)


def _response(
    model: str, asked: InferenceRequest, name: str, kind: Literal["FP64", "BYTES"], data: list[Any]
) -> InferenceResponse:
    output = ResponseOutput(name=name, shape=[len(data), 1], datatype=kind, data=data)
    return InferenceResponse(id=asked.id, model_name=model, outputs=[output])
