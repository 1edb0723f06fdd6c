"""LitServe with its batching: `python -m benchmarks.serving.peers.litserve_batching TASK PORT`."""

import sys
from collections.abc import Sequence
from typing import Any

import litserve

from benchmarks.serving.peers.models import Intent, OnnxTrees


class CreditRiskPeer(litserve.LitAPI):
    """Credit risk."""

    def setup(self, device: str) -> None:
        """Load the model, in the worker."""
        self.model = OnnxTrees()

    def decode_request(self, request: dict[str, Any]) -> dict[str, float | None]:
        """A row of the request."""
        features: dict[str, float | None] = request["features"]
        return features

    def batch(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Rows as they are."""
        return inputs

    def predict(self, x: Sequence[dict[str, float | None]]) -> list[float]:
        """Probabilities."""
        return self.model.probabilities(x)

    def unbatch(self, output: list[Any]) -> list[Any]:
        """Answers as they are."""
        return output

    def encode_response(self, output: float) -> dict[str, float]:
        """The answer."""
        return {"probability": output}


class IntentPeer(litserve.LitAPI):
    """Intent."""

    def setup(self, device: str) -> None:
        """Load the model, in the worker."""
        self.model = Intent()
        self.model.answers(["hello there"])

    def decode_request(self, request: dict[str, Any]) -> str:
        """The text."""
        text: str = request["text"]
        return text

    def batch(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Texts as they are."""
        return inputs

    def predict(self, x: Sequence[str]) -> list[dict[str, Any]]:
        """Intents and confidences."""
        return self.model.answers(x)

    def unbatch(self, output: list[Any]) -> list[Any]:
        """Answers as they are."""
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """The answer."""
        return output


if __name__ == "__main__":
    task, port = sys.argv[1], int(sys.argv[2])
    peer, wait_s = (CreditRiskPeer, 0.002) if task == "credit_risk" else (IntentPeer, 0.01)
    server = litserve.LitServer(
        peer(max_batch_size=32, batch_timeout=wait_s), accelerator="cpu", workers_per_device=2
    )
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
