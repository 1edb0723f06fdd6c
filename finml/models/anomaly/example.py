"""Made-up transactions and habits: what the quick start, the load tests and the docs ask about."""

import json
import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from finml.models.anomaly.habits import Transaction

MERCHANTS: Mapping[str, tuple[tuple[str, ...], float]] = {
    "groceries": (("Annapurna Kirana", "Gokul Dairy", "Taza Basket"), 900.0),
    "dining": (("Madras Tiffin Room", "Biryani Ghar", "Chai Adda"), 450.0),
    "transport": (("Rasta Rides", "Metro Card", "Highway Petroleum"), 250.0),
    "shopping": (("Bazaar Online", "Vastra Sarees", "Electro Duniya"), 1500.0),
    "utilities": (("State Electricity Board", "Vaayu Broadband", "Saathi Mobile"), 1100.0),
    "health": (("Arogya Pharmacy", "Sanjeevani Clinic"), 600.0),
}
"""Merchants of a category, as the synthetic bank has them, and what is usually paid to them, major units."""
SPREAD = 0.5
LARGE_SHARE, LARGE_TIMES = 0.1, 20.0
NEWEST_DAYS = 3


def payment(rng: random.Random, user_id: str) -> dict[str, Any]:
    """A payment that a user might make: mostly a usual one, of late; one of ten is large."""
    category = rng.choice(sorted(MERCHANTS))
    merchants, usual = MERCHANTS[category]
    amount = usual * math.exp(rng.gauss(0, SPREAD))
    if rng.random() < LARGE_SHARE:
        amount *= LARGE_TIMES
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight - timedelta(seconds=rng.randrange(NEWEST_DAYS * 86_400))
    return {
        "user_id": user_id,
        "occurred_at": moment.isoformat(),
        "amount": round(amount, 2),
        "category": category,
        "merchant": rng.choice(merchants),
        "channel": rng.choice(("upi", "card")),
    }


def busy_habits() -> str:
    """Habits as long as they get: a hundred merchants, fifty debits of late."""
    end = 1_750_000_000
    return json.dumps(
        {
            "n": 900,
            "days": 179.5,
            "amount": [6.2, 0.7],
            "hours": [20 + hour for hour in range(24)],
            "weekdays": [120, 125, 130, 128, 132, 140, 125],
            "categories": {name: [150, math.log(usual), 0.4] for name, (_, usual) in MERCHANTS.items()},
            "merchants": {
                f"merchant {place:03}": [9, end - 86_400 * place, 6.0, 0.3, 19.5, 4.0] for place in range(100)
            },
            "recent": [
                [end - 7_200 * place, 45_000, "dining", f"merchant {place:03}"] for place in range(50)
            ],
        }
    )


def transaction_of(row: Mapping[Any, Any]) -> Transaction:
    """A row of a frame as the features take it."""
    merchant = row["merchant"] if isinstance(row["merchant"], str) else None
    return Transaction(row["occurred_at"].timestamp(), row["amount"], row["category"], merchant)
