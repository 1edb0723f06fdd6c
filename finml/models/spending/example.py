"""A made-up question: what the quick start, the load tests and the docs ask about."""

import random
from typing import Any

HORIZONS = (1, 3, 6, 12)


def question(rng: random.Random, user_id: str) -> dict[str, Any]:
    """What a user will spend: on everything, in the next months."""
    return {"user_id": user_id, "horizon": rng.choice(HORIZONS)}
