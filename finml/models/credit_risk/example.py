"""A made-up loan: what the quick start, the load tests and the docs ask about."""

import random
from typing import Any

KINDS = ("personal", "home", "auto", "education", "business", "consumer")
TERMS = (6, 12, 24, 36, 48, 60, 120, 240)


def loan(rng: random.Random, user_id: str) -> dict[str, Any]:
    """A loan that a user might ask for: a log-normal amount, a usual term, a rate that fits its kind."""
    kind = rng.choice(KINDS)
    amount = round(min(max(rng.lognormvariate(12.2, 0.9), 10_000), 20_000_000), 2)
    term = rng.choice(TERMS)
    rate = round(rng.uniform(0.08, 0.12) if kind == "home" else rng.uniform(0.1, 0.24), 4)
    monthly = rate / 12
    return {
        "user_id": user_id,
        "loan_amount": amount,
        "term_months": term,
        "annual_rate": rate,
        "installment": round(amount * monthly / (1 - (1 + monthly) ** -term), 2),
        "loan_kind": kind,
    }
