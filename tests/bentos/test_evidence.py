"""What a decision was made by can be held against the inference log."""

import hashlib
import math
import time

from pydantic import BaseModel

from bentos.records import Evidence
from finml.monitoring.rows import Encoder, Prediction
from finml.privacy import masked_json


class Loan(BaseModel):
    user_id: str
    loan_amount: float
    term_months: int | None = None


def logged(asked: Loan, features) -> dict[str, str | None]:
    """The row that the inference log has of an answer."""
    encoder = Encoder(masked_json, b"key")
    encoder.append(
        Prediction(
            request_id="r",
            at=time.time(),
            model="credit_risk",
            version="credit_risk@1",
            variant="champion",
            shadow=False,
            action="predict",
            caller="k",
            position=0,
            inputs=asked,
            output=None,
            features=features,
            latency_ms=1.0,
            subject="u1",
        )
    )
    (row,) = encoder.take().to_pylist()
    return row


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_hashes_are_of_what_the_inference_log_has():
    asked, features = Loan(user_id="u1", loan_amount=1000.5), {"balance": 2.5, "ratio": math.nan, "age": None}
    row = logged(asked, features)
    assert Evidence.of(asked, features).hashes() == {
        "inputs_sha256": sha256(row["inputs"]),
        "features_sha256": sha256(row["features"]),
    }


def test_an_input_that_holds_all_needs_no_other_hash():
    asked = Loan(user_id="u1", loan_amount=1000.5)
    assert Evidence.of(asked, None).hashes() == {"inputs_sha256": sha256(logged(asked, None)["inputs"])}
