"""What the tests of monitoring share."""

import time

import pytest
from pydantic import BaseModel

from finml.monitoring.inference_log import Prediction
from finml.settings import Settings


class Asked(BaseModel):
    user_id: str | None = None
    text: str = ""


class Answer(BaseModel):
    probability: float
    flagged: bool = False


def id_of(number: int) -> str:
    """A request id, as the service makes them, that says which one it is."""
    return f"{number:032x}"


def make_prediction(number: int = 0, **given) -> Prediction:
    values = {
        "request_id": id_of(number),
        "at": time.time(),
        "model": "credit_risk",
        "version": "credit_risk@7",
        "variant": "champion",
        "shadow": False,
        "action": "predict",
        "caller": "key-1",
        "position": 0,
        "inputs": Asked(user_id=f"u{number}"),
        "output": Answer(probability=0.25),
        "features": {"income": 10.5},
        "latency_ms": 2.5,
    }
    values |= given
    values.setdefault("subject", values["inputs"].user_id or values["caller"])
    return Prediction(**values)


@pytest.fixture
def prediction():
    """Makes predictions that differ in what is given."""
    return make_prediction


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path)


@pytest.fixture
def until():
    """Waits for a condition, which must come true within a time that says something is broken."""

    def wait(condition, within_s: float = 30.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.01)

    return wait
