"""FastAPI with the trees on ONNX Runtime, in the event loop: no guards, no log."""

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.peers.models import OnnxTrees


class Loan(BaseModel):
    """One row."""

    features: dict[str, float | None]


app = FastAPI()
credit_risk = OnnxTrees()


@app.post("/credit_risk")
async def predict_credit_risk(loan: Loan) -> dict[str, float]:
    """Probability alone."""
    return {"probability": credit_risk.probabilities([loan.features])[0]}
