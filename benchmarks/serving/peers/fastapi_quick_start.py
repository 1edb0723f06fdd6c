"""FastAPI as its tutorial and the models' libraries have it: plain functions, one model call a request."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.peers.models import Intent, QuickStart


class Loan(BaseModel):
    """One row."""

    features: dict[str, float | None]


class Message(BaseModel):
    """One text."""

    text: str


app = FastAPI()
credit_risk = QuickStart()
intent = Intent()


@app.post("/credit_risk")
def predict_credit_risk(loan: Loan) -> dict[str, float]:
    """Probability alone."""
    return {"probability": credit_risk.probability(loan.features)}


@app.post("/credit_risk_explained")
def explain_credit_risk(loan: Loan) -> dict[str, Any]:
    """Probability and contributions."""
    probability, contributions = credit_risk.explained(loan.features)
    return {"probability": probability, "contributions": contributions}


@app.post("/intent")
def predict_intent(message: Message) -> dict[str, Any]:
    """Intent and confidence."""
    return intent.answers([message.text])[0]
